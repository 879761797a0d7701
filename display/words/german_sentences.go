package words

// germanSentences is what the engine says of votes and states, and the drivers of their receivers; see [Language.Sentence].
var germanSentences = map[string]string{
	// The vote
	"%s agree within %s": "%s stimmen auf %s überein", "%s is %s off and ignored": "%s liegt %s daneben und zählt nicht",
	"%s, only compared, is %s off": "%s, nur verglichen, liegt %s daneben", "no majority: %s": "keine Mehrheit: %s",
	"no source has a vote":                                   "keine Quelle hat eine Stimme",
	"%s is followed alone: nothing checks it":                "%s wird allein gefolgt: nichts prüft es nach",
	"%s are of one receiver: nothing else checks them":       "%s sind ein Empfänger: sonst prüft sie nichts",
	"%s: %s of the %s independent sources that are demanded": "%s: %s der %s verlangten unabhängigen Quellen",
	"%s is alone: a drift of up to %s ppm (%s an hour) cannot be told from the oscillator's own": "%s ist allein: eine Drift bis %s ppm " +
		"(%s je Stunde) ist von der des Oszillators nicht zu unterscheiden",
	"%s is followed: it is the only source with valid time": "%s führt: die einzige Quelle mit gültiger Zeit",

	// States
	"the oscillator carries the time":                     "der Oszillator trägt die Zeit",
	"no source is heard; the oscillator carries the time": "keine Quelle ist zu hören; der Oszillator trägt die Zeit",
	"the sources together have moved by %s and are not followed; the oscillator carries the time": "die Quellen sind gemeinsam um %s " +
		"gesprungen, und ihnen wird nicht gefolgt; der Oszillator trägt die Zeit",
	"%s's rate broke away, and alone that cannot be told from the oscillator's; the oscillator carries the time": "der Gang von %s ist " +
		"ausgebrochen, und allein ist das von dem des Oszillators nicht zu unterscheiden; der Oszillator trägt die Zeit",
	"the sources contradict each other": "die Quellen widersprechen einander",
	"the sources contradicted each other a moment ago: they are believed after %s min of agreement": "die Quellen widersprachen " +
		"einander eben noch: geglaubt wird ihnen, wenn sie %s min übereinstimmen",
	"%s is back and alone: it is believed after %s s of agreement with itself": "%s ist wieder da und allein: geglaubt wird nach %s s " +
		"Übereinstimmung mit sich selbst",
	"no source has been heard yet":                     "noch war keine Quelle zu hören",
	"no source has been heard since %s":                "seit %s war keine Quelle zu hören",
	"no source has told the time yet":                  "noch keine Quelle hat die Zeit genannt",
	"no source is configured":                          "keine Quelle ist eingerichtet",
	"the error bound has passed %s s":                  "die Fehlergrenze hat %s s überschritten",
	"the station is starting":                          "die Station läuft an",
	"the time engine has stopped; restart the station": "die Zeitrechnung steht; die Station neu starten",
	"no contact with the station at %s":                "kein Kontakt zur Station auf %s",
	"%s is settling: %s consistent samples so far":     "%s schwingt ein: bisher %s stimmige Werte",

	// What is wrong with a source
	"nothing heard yet": "noch nichts gehört", "nothing is heard yet": "noch ist nichts zu hören",
	"back again, but nothing heard yet": "wieder da, aber noch nichts gehört", "no usable time for %s": "seit %s keine brauchbare Zeit",
	"settling: %s consistent samples so far":                            "schwingt ein: bisher %s stimmige Werte",
	"its rate broke away from the oscillator's, and it is not followed": "ihr Gang ist von dem des Oszillators weggebrochen; ihr wird nicht gefolgt",
	"%s sources contradict each other and none has a majority":          "%s Quellen widersprechen einander, und keine hat eine Mehrheit",
	"compared only, and there is nothing to compare it with":            "nur verglichen, und es gibt nichts zum Vergleichen",
	"a receiver that starts cold may be whole seconds off until it has its almanac, at most 13 minutes; nothing else here knows the time to a second": "ein " +
		"Empfänger kann nach dem Kaltstart um ganze Sekunden falsch gehen, bis er den Almanach hat, höchstens 13 Minuten; nichts anderes hier kennt " +
		"die Zeit auf eine Sekunde",

	// Satellite receivers
	"the port is gone (%s)":      "die Schnittstelle ist weg (%s)",
	"the device is gone":         "das Gerät ist weg",
	"%s is gone":                 "%s ist weg",
	"plug the receiver in again": "den Empfänger wieder einstecken",
	"plug it in again":           "wieder einstecken",
	"plug it in again, or check the cable and its plug": "wieder einstecken, oder Kabel und Stecker prüfen",
	"no fix yet":                            "noch kein Fix",
	"give the antenna a view of the sky":    "der Antenne freie Sicht zum Himmel geben",
	"no fix yet: %s":                        "noch kein Fix: %s",
	"fix lost: %s":                          "Fix verloren: %s",
	"%s of %s satellites in view are heard": "%s von %s Satelliten in Sicht sind zu hören",
	"no fix: the receiver says that its antenna line is %s":                 "kein Fix: der Empfänger meldet die Antennenleitung als %s",
	"no fix: check the antenna (the receiver does not list its satellites)": "kein Fix: die Antenne prüfen (der Empfänger nennt seine Satelliten nicht)",
	"no satellites in view: check the antenna":                              "keine Satelliten in Sicht: die Antenne prüfen",
	"none of %s satellites in view is heard: check the antenna":             "keiner von %s Satelliten in Sicht ist zu hören: die Antenne prüfen",
	"listening for the receiver and its line speed: check its power and that its TX is wired to this port's RX": "sucht den Empfänger und " +
		"seine Baudrate: die Stromversorgung prüfen, und ob sein TX an RX dieser Schnittstelle liegt",
	"bytes arrive": "Bytes kommen an",
	"looking for the line speed at which they are NMEA or UBX messages": "gesucht wird die Baudrate, bei der sie NMEA oder UBX sind",
	"%s: you may not read it": "%s: kein Leserecht",
	"the recording is over":   "die Aufzeichnung ist zu Ende",
	"start the station again, or set time = \"restamped\" to play it for ever": "die Station neu starten, oder mit time = \"restamped\" ohne Ende spielen",

	// gpsd
	"no fix": "kein Fix", "check the antenna and its view of the sky": "Antenne und Sicht zum Himmel prüfen",
	"the receiver says that its signal is simulated":                        "der Empfänger meldet, sein Signal sei simuliert",
	"gpsd has a fix but tells no time":                                      "gpsd hat einen Fix, nennt aber keine Zeit",
	"gpsd has a fix but sends no pulses":                                    "gpsd hat einen Fix, sendet aber keine Pulse",
	"give it the PPS device too, for instance: gpsd /dev/ttyAMA0 /dev/pps0": "ihm auch das PPS-Gerät geben, etwa: gpsd /dev/ttyAMA0 /dev/pps0",
	"gpsd reads nothing from the receiver":                                  "gpsd liest nichts vom Empfänger",
	"check its cable and DEVICES in /etc/default/gpsd":                      "sein Kabel und DEVICES in /etc/default/gpsd prüfen",
	"gpsd runs, but has no receiver":                                        "gpsd läuft, hat aber keinen Empfänger",
	"name it under DEVICES in /etc/default/gpsd":                            "ihn unter DEVICES in /etc/default/gpsd nennen",
	"the connection is gone (%s)":                                           "die Verbindung ist weg (%s)",
	"it is made again when gpsd runs":                                       "sie kommt wieder, sobald gpsd läuft",

	// Pulses
	"no pulse yet": "noch kein Puls",
	"check the wire, and that the receiver's time pulse is on: many pulse only with a fix": "die Leitung prüfen, und ob der Empfänger pulst: " +
		"viele tun es nur mit Fix",
	"edges come, but not once a second":                                   "Flanken kommen, aber nicht im Sekundentakt",
	"set the receiver's time pulse to 1 Hz, and check the wire for noise": "den Zeitpuls des Empfängers auf 1 Hz stellen und die Leitung auf Störungen prüfen",
	"the pulses have stopped":                                             "die Pulse sind ausgeblieben",
	"check the receiver's fix and the wire":                               "den Fix des Empfängers und die Leitung prüfen",
	"the GPIO chip is gone":                                               "der GPIO-Baustein ist weg",
	"plug it in again, or restart the machine if it is built in":          "wieder einstecken, oder den Rechner neu starten, wenn er eingebaut ist",

	// Long-wave receivers
	"nothing is decoded at the moment":       "im Moment wird nichts dekodiert",
	"its time is held but not used":          "ihre Zeit läuft weiter, zählt aber nicht",
	"pulses arrive, but no time is sure yet": "Pulse kommen an, aber noch ist keine Zeit sicher",
	"a clean signal takes 2 minutes, a noisy one up to an hour: turn the antenna, move it away from screens and power supplies": "ein sauberes " +
		"Signal braucht 2 Minuten, ein gestörtes bis zu einer Stunde: die Antenne drehen, weg von Bildschirmen und Netzteilen",
	"nothing is heard on %s": "an %s ist nichts zu hören",
	"check the receiver's supply, its output and the resistor (bias)": "Versorgung und Ausgang des Empfängers prüfen, und den Widerstand (bias)",

	// NTP servers
	"no answer": "keine Antwort", "no NTP server listens there": "dort hört kein NTP-Server",
	"check the address, and that UDP port %s is let through": "die Adresse prüfen, und ob UDP-Port %s frei ist",
	"check the address, that UDP port %s is let through, and that the server has the same key": "die Adresse prüfen, ob UDP-Port %s frei ist, " +
		"und ob der Server denselben Schlüssel hat",
	"it wants to be asked less often (RATE): from now on every %s s": "er will seltener gefragt werden (RATE): von nun an alle %s s",
	"set poll_min": "poll_min setzen",
	"answers with the kiss code %s instead of the time": "antwortet mit dem Kiss-Code %s statt der Zeit",
	"it does not know the time itself":                  "er kennt die Zeit selbst nicht",
	"wait until it does, or name another server":        "warten, bis er sie kennt, oder einen anderen Server nennen",
	"wait, or name another server":                      "warten, oder einen anderen Server nennen",
	"wait, or name a better server":                     "warten, oder einen besseren Server nennen",
	"name another server":                               "einen anderen Server nennen",
	"its timestamps are empty":                          "seine Zeitstempel sind leer",
	"it smears a leap second and is off by up to a second until that is over": "er verschmiert eine Schaltsekunde und liegt so lange bis zu " +
		"einer Sekunde daneben",
	"name a server that does not":                                  "einen nennen, der das nicht tut",
	"its answers take longer than max_delay_seconds":               "seine Antworten brauchen länger als max_delay_seconds",
	"look for what loads the line, or name a nearer server":        "suchen, was die Leitung belastet, oder einen näheren Server nennen",
	"it says that it may be off by more than max_distance_seconds": "er sagt, er könne um mehr als max_distance_seconds falsch gehen",
	"its date is before the date this program was built":           "sein Datum liegt vor dem Bau dieses Programms",
	"a leap second is near, when NTP cannot say the time":          "eine Schaltsekunde steht bevor, in der NTP die Zeit nicht sagen kann",
	"this passes by itself":                                        "das geht von selbst vorbei",
	"%s: following it would be a loop":                             "%s: ihm zu folgen wäre ein Kreis",

	// What receivers warn of
	"the receiver hears interference, and still has its fix":     "der Empfänger hört Störungen und hat seinen Fix noch",
	"the receiver is jammed: interference drowns the satellites": "der Empfänger ist gestört: die Satelliten gehen unter",
	"look for a transmitter, a cheap active antenna or a USB 3 cable near the antenna": "nach einem Sender, einer billigen aktiven Antenne " +
		"oder einem USB-3-Kabel bei der Antenne suchen",
	"the receiver suspects that its signals are not from satellites": "der Empfänger vermutet, seine Signale kämen nicht von Satelliten",
	"compare with another source before you trust this one":          "mit einer anderen Quelle vergleichen, ehe man dieser traut",
	"the receiver is sure that its signals are not from satellites":  "der Empfänger ist sicher, seine Signale kommen nicht von Satelliten",
	"do not trust this source; look for a repeater or a simulator nearby": "dieser Quelle nicht trauen; in der Nähe nach einem Repeater oder " +
		"Simulator suchen",
	"the antenna line is open: no current flows":                           "die Antennenleitung ist offen: es fließt kein Strom",
	"the antenna line is shorted":                                          "die Antennenleitung hat einen Kurzschluss",
	"check the antenna's plug and cable (a passive antenna reads as open)": "Stecker und Kabel der Antenne prüfen (eine passive Antenne gilt als offen)",
	"the receiver was configured, and still does not send the messages it was asked for": "der Empfänger wurde eingestellt und sendet noch " +
		"immer nicht, was er soll",
	"let it send UBX on this port (CFG-PRT, or the key CFG-UART1OUTPROT-UBX)": "ihn auf dieser Schnittstelle UBX senden lassen (CFG-PRT oder " +
		"CFG-UART1OUTPROT-UBX)",
	"%s of %s pulses of the last minute are missing":        "%s von %s Pulsen der letzten Minute fehlen",
	"check the receiver's fix, its supply and the wire":     "Fix und Versorgung des Empfängers und die Leitung prüfen",
	"%s edges besides the %s pulses of the last minute":     "%s Flanken neben den %s Pulsen der letzten Minute",
	"set the receiver's time pulse to 1 Hz":                 "den Zeitpuls des Empfängers auf 1 Hz stellen",
	"keep the wire short and away from others, or set bias": "die Leitung kurz halten, weg von anderen, oder bias setzen",
	"the receiver's output does not change any more: the transmitter is off, or the receiver is": "der Ausgang des Empfängers ändert sich " +
		"nicht mehr: der Sender ist aus, oder der Empfänger",
	"look whether others report a shut-down":                             "nachsehen, ob andere eine Abschaltung melden",
	"check the receiver's supply and antenna":                            "Versorgung und Antenne des Empfängers prüfen",
	"the transmitter calls for service (a fault, or works, on its side)": "der Sender ruft nach Wartung (Störung oder Arbeiten auf seiner Seite)",
	"nothing to do here":                                                 "hier ist nichts zu tun",
	"expect interruptions":                                               "mit Unterbrechungen rechnen",

	// What became of an action
	"saved as %s":                 "gespeichert als %s",
	"acknowledged %s":             "%s quittiert",
	"no contact with the station": "kein Kontakt zur Station",
}
