package words

// germanPages is the pages Signal, Trust, History and Clients.
var germanPages = map[string]string{
	"Signal": "Empfang", "Trust": "Vertrauen", "History": "Verlauf", "Clients": "Clients",
	"E": "O", "W": "W", "N": "N", "S": "S",

	// Signal
	"What the receivers hear now": "Was die Empfänger gerade hören",
	"No receiver is configured.":  "Kein Empfänger ist eingerichtet.",
	"Write a [[refclock]] section for each into the configuration. `timestation receivers` shows what is plugged in.": "Für jeden " +
		"einen Abschnitt [[refclock]] in die Konfiguration schreiben. `timestation receivers` zeigt, was angesteckt ist.",
	"next receiver": "nächster Empfänger", "%s · %s, 1 of %d": "%s · %s, 1 von %d", "Other sources": "Andere Quellen",
	"Sky": "Himmel", "3D fix": "3D-Fix", "2D fix": "2D-Fix", "time fix": "Zeit-Fix",
	"Nothing has been heard of this receiver yet.": "Von diesem Empfänger wurde noch nichts gehört.",
	"no satellite in view":                         "kein Satellit in Sicht", "antenna %s": "Antenne: %s", "jamming %s": "Störung: %s", "no interference": "keine Störung",
	"ok": "gut", "open": "offen", "short": "Kurzschluss", "warning": "Warnung", "critical": "kritisch",
	"%s %d of %d": "%s %d von %d", "%d of %d sentences damaged": "%d von %d Sätzen beschädigt",
	"Strength, C/N0 in dB-Hz": "Stärke, C/N0 in dB-Hz", "%d of %d used": "%d von %d genutzt",
	"No satellite is heard. The antenna needs a clear view of the sky; indoors, a window is often not enough.": "Kein Satellit wird " +
		"gehört. Die Antenne braucht freie Sicht zum Himmel; innen reicht ein Fenster oft nicht.",
	"Pulse": "Puls", "jitter %s (1σ)": "Streuung %s (1σ)",
	"%d pulses, %d missing, %d extra since the start": "%d Pulse, %d fehlten, %d zu viel seit dem Start",
	"No pulse has been counted yet. Check the wire to the receiver's PPS pin, and that the receiver has a fix.": "Noch kein Puls " +
		"gezählt. Die Leitung zum PPS-Stift des Empfängers prüfen, und ob er einen Fix hat.",
	"%s, this minute as it arrives": "%s, die Minute, wie sie ankommt", "%s · %s, this minute as it arrives": "%s · %s, die Minute, wie sie ankommt",
	"coasting: nothing is decoded": "läuft frei: nichts dekodiert", "no whole minute yet": "noch keine ganze Minute",
	"odds against wrong: 10": "richtig mit 1 : 10", "last hour": "letzte Stunde",
	"weather": "Wetter", "zone": "Zone", "minute": "Minute", "hour": "Stunde", "day": "Tag", "weekday": "Wochentag", "month": "Monat",
	"year": "Jahr", "day of the year": "Tag im Jahr", "parity": "Parität", "CET": "MEZ", "CEST": "MESZ",
	"NTP servers": "NTP-Server", "and %d more": "und %d weitere", "not asked yet": "noch nicht gefragt", "delay %s": "Laufzeit %s",
	"stratum %d": "Stratum %d", "authenticated": "signiert", "not authenticated": "nicht signiert",
	"%s, not proven": "%s, nicht erwiesen",

	// Trust
	"Why this clock believes what it shows": "Warum diese Uhr glaubt, was sie zeigt",
	"followed":                              "führt", "agrees": "stimmt überein", "falseticker, ignored": "geht falsch, zählt nicht", "ignored": "zählt nicht",
	"compared only": "nur verglichen", "compared": "verglichen", "settling": "schwingt ein", "without valid time": "ohne gültige Zeit",
	"no time": "keine Zeit", "lost": "verloren", "station time": "Stationszeit", "pulse, jitter %s": "Puls, Streuung %s",
	"heard %.0f %%": "gehört %.0f %%", "heard %s ago": "vor %s gehört", "never heard": "nie gehört",
	"No source is configured: write a [[refclock]] section for each receiver into the configuration.": "Keine Quelle ist eingerichtet: " +
		"für jeden Empfänger einen Abschnitt [[refclock]] in die Konfiguration schreiben.",
	"further up": "weiter nach oben", "further down": "weiter nach unten", "%d to %d of %d": "%d bis %d von %d",
	"If every source fell silent now": "Wenn jetzt alle Quellen schwiegen", "How the error bound goes on": "Wie die Fehlergrenze weitergeht",
	"now %s": "jetzt %s", "%s after %s": "%s nach %s", "limit %s after %s": "Limit %s nach %s", "limit %s": "Limit %s",
	"The station claims no error bound while it does not know the time.": "Solange die Station die Zeit nicht kennt, nennt sie keine Fehlergrenze.",
	"The station does not say yet how fast the bound would grow.":        "Die Station sagt noch nicht, wie schnell die Grenze wüchse.",
	"Alerts": "Meldungen", "Nothing stands.": "Nichts steht an.", "Acknowledge": "Quittieren", "Accept …": "Übernehmen …",
	"since %s": "seit %s", "since before the time was known": "seit bevor die Zeit bekannt war", "acknowledged by %s": "quittiert von %s",
	"the screen": "dem Bildschirm", "comes and goes": "kommt und geht",
	"Take the new time of %s?": "Die neue Zeit von %s übernehmen?",
	"Every clock that asks this station will follow. Do it only if another clock says the same.": "Jede Uhr, die diese Station fragt, " +
		"folgt ihr. Nur tun, wenn eine andere Uhr dasselbe sagt.",
	"No, keep the time": "Nein, Zeit behalten", "Yes, take it": "Ja, übernehmen",

	// History
	"How good the time was": "Wie gut die Zeit war", "The log cannot be read.": "Das Log ist nicht zu lesen.", "The log is being read …": "Das Log wird gelesen …",
	"Nothing was logged in this time.": "In dieser Zeit wurde nichts geschrieben.",
	"The station writes a row every few seconds while it runs. Look at another time, or come back in a minute.": "Die Station schreibt " +
		"alle paar Sekunden eine Zeile, solange sie läuft. Eine andere Zeit wählen, oder in einer Minute wiederkommen.",
	"show %s": "%s zeigen", "1 y": "1 J", "earlier": "früher", "later": "später",
	"cursor to the left": "Zeiger nach links", "cursor to the right": "Zeiger nach rechts", "save as PNG": "als PNG speichern", "save as SVG": "als SVG speichern",
	"Offset of the source followed": "Abweichung der führenden Quelle", "Error bound": "Fehlergrenze", "Frequency of the oscillator": "Frequenz des Oszillators",
	"Temperature": "Temperatur", "not logged in this time": "in dieser Zeit nicht geschrieben", "holdover": "Holdover", "not synchronised": "nicht synchron",
	"Allan deviation of the same time": "Allan-Abweichung dieser Zeit",
	"No source was heard throughout this time, so there is none. Choose a time without gaps.": "Keine Quelle war durchgehend zu hören, " +
		"darum gibt es keine. Eine Zeit ohne Lücken wählen.",

	// Clients
	"Who asks this station for the time": "Wer diese Station nach der Zeit fragt", "The clients are not known.": "Die Clients sind nicht bekannt.",
	"Nobody has asked yet.": "Noch hat niemand gefragt.",
	"NTP clients ask this machine's address, UDP port 123, as a [[listener]] section of the configuration allows them.": "NTP-Clients " +
		"fragen die Adresse dieser Maschine, UDP-Port 123, soweit ein Abschnitt [[listener]] der Konfiguration sie lässt.",
	"Requests per second": "Anfragen pro Sekunde", "over the last minute": "in der letzten Minute", "client known": "Client bekannt",
	"clients known": "Clients bekannt", "%s authenticated": "%s signiert", "Refused, and why": "Abgewiesen, und warum",
	"Nobody was refused.": "Niemand wurde abgewiesen.", "The busiest first": "Die häufigsten zuerst", "%d more not listed": "%d weitere nicht aufgeführt",
	"address": "Adresse", "requests": "Anfragen", "how often": "wie oft", "how answered": "wie beantwortet",
	"once": "einmal", "every %s": "alle %s", "%s per second": "%s pro Sekunde", "%s refused": "%s abgewiesen",
	"address not allowed": "Adresse nicht erlaubt", "not an NTP packet": "kein NTP-Paket", "unknown version": "unbekannte Version",
	"not a request": "keine Anfrage", "malformed extension": "Erweiterung fehlerhaft", "wants a domain controller": "sucht einen Domänen-Controller",
	"unknown key": "unbekannter Schlüssel", "key of another address": "Schlüssel fremder Adresse", "wrong signature": "falsche Signatur",
	"malformed NTS": "NTS fehlerhaft", "stale NTS cookie": "NTS-Cookie veraltet", "asks too often": "fragt zu oft", "system clock was set": "Systemuhr wurde gestellt",
	"waited too long": "wartete zu lange", "answer too long": "Antwort zu lang", "no way back": "kein Weg zurück",
}
