package status

// Words is a text in each language that the station's messages are written in.
type Words struct{ English, German string }

// In gives the text in a language, "de" or else English.
func (w Words) In(language string) string {
	if language == "de" {
		return w.German
	}
	return w.English
}

// AlertEntry explains one code of alert, for the reference and for whoever does not read English.
type AlertEntry struct {
	Code string
	// Severity is the worst that the alert is raised with.
	Severity Severity
	// Once: it tells of something past and has no end of its own; acknowledging it is the end.
	Once          bool
	Meaning, Mend Words
}

// LookupAlert finds an entry of AlertCatalogue by code.
func LookupAlert(code string) (AlertEntry, bool) {
	for _, e := range AlertCatalogue {
		if e.Code == code {
			return e, true
		}
	}
	return AlertEntry{}, false
}

// In gives an alert's text and mend in a language, "de" or else English. In English they are as they were raised, with
// their figures; another language has the code's meaning, which does not name the source.
func (a Alert) In(language string) (text, mend string) {
	if entry, known := LookupAlert(a.Code); known && language == "de" {
		return entry.Meaning.German, entry.Mend.German
	}
	return a.Text, a.Mend
}
