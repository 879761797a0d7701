package report

import (
	"fmt"
	"io"
	"time"

	"github.com/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// The page is A4, upright; lengths are in mm, sizes of type in points.
const (
	pageWidth, pageHeight = 210, 297
	pageMargin            = 18
	pageFoot              = 20
	textWidth             = pageWidth - 2*pageMargin

	// fontName is the Go font (BSD licence), which is TrueType, as a PDF wants it, and has the signs that are used here.
	fontName             = "Go"
	bodySize, bodyLine   = 9.5, 4.9
	tableSize, tableLine = 8, 4.1
	headingSize          = 13
	titleSize            = 20
	roomForSomeLines     = 30
	spaceAfterPlot       = 4
	plotShare            = 0.82 // of the width: both plots of the time fit under the summary
)

// WritePDF writes the document as A4 pages, with the same words, tables and plots as the page of WriteHTML.
func (d *Document) WritePDF(w io.Writer) error {
	p := fpdf.New("P", "mm", "A4", "")
	p.AddUTF8FontFromBytes(fontName, "", goregular.TTF)
	p.AddUTF8FontFromBytes(fontName, "B", gobold.TTF)
	p.SetMargins(pageMargin, pageMargin, pageMargin)
	p.SetAutoPageBreak(true, pageFoot)
	p.SetTitle(d.Title, true)
	p.SetSubject(d.Subtitle, true)
	p.SetCreator("Timestation", true)
	p.SetLang("en")
	// The same document is the same file: no date of the machine's clock, which may be wrong, and no random order.
	p.SetCreationDate(time.Unix(0, 0).UTC())
	p.SetModificationDate(time.Unix(0, 0).UTC())
	p.SetCatalogSort(true)
	p.AliasNbPages("")
	p.SetFooterFunc(func() {
		p.SetY(-pageFoot + 6)
		p.SetFont(fontName, "", tableSize)
		setColour(p.SetTextColor, quietInk)
		p.CellFormat(textWidth, 5, d.Subtitle, "", 0, "L", false, 0, "")
		p.SetX(pageMargin)
		p.CellFormat(textWidth, 5, fmt.Sprintf("page %d of {nb}", p.PageNo()), "", 0, "R", false, 0, "")
	})
	p.AddPage()
	p.SetFont(fontName, "B", titleSize)
	setColour(p.SetTextColor, ink)
	p.MultiCell(textWidth, 9, d.Title, "", "L", false)
	p.SetFont(fontName, "", bodySize)
	setColour(p.SetTextColor, quietInk)
	p.MultiCell(textWidth, 6, d.Subtitle, "", "L", false)
	for _, s := range d.Sections {
		if err := writeSection(p, s); err != nil {
			return err
		}
	}
	return p.Output(w)
}

func setColour(set func(r, g, b int), text string) {
	r, g, b, _ := colour(text)
	set(r, g, b)
}

func writeSection(p *fpdf.Fpdf, s Section) error {
	need := float64(roomForSomeLines)
	if len(s.Blocks) > 0 && s.Blocks[0].Plot != "" { // a heading stays with its plot
		need += 60
	}
	breakUnless(p, need)
	p.Ln(3.5)
	p.SetFont(fontName, "B", headingSize)
	setColour(p.SetTextColor, ink)
	p.MultiCell(textWidth, 7, s.Heading, "", "L", false)
	p.Ln(1)
	for _, b := range s.Blocks {
		switch {
		case b.Table != nil:
			writeTable(p, b.Table)
		case b.Plot != "":
			if err := writePlot(p, b.Plot); err != nil {
				return err
			}
		default:
			p.SetFont(fontName, "", bodySize)
			setColour(p.SetTextColor, ink)
			p.MultiCell(textWidth, bodyLine, b.Text, "", "L", false)
			p.Ln(1.5)
		}
	}
	return nil
}

// breakUnless begins a page unless there is room for a height.
func breakUnless(p *fpdf.Fpdf, height float64) {
	if p.GetY()+height > pageHeight-pageFoot {
		p.AddPage()
	}
}

func writePlot(p *fpdf.Fpdf, svg string) error {
	width, height, err := svgSize(svg)
	if err != nil {
		return err
	}
	scale := plotShare * textWidth / width
	breakUnless(p, scale*height)
	painter := svgPainter{pdf: p, x: pageMargin, y: p.GetY(), scale: scale}
	if err := painter.draw(svg); err != nil {
		return err
	}
	setColour(p.SetDrawColor, hairline)
	p.SetLineWidth(0.2)
	p.Rect(pageMargin, painter.y, scale*width, scale*height, "D")
	p.SetXY(pageMargin, painter.y+scale*height+spaceAfterPlot)
	return nil
}

// writeTable writes the head again on each page that the table reaches.
func writeTable(p *fpdf.Fpdf, t *Table) {
	p.Ln(1)
	writeHead(p, t)
	for _, row := range t.Rows {
		if p.GetY()+rowHeight(p, t, row, "") > pageHeight-pageFoot {
			p.AddPage()
			writeHead(p, t)
		}
		writeRow(p, t, row, "", ink)
	}
	p.Ln(3)
}

func writeHead(p *fpdf.Fpdf, t *Table) {
	if t.Head != nil {
		writeRow(p, t, t.Head, "B", quietInk)
	}
}

const cellGap = 3

func rowHeight(p *fpdf.Fpdf, t *Table, row []string, style string) float64 {
	p.SetFont(fontName, style, tableSize)
	lines := 1
	for i, cell := range row {
		lines = max(lines, len(p.SplitText(cell, t.Widths[i]*textWidth-cellGap)))
	}
	return float64(lines)*tableLine + 1.4
}

func writeRow(p *fpdf.Fpdf, t *Table, row []string, style, colour string) {
	height := rowHeight(p, t, row, style)
	setColour(p.SetTextColor, colour)
	x, y := float64(pageMargin), p.GetY()
	for i, cell := range row {
		width, align := t.Widths[i]*textWidth, "L"
		if t.Right[i] {
			align = "R"
		}
		for n, line := range p.SplitText(cell, width-cellGap) {
			p.SetXY(x, y+0.7+float64(n)*tableLine)
			p.CellFormat(width-cellGap, tableLine, line, "", 0, align, false, 0, "")
		}
		x += width
	}
	setColour(p.SetDrawColor, hairline)
	p.SetLineWidth(0.2)
	p.Line(pageMargin, y+height, pageMargin+textWidth, y+height)
	p.SetXY(pageMargin, y+height)
}
