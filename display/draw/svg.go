package draw

import (
	"bufio"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"image/png"
	"io"
	"strings"
)

// fontFamily is Inter where the reader has it, and else the reader's own sans-serif.
const fontFamily = `Inter, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif`

// SVG writes shapes as one self-contained picture; the error is the writer's.
func SVG(shapes []Shape, size Size, w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family='%s'>`+"\n",
		size.W, size.H, fontFamily)
	for _, s := range shapes {
		writeShape(out, s)
	}
	out.WriteString("</svg>\n")
	return out.Flush()
}

func writeShape(out *bufio.Writer, s Shape) {
	switch s := s.(type) {
	case Circle:
		// SVG draws half of an outline on each side of the edge.
		fmt.Fprintf(out, `<circle cx="%g" cy="%g" r="%g" fill="%s" stroke="%s" stroke-width="%g"/>`,
			s.Centre.X, s.Centre.Y, s.Radius-s.Width/2, Hex(s.Fill), Hex(s.Stroke), s.Width)
	case Line:
		fmt.Fprintf(out, `<line x1="%g" y1="%g" x2="%g" y2="%g" stroke="%s" stroke-width="%g" stroke-linecap="round"/>`,
			s.From.X, s.From.Y, s.To.X, s.To.Y, Hex(s.Stroke), s.Width)
	case Image:
		fmt.Fprintf(out, `<image x="%g" y="%g" width="%g" height="%g" preserveAspectRatio="none" href="data:image/png;base64,`,
			s.X, s.Y, s.W, s.H)
		encoder := base64.NewEncoder(base64.StdEncoding, out)
		// Neither fails but for the writer, whose error Flush tells.
		_ = png.Encode(encoder, s.Pixels())
		_ = encoder.Close()
		out.WriteString(`"/>`)
	case Polygon:
		out.WriteString(`<polygon points="`)
		for i, p := range s.Points {
			if i > 0 {
				out.WriteByte(' ')
			}
			fmt.Fprintf(out, "%g,%g", p.X, p.Y)
		}
		fmt.Fprintf(out, `" fill="%s"/>`, Hex(s.Fill))
	case Rect:
		inset := s.Width / 2
		fmt.Fprintf(out, `<rect x="%g" y="%g" width="%g" height="%g" rx="%g" fill="%s" stroke="%s" stroke-width="%g"/>`,
			s.X+inset, s.Y+inset, s.W-2*inset, s.H-2*inset, max(0, s.Radius-inset), Hex(s.Fill), Hex(s.Stroke), s.Width)
	case Text:
		anchor := [...]string{Start: "start", Middle: "middle", End: "end"}[s.Anchor]
		fmt.Fprintf(out, `<text x="%g" y="%g" font-size="%g" font-weight="%d" text-anchor="%s" fill="%s">%s</text>`,
			s.At.X, s.At.Y, s.Size, s.Weight, anchor, Hex(s.Fill), escape(s.String))
	}
	out.WriteByte('\n')
}

func escape(s string) string {
	var b strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}
