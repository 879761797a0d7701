package notify

import (
	"html/template"
	"strings"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// plotName is the file name of the plot, by which the page refers to it.
const plotName = "last-hour.png"

// page is a mail's HTML. Mail programs know no style sheets to speak of, so every element has its own style.
var pageTemplate = template.Must(template.New("mail").Parse(`<!DOCTYPE html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><title>{{.Headline}}</title></head>
<body style="margin:0;padding:16px;background:#ffffff;color:#1a2026;font:15px/1.5 Inter,'Segoe UI',Helvetica,Arial,sans-serif">
<div style="max-width:720px">
<h1 style="margin:0 0 12px;padding-left:12px;border-left:6px solid {{.Colour}};font-size:20px;font-weight:600">{{.Headline}}</h1>
{{range .Items}}<p style="margin:0 0 8px">{{if .Label}}<span style="color:#566270">{{.Label}}:</span> {{end}}{{.Text}}</p>
{{end}}{{if .Sentence}}<p style="margin:16px 0 8px"><img src="cid:{{.Plot}}" width="720" height="270" alt="{{.Sentence}}" style="max-width:100%;height:auto"></p>
<p style="margin:0 0 8px;color:#566270">{{.Sentence}}</p>
{{end}}{{if .Address}}<p style="margin:16px 0 0"><a href="{{.Address}}" style="color:#0a5fb8">{{.Address}}</a></p>
{{end}}</div></body></html>
`))

// page is the notice as HTML; sentence tells of the plot, and is empty where there is none.
func (w words) page(n Notice, now refclock.UTC, loc *time.Location, address, sentence string) (string, error) {
	type line struct{ Label, Text string }
	var lines []line
	for _, i := range w.items(n, now, loc) {
		lines = append(lines, line{i.label, i.text})
	}
	var b strings.Builder
	err := pageTemplate.Execute(&b, map[string]any{
		"Language": w.language, "Headline": w.headline(n), "Colour": colour(n), "Items": lines,
		"Sentence": sentence, "Plot": plotName, "Address": address,
	})
	return b.String(), err
}

// colour is that of a notice's severity, or calm green.
func colour(n Notice) string {
	switch {
	case n.Kind == Cleared:
		return "#1e8e3e"
	case n.Kind == Test:
		return "#566270"
	case n.Worst() == status.Critical:
		return "#c8281e"
	case n.Worst() == status.Warning:
		return "#d98200"
	}
	return "#0a5fb8"
}
