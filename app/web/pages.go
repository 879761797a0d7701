package web

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"

	"timestation/assets"
)

//go:embed page
var page embed.FS

// policy lets the pages load nothing from anywhere else, run nothing that is not a file of theirs, and put no text into
// the document as markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// servePages serves the files of the folder page by their names, those of the two pages also without.
func servePages(mux *http.ServeMux) {
	files, _ := fs.ReadDir(page, "page") // it is part of the program
	for _, f := range files {
		serve := func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, page, "page/"+f.Name()) }
		switch f.Name() {
		case "index.html":
			mux.HandleFunc("GET /{$}", serve)
		case "face.html":
			mux.HandleFunc("GET /face", serve)
		default:
			mux.HandleFunc("GET /"+f.Name(), serve)
		}
	}
	font := func(text []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "font/otf")
			w.Header().Set("Cache-Control", "public, max-age=604800")
			_, _ = w.Write(text) // the client went away
		}
	}
	mux.HandleFunc("GET /inter-regular.otf", font(assets.InterRegular))
	mux.HandleFunc("GET /inter-semibold.otf", font(assets.InterSemiBold))
	mux.HandleFunc("GET /icon.png", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		w.Header().Set("Cache-Control", "public, max-age=604800")
		_, _ = w.Write(assets.Icon)
	})
	mux.HandleFunc("GET /fonts.txt", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(strings.TrimSpace(assets.FontLicence) + "\n"))
	})
}
