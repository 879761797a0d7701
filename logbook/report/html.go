package report

import (
	_ "embed" // for the directive below
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed report.html
var page string

// WriteHTML writes the document as one page that asks for nothing outside itself.
func (d *Document) WriteHTML(w io.Writer) error {
	plots := 0
	t, err := template.New("report").Funcs(template.FuncMap{
		// A plot's texts were escaped when it was drawn. What has a name in it gets one that the page has only once.
		"plot": func(svg string) template.HTML {
			plots++
			id := fmt.Sprintf("gap%d", plots)
			return template.HTML(strings.NewReplacer(`id="gap"`, `id="`+id+`"`, `url(#gap)`, `url(#`+id+`)`).Replace(svg))
		},
		"align": func(t *Table, column int) string {
			if t.Right[column] {
				return "n"
			}
			return ""
		},
		"percent": func(share float64) float64 { return 100 * share },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, d)
}
