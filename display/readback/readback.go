// Package readback reads the time off a picture of the LED face: a screenshot, a golden image. Tests use it to hold what
// is on the screen against the time of day.
package readback

import (
	"errors"
	"fmt"
	"image"

	"timestation/display/face"
)

// ErrNoTime means that the clock shows dashes: the station never knew the time.
var ErrNoTime = errors.New("the clock shows dashes")

// least is how much brighter, of 255, a lit segment must be than an unlit one.
const least = 40

// Read gives the hour, minute and second that the seven-segment digits of a picture show. The picture must be the whole
// page; of a struck-out clock the bar may hide a figure, which is an error.
func Read(img image.Image) (hour, minute, second int, err error) {
	bounds := img.Bounds()
	boxes := face.DigitBoxes(face.Size{W: float32(bounds.Dx()), H: float32(bounds.Dy())})
	var bright [6][7]int
	low, high := 255, 0
	for i, box := range boxes {
		for j, p := range face.SegmentCentres(box) {
			b := brightness(img, bounds.Min.Add(image.Pt(int(p.X), int(p.Y))))
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

// brightness is the strongest of the three colours, averaged over three by three pixels.
func brightness(img image.Image, at image.Point) int {
	var sum [3]int
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			r, g, b, _ := img.At(at.X+dx, at.Y+dy).RGBA()
			sum[0], sum[1], sum[2] = sum[0]+int(r>>8), sum[1]+int(g>>8), sum[2]+int(b>>8)
		}
	}
	return max(sum[0], sum[1], sum[2]) / 9
}
