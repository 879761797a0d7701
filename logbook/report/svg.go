package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/go-pdf/fpdf"
)

// A PDF gets its plots by reading the SVG of the page: so both show the same drawing, in vectors, with one code that lays it
// out. What is known here is what the plots are made of: rect, line, circle, path (M L V H h l z) and text with its anchor,
// size, weight and a rotation; fill, stroke, their opacities, widths and dashes. Anything else is an error, not a blank.

// svgPainter draws an SVG onto a page.
type svgPainter struct {
	pdf *fpdf.Fpdf
	// x and y are where the drawing's origin is, and scale the size of its pixel, in mm.
	x, y, scale float64
	textSize    float64 // pixels
}

// svgSize is the size of a drawing in its own pixels.
func svgSize(svg string) (width, height float64, err error) {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if err != nil {
			return 0, 0, err
		}
		if e, ok := token.(xml.StartElement); ok {
			a := attributes(e)
			return a.number("width"), a.number("height"), nil
		}
	}
}

type attribute map[string]string

func attributes(e xml.StartElement) attribute {
	a := attribute{}
	for _, x := range e.Attr {
		a[x.Name.Local] = x.Value
	}
	return a
}

func (a attribute) number(name string) float64 {
	v, err := strconv.ParseFloat(a[name], 64)
	if err != nil {
		return 0
	}
	return v
}

func (a attribute) numberOr(name string, otherwise float64) float64 {
	if a[name] == "" {
		return otherwise
	}
	return a.number(name)
}

func (s *svgPainter) draw(svg string) error {
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		a := attributes(e)
		switch e.Name.Local {
		case "svg":
			s.textSize = a.numberOr("font-size", 14)
		case "title", "desc", "defs":
			err = d.Skip()
		case "rect":
			s.rect(a)
		case "line":
			err = s.path(fmt.Sprintf("M%s %sL%s %s", a["x1"], a["y1"], a["x2"], a["y2"]), a)
		case "circle":
			s.paint(a, func(style string) {
				s.pdf.Circle(s.px(a.number("cx")), s.py(a.number("cy")), s.scale*a.number("r"), style)
			})
		case "path":
			err = s.path(a["d"], a)
		case "text":
			var content string
			if err = d.DecodeElement(&content, &e); err == nil {
				err = s.text(content, a)
			}
		default:
			err = fmt.Errorf("a plot has a %q, which a PDF here cannot draw", e.Name.Local)
		}
		if err != nil {
			return err
		}
	}
}

func (s *svgPainter) px(x float64) float64 { return s.x + s.scale*x }
func (s *svgPainter) py(y float64) float64 { return s.y + s.scale*y }

// paint calls draw for the fill and for the stroke, in their colours.
func (s *svgPainter) paint(a attribute, draw func(style string)) {
	if r, g, b, ok := colour(a["fill"]); ok {
		s.pdf.SetFillColor(r, g, b)
		s.pdf.SetAlpha(a.numberOr("fill-opacity", 1)*a.numberOr("opacity", 1), "Normal")
		draw("F")
	}
	if r, g, b, ok := colour(a["stroke"]); ok {
		s.pdf.SetDrawColor(r, g, b)
		s.pdf.SetLineWidth(s.scale * a.numberOr("stroke-width", 1))
		s.pdf.SetAlpha(a.numberOr("stroke-opacity", 1)*a.numberOr("opacity", 1), "Normal")
		if dashes := strings.Fields(a["stroke-dasharray"]); len(dashes) == 2 {
			on, _ := strconv.ParseFloat(dashes[0], 64)
			off, _ := strconv.ParseFloat(dashes[1], 64)
			s.pdf.SetDashPattern([]float64{on * s.scale, off * s.scale}, 0)
		}
		draw("D")
		s.pdf.SetDashPattern(nil, 0)
	}
	s.pdf.SetAlpha(1, "Normal")
}

func (s *svgPainter) rect(a attribute) {
	x, y := s.px(a.number("x")), s.py(a.number("y"))
	width, height := s.scale*a.number("width"), s.scale*a.number("height")
	if a["fill"] == "url(#gap)" {
		s.hatch(x, y, width, height)
		delete(a, "fill")
	}
	s.paint(a, func(style string) { s.pdf.Rect(x, y, width, height, style) })
}

