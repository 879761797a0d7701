package readback

import (
	"errors"
	"fmt"
	"image"
	"math"

	"timestation/display/draw"
	"timestation/display/face"
)

// readHands reads the analogue face in a box. The hands are told apart by how far they reach: only the disc of the second
// hand is broad where it is, only the minute hand goes beyond it, and the hour hand must agree with the minutes.
func readHands(img image.Image, box draw.Box) (hour, minute, second int, err error) {
	centre, radius, _ := face.AnalogueHands(box, 0, 0, 0)
	origin := img.Bounds().Min
	pixel := func(r, sideways float32, angle float64) [3]int {
		sin, cos := math.Sincos(angle)
		x := float64(centre.X) + float64(r*radius)*sin + float64(sideways*radius)*cos
		y := float64(centre.Y) - float64(r*radius)*cos + float64(sideways*radius)*sin
		red, green, blue, _ := img.At(origin.X+int(math.Round(x)), origin.Y+int(math.Round(y))).RGBA()
		return [3]int{int(red >> 8), int(green >> 8), int(blue >> 8)}
	}
	// The dial itself, between the bars of the minutes and the ends of the hands.
	dial := pixel(0.70, 0, math.Pi/60)
	for _, n := range []float64{21, 43, 77} {
		if p := pixel(0.70, 0, n*math.Pi/60); p == pixel(0.70, 0, (n+20)*math.Pi/60) {
			dial = p
		}
	}
	ink := func(r, sideways float32, angle float64) bool {
		p := pixel(r, sideways, angle)
		return max(abs(p[0]-dial[0]), abs(p[1]-dial[1]), abs(p[2]-dial[2])) > least
	}
	// find is the sixtieth of a turn at which all of some points, along the hand and across, are ink, of one colour as far as
	// may be: a hand beside another looks broader than it is.
	find := func(what string, points [][2]float32) (int, error) {
		found, best := -1, 1<<30
		for n := range 60 {
			angle := 2 * math.Pi * float64(n) / 60
			first, spread := pixel(points[0][0], points[0][1], angle), 0
			for _, p := range points {
				if !ink(p[0], p[1], angle) {
					spread = 1 << 30
					break
				}
				c := pixel(p[0], p[1], angle)
				spread = max(spread, abs(c[0]-first[0]), abs(c[1]-first[1]), abs(c[2]-first[2]))
			}
			if spread < best {
				found, best = n, spread
			}
		}
		if found < 0 {
			return 0, fmt.Errorf("no %s is seen where the clock should be", what)
		}
		return found, nil
	}
	if second, err = find("second hand", [][2]float32{{0.60, 0}, {0.60, 0.055}, {0.60, -0.055}, {0.65, 0}, {0.55, 0}}); err != nil {
		return 0, 0, 0, err
	}
	if minute, err = find("minute hand", [][2]float32{{0.71, 0}, {0.71, 0.012}, {0.71, -0.012}}); err != nil {
		return 0, 0, 0, err
	}
	hidden := -1
	for h := range 12 {
		_, _, angles := face.AnalogueHands(box, h, minute, second)
		a := angles[0]
		if !ink(0.42, 0.03, a) || !ink(0.42, -0.03, a) || !ink(0.50, 0.03, a) || !ink(0.50, -0.03, a) {
			continue
		}
		if apart(a, angles[1]) > 0.2 {
			return h, minute, second, nil
		}
		hidden = h
	}
	if hidden < 0 {
		return 0, 0, 0, errors.New("no hour hand is seen that goes with the minutes")
	}
	return hidden, minute, second, nil
}

func abs(v int) int { return max(v, -v) }

// apart is how far two angles are apart, 0 to π.
func apart(a, b float64) float64 { return math.Abs(math.Remainder(a-b, 2*math.Pi)) }
