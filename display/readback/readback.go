// Package readback reads the time off a picture of the studio page: a screenshot, a golden image. Tests use it to hold what
// is on the screen against the time of day.
package readback

import (
	"errors"
	"fmt"
	"image"

	"timestation/display/draw"
	"timestation/display/face"
	"timestation/display/panel"
)

// ErrNoTime means that the clock shows dashes: the station never knew the time.
var ErrNoTime = errors.New("the clock shows dashes")

// least is how much more, of 255, a lit segment must stand out from the ground than an unlit one.
const least = 40

// Read gives the hour, minute and second that a face shows; of an analogue one the hour is 0 to 11. The picture must be the
// whole page; of a struck-out clock the bar may hide a figure, which is an error.
func Read(img image.Image, faceName string) (hour, minute, second int, err error) {
	bounds := img.Bounds()
	clock := panel.ClockBox(draw.Size{W: float32(bounds.Dx()), H: float32(bounds.Dy())}, faceName)
	boxes, ok := face.DigitBoxes(faceName, clock)
	if !ok {
		return readHands(img, clock)
	}
	var bright [6][7]int
	low, high := 255, 0
	for i, box := range boxes {
		// Between the segments there is always the ground.
		ground := colourAt(img, bounds.Min.Add(image.Pt(int(box.X+box.W/2), int(box.Y+0.3*box.H))))
		for j, p := range face.SegmentCentres(box) {
			b := stand(img, bounds.Min.Add(image.Pt(int(p.X), int(p.Y))), ground)
			bright[i][j] = b
			low, high = min(low, b), max(high, b)
		}
	}
	if high-low < least {
		return 0, 0, 0, errors.New("no lit segment is seen where the digits should be")
	}
	var figures [6]int
	dashes := 0
	for i := range bright {
		var lit uint8
		for j, b := range bright[i] {
			if b > (low+high)/2 {
				lit |= 1 << j
			}
		}
		if lit == 1<<6 {
			dashes++
			continue
		}
		n, ok := face.FigureOf(lit)
		if !ok {
			return 0, 0, 0, fmt.Errorf("the segments %07b in place %d of 6 are no figure", lit, i+1)
		}
		// A dark place is the missing zero of a twelve-hour clock.
		figures[i] = max(n, 0)
	}
	if dashes > 0 {
		return 0, 0, 0, ErrNoTime
	}
	hour, minute, second = 10*figures[0]+figures[1], 10*figures[2]+figures[3], 10*figures[4]+figures[5]
	if hour > 23 || minute > 59 || second > 60 {
		return 0, 0, 0, fmt.Errorf("%02d:%02d:%02d is no time of day", hour, minute, second)
	}
	return hour, minute, second, nil
}

// stand is how far a colour stands out from the ground, in the channel where it does most.
func stand(img image.Image, at image.Point, ground [3]int) int {
	c := colourAt(img, at)
	return max(abs(c[0]-ground[0]), abs(c[1]-ground[1]), abs(c[2]-ground[2]))
}

// colourAt is red, green and blue from 0 to 255, averaged over three by three pixels.
func colourAt(img image.Image, at image.Point) (sum [3]int) {
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			r, g, b, _ := img.At(at.X+dx, at.Y+dy).RGBA()
			sum[0], sum[1], sum[2] = sum[0]+int(r>>8), sum[1]+int(g>>8), sum[2]+int(b>>8)
		}
	}
	for i := range sum {
		sum[i] /= 9
	}
	return sum
}