// hatch fills a rectangle as the pattern of the plots does.
func (s *svgPainter) hatch(x, y, width, height float64) {
	p := s.pdf
	p.ClipRect(x, y, width, height, false)
	r, g, b, _ := colour(shade)
	p.SetFillColor(r, g, b)
	p.Rect(x, y, width, height, "F")
	r, g, b, _ = colour(hairline)
	p.SetDrawColor(r, g, b)
	p.SetLineWidth(3 * s.scale)
	for at := -height; at < width; at += 7 * math.Sqrt2 * s.scale {
		p.Line(x+at, y+height, x+at+height, y)
	}
	p.ClipEnd()
}

// colour reads #rrggbb; none and nothing are no colour.
func colour(text string) (r, g, b int, ok bool) {
	v, err := strconv.ParseUint(strings.TrimPrefix(text, "#"), 16, 32)
	if err != nil || len(text) != 7 {
		return 0, 0, 0, false
	}
	return int(v >> 16), int(v >> 8 & 255), int(v & 255), true
}

// path draws a path: closed parts are filled, all are stroked.
func (s *svgPainter) path(d string, a attribute) error {
	steps, err := parsePath(d)
	if err != nil {
		return err
	}
	s.pdf.SetLineJoinStyle("round")
	s.paint(a, func(style string) {
		for _, step := range steps {
			switch step.command {
			case 'M':
				s.pdf.MoveTo(s.px(step.x), s.py(step.y))
			case 'L':
				s.pdf.LineTo(s.px(step.x), s.py(step.y))
			case 'Z':
				s.pdf.ClosePath()
			}
		}
		s.pdf.DrawPath(style)
	})
	return nil
}

// pathStep moves to, draws to (both absolute), or closes.
type pathStep struct {
	command byte
	x, y    float64
}

func parsePath(d string) (steps []pathStep, err error) {
	var x, y, startX, startY float64
	var command byte
	rest := d
	number := func() (v float64) {
		rest = strings.TrimLeft(rest, " ,")
		end := strings.IndexFunc(rest[min(1, len(rest)):], func(r rune) bool { return (r < '0' || r > '9') && r != '.' }) + 1
		if end == 0 {
			end = len(rest)
		}
		v, e := strconv.ParseFloat(rest[:end], 64)
		if e != nil && err == nil {
			err = fmt.Errorf("a plot's path ends wrongly: %w", e)
		}
		rest = rest[end:]
		return v
	}
	for rest = strings.TrimSpace(rest); rest != "" && err == nil; rest = strings.TrimLeft(rest, " ,") {
		if c := rest[0]; c >= 'A' {
			command, rest = c, rest[1:]
		}
		switch command {
		case 'M':
			x, y = number(), number()
			startX, startY = x, y
			steps = append(steps, pathStep{'M', x, y})
			command = 'L' // what follows without a letter is a line
			continue
		case 'L':
			x, y = number(), number()
		case 'l':
			x, y = x+number(), y+number()
		case 'H':
			x = number()
		case 'h':
			x += number()
		case 'V':
			y = number()
		case 'z', 'Z':
			x, y = startX, startY
			steps = append(steps, pathStep{'Z', x, y})
			continue
		default:
			return nil, fmt.Errorf("a plot's path has a %q, which a PDF here cannot draw", command)
		}
		steps = append(steps, pathStep{'L', x, y})
	}
	return steps, err
}

// text writes at a baseline.
func (s *svgPainter) text(content string, a attribute) error {
	const pointsPerMM = 72 / 25.4
	style := ""
	if a.number("font-weight") >= 600 {
		style = "B"
	}
	r, g, b, _ := colour(a["fill"])
	s.pdf.SetTextColor(r, g, b)
	s.pdf.SetFont(fontName, style, a.numberOr("font-size", s.textSize)*s.scale*pointsPerMM)
	x, y := s.px(a.number("x")), s.py(a.number("y"))
	if t := a["transform"]; t != "" {
		var angle, aroundX, aroundY float64
		if _, err := fmt.Sscanf(t, "rotate(%g %g %g)", &angle, &aroundX, &aroundY); err != nil {
			return fmt.Errorf("a plot has the transform %q, which a PDF here cannot draw", t)
		}
		s.pdf.TransformBegin()
		s.pdf.TransformRotate(-angle, s.px(aroundX), s.py(aroundY))
		defer s.pdf.TransformEnd()
	}
	switch width := s.pdf.GetStringWidth(content); a["text-anchor"] {
	case "middle":
		x -= width / 2
	case "end":
		x -= width
	}
	s.pdf.Text(x, y, content)
	return nil
}
