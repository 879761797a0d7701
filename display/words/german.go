package words

import "maps"

// german has all the texts of the wall; each table is that of a part of it.
var german = merged(germanClock, germanPages, germanSentences)

func merged(tables ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// germanClock is the faces, the studio page, the shack page, the strip and the menu.
var germanClock = map[string]string{
	"SYNCHRONISED": "SYNCHRON", "HOLDOVER": "HOLDOVER", "NOT SYNCHRONISED": "NICHT SYNCHRON", "DEMONSTRATION": "VORFÜHRUNG",
	"The time is not known": "Die Zeit ist nicht bekannt", "No time yet": "Noch keine Zeit", "No time is served": "Es wird keine Zeit ausgegeben",
	"Recorded %s": "%s, aufgezeichnet", "Held by the oscillator": "Vom Oszillator gehalten",
	"satellite": "Satellit", "satellites": "Satelliten", "bound": "Fehler", "alerts": "Meldungen", "stratum": "Stratum", "leap": "Schaltsek.",
	"none": "keine", "unknown": "unbekannt", "%d of %d": "%d von %d", "week %d": "KW %d", "+%d more": "+%d weitere",
	"The error bound has passed its limit of %s":                 "Die Fehlergrenze liegt über den zulässigen %s",
	"The time engine has been silent for more than %.0f seconds": "Die Zeitrechnung schweigt seit über %.0f Sekunden",
	"No source tells the time":                                   "Keine Quelle nennt die Zeit",

	"to the hour": "zur vollen Stunde", "now": "jetzt", "next": "danach",
	"Studio": "Studio", "Shack": "Shack",

	"sunrise": "Aufgang", "sunset": "Untergang", "up all day": "ganztags Tag", "down all day": "ganztags Nacht",
	"local time": "Ortszeit", "locator": "Locator", "next in %s s": "neu in %s s", "even slot": "gerade", "odd slot": "ungerade",
	"%s, needs ±%s s": "%s, nötig ±%s s",
	"No position yet: a GPS receiver with a fix, or position in the configuration, gives locator, sunrise and sunset.": "Noch kein " +
		"Standort: Ein GPS-Empfänger mit Fix, oder position in der Konfiguration, gibt Locator, Sonnenauf- und -untergang.",
}
