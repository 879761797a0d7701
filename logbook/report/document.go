package report

// Document is a report before it is put on a page. Its parts follow one another as they stand.
type Document struct {
	// Title is the first line, Subtitle the second.
	Title, Subtitle string
	Sections        []Section
}

// Section is a heading and what stands under it.
type Section struct {
	Heading string
	Blocks  []Block
}

// Block is one of a paragraph, a table or a plot; the others are empty.
type Block struct {
	Text  string
	Table *Table
	// Plot is an SVG document of the few shapes that the PDF knows (svg.go), on a light ground.
	Plot string
}

// Table has a head, or none, and rows of as many cells each.
type Table struct {
	Head []string
	Rows [][]string
	// Widths are the columns' shares of the width of the page; they add up to 1.
	Widths []float64
	// Right says which columns hold numbers and are set flush right.
	Right []bool
}

func (s *Section) text(paragraph string) { s.Blocks = append(s.Blocks, Block{Text: paragraph}) }
func (s *Section) plot(svg string)       { s.Blocks = append(s.Blocks, Block{Plot: onPaper(svg)}) }
func (s *Section) table(t Table)         { s.Blocks = append(s.Blocks, Block{Table: &t}) }
