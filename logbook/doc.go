// Package logbook keeps the station's history in one SQLite file: how far each source and the local clock were off, how
// sure the station was, and everything that changed.
//
// A [Book] belongs to the running station. It reads the published status and nothing else, so that a slow or full disk
// never delays the time. A [Reader] belongs to whoever looks later; it works while the station runs. The file and the
// meaning of every column are described by the schema in schema.go.
package logbook
