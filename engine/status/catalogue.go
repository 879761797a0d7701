package status

// AlertCatalogue is every alert that the station or one of its drivers raises, by code.
var AlertCatalogue = []AlertEntry{
	{Code: "antenna-open", Severity: Warning,
		Meaning: Words{
			"No current flows into the antenna line: the cable is broken or off, or the antenna is a passive one.",
			"Durch die Antennenleitung fließt kein Strom: das Kabel ist gebrochen oder ab, oder die Antenne ist " +
				"passiv.",
		},
		Mend: Words{
			"check the antenna's plug and cable",
			"Stecker und Kabel der Antenne prüfen",
		}},
	{Code: "antenna-short", Severity: Warning,
		Meaning: Words{
			"The antenna line is shorted.",
			"Die Antennenleitung hat einen Kurzschluss.",
		},
		Mend: Words{
			"check the antenna's plug and cable",
			"Stecker und Kabel der Antenne prüfen",
		}},
	{Code: "call-bit", Severity: Warning,
		Meaning: Words{
			"A long-wave transmitter calls for service: a fault, or works, on its side.",
			"Ein Langwellensender ruft nach Wartung: eine Störung, oder Arbeiten, auf seiner Seite.",
		},
		Mend: Words{
			"nothing to do here; expect interruptions",
			"hier ist nichts zu tun; mit Unterbrechungen rechnen",
		}},
	{Code: "clock-not-permitted", Severity: Warning,
		Meaning: Words{
			"The system clock should be steered, and the kernel does not allow it; it runs free.",
			"Die Systemuhr soll geregelt werden, und der Kern lässt es nicht zu; sie läuft frei.",
		},
		Mend: Words{
			"give the service CAP_SYS_TIME by a systemd drop-in, or write discipline = \"none\"",
			"dem Dienst mit einem systemd-Drop-in CAP_SYS_TIME geben, oder discipline = \"none\" schreiben",
		}},
	{Code: "clock-shared", Severity: Warning,
		Meaning: Words{
			"Another program steers or sets the system clock that the station steers.",
			"Ein anderes Programm regelt oder stellt die Systemuhr, die die Station regelt.",
		},
		Mend: Words{
			"stop and disable it: systemd-timesyncd, chrony, ntpsec or openntpd",
			"es anhalten und abschalten: systemd-timesyncd, chrony, ntpsec oder openntpd",
		}},
	{Code: "drift-beyond-limits", Severity: Critical,
		Meaning: Words{
			"Two sources have drifted apart by more than their stated limits together allow: one of them is " +
				"wrong, slowly, as a receiver is that is being led astray.",
			"Zwei Quellen sind weiter auseinandergelaufen, als ihre angegebenen Grenzen zusammen erlauben: eine von " +
				"ihnen geht falsch, langsam, so wie ein Empfänger, der irregeführt wird.",
		},
		Mend: Words{
			"compare both with a third clock; take the one that is named out of service until it is explained",
			"beide mit einer dritten Uhr vergleichen; die genannte außer Betrieb nehmen, bis es erklärt ist",
		}},
	{Code: "drift-suspected", Severity: Warning,
		Meaning: Words{
			"Two sources drift apart steadily and more than their noise explains, though still within their limits.",
			"Zwei Quellen laufen stetig auseinander und stärker, als ihr Rauschen erklärt, wenn auch noch innerhalb " +
				"ihrer Grenzen.",
		},
		Mend: Words{
			"watch it; if it goes on, compare both with a third clock",
			"im Auge behalten; wenn es weitergeht, beide mit einer dritten Uhr vergleichen",
		}},
	{Code: "extra-pulses", Severity: Critical,
		Meaning: Words{
			"There are edges besides the pulses of the second; if there are as many, nobody can tell which are the " +
				"seconds.",
			"Neben den Sekundenpulsen gibt es weitere Flanken; sind es ebenso viele, weiß niemand, welche die " +
				"Sekunden sind.",
		},
		Mend: Words{
			"set the receiver's time pulse to 1 Hz; keep the wire short and away from others, or set bias",
			"den Zeitpuls des Empfängers auf 1 Hz stellen; die Leitung kurz und fern von anderen führen, oder bias " +
				"setzen",
		}},
	{Code: "falseticker", Severity: Warning,
		Meaning: Words{
			"A source disagrees with the majority by more than both error bounds allow.",
			"Eine Quelle weicht von der Mehrheit um mehr ab, als beide Fehlerschranken erlauben.",
		},
		Mend: Words{
			"find out which source is right before you trust either",
			"herausfinden, welche Quelle recht hat, bevor man einer traut",
		}},
	{Code: "feed-failing", Severity: Warning,
		Meaning: Words{
			"Another program on this machine cannot be given the time.",
			"Einem anderen Programm auf diesem Rechner kann die Zeit nicht übergeben werden.",
		},
		Mend: Words{
			"start that program, or correct the path and the rights of its socket or memory",
			"das Programm starten, oder Pfad und Rechte seines Sockets oder Speichers berichtigen",
		}},
	{Code: "gpio-line", Severity: Warning,
		Meaning: Words{
			"A GPIO line that works an on-air light, or follows one, cannot be used.",
			"Eine GPIO-Leitung, die eine Signallampe schaltet oder ihr folgt, ist nicht benutzbar.",
		},
		Mend: Words{
			"correct the [[light]] section's input or output, or stop the program that uses the line",
			"input oder output im Abschnitt [[light]] berichtigen, oder das Programm beenden, das die Leitung benutzt",
		}},
	{Code: "holdover", Severity: Warning,
		Meaning: Words{
			"No source can be followed; the oscillator carries the time and the error bound grows.",
			"Keiner Quelle kann gefolgt werden; der Oszillator trägt die Zeit, und die Fehlerschranke wächst.",
		},
		Mend: Words{
			"check the antenna, its cable and the receiver",
			"Antenne, Kabel und Empfänger prüfen",
		}},
	{Code: "jamming", Severity: Warning,
		Meaning: Words{
			"A satellite receiver hears interference, or is drowned by it.",
			"Ein Satellitenempfänger hört Störungen oder geht in ihnen unter.",
		},
		Mend: Words{
			"look for a transmitter, a cheap active antenna or a USB 3 cable near the antenna",
			"nahe der Antenne nach einem Sender, einer billigen aktiven Antenne oder einem USB-3-Kabel suchen",
		}},
	{Code: "jump-followed", Severity: Warning, Once: true,
		Meaning: Words{
			"A source moved by less than the limit and is followed; the jump stands in its error bound for a day.",
			"Eine Quelle sprang um weniger als die Grenze, und ihr wird gefolgt; der Sprung steht einen Tag lang in " +
				"ihrer Fehlerschranke.",
		},
		Mend: Words{
			"compare it with another clock if it happens again",
			"mit einer anderen Uhr vergleichen, wenn es wieder vorkommt",
		}},
	{Code: "jump-latched", Severity: Critical,
		Meaning: Words{
			"A source, or all of them together, jumped by more than the limit and is not followed.",
			"Eine Quelle, oder alle zusammen, sprangen um mehr als die Grenze; ihnen wird nicht gefolgt.",
		},
		Mend: Words{
			"compare it with another clock: a receiver that is spoofed does this. If its new time is right, " +
				"accept the jump: timestation accept-jump",
			"mit einer anderen Uhr vergleichen: ein getäuschter Empfänger tut das. Stimmt die neue Zeit, den Sprung " +
				"annehmen: timestation accept-jump",
		}},
	{Code: "leap-disputed", Severity: Critical,
		Meaning: Words{
			"The sources and the leap second list do not agree on whether a leap second ends this month.",
			"Die Quellen und die Liste der Schaltsekunden sind uneins, ob dieser Monat mit einer Schaltsekunde endet.",
		},
		Mend: Words{
			"look it up in IERS Bulletin C, and set leap_second in the [clock] section",
			"im IERS Bulletin C nachsehen und leap_second im Abschnitt [clock] setzen",
		}},
	{Code: "leap-file", Severity: Warning,
		Meaning: Words{
			"A leap-seconds.list on disk is damaged or contradicts history, and is not used.",
			"Eine leap-seconds.list ist beschädigt oder widerspricht der Geschichte und wird nicht benutzt.",
		},
		Mend: Words{
			"fetch it again, or update the package tzdata",
			"neu holen, oder das Paket tzdata auffrischen",
		}},
	{Code: "leap-list", Severity: Critical,
		Meaning: Words{
			"The leap second list expires within 60 days, or has expired.",
			"Die Liste der Schaltsekunden läuft in weniger als 60 Tagen ab oder ist abgelaufen.",
		},
		Mend: Words{
			"update the package tzdata, or Timestation",
			"das Paket tzdata auffrischen, oder Timestation",
		}},
	{Code: "logbook-damaged", Severity: Warning, Once: true,
		Meaning: Words{
			"The log file was damaged; it was set aside and a new one begun.",
			"Die Logdatei war beschädigt; sie wurde beiseite gelegt und eine neue begonnen.",
		},
		Mend: Words{
			"sqlite3 with .recover brings most of it back; suspect the SD card or disk",
			"sqlite3 holt mit .recover das meiste zurück; SD-Karte oder Platte verdächtigen",
		}},
	{Code: "logbook-failing", Severity: Warning,
		Meaning: Words{
			"The log cannot be written; rows wait in memory.",
			"Das Log kann nicht geschrieben werden; Zeilen warten im Speicher.",
		},
		Mend: Words{
			"make room on the disk, or correct the folder's owner",
			"Platz auf der Platte schaffen, oder den Eigentümer des Ordners berichtigen",
		}},
	{Code: "missing-pulses", Severity: Warning,
		Meaning: Words{
			"A good part of the pulses of the second is missing.",
			"Ein guter Teil der Sekundenpulse fehlt.",
		},
		Mend: Words{
			"check the receiver's fix, its supply and the wire",
			"Fix und Versorgung des Empfängers und die Leitung prüfen",
		}},
	{Code: "no-carrier", Severity: Warning,
		Meaning: Words{
			"A long-wave receiver's output does not change any more: the transmitter is off, or the receiver is.",
			"Der Ausgang eines Langwellenempfängers ändert sich nicht mehr: der Sender ist aus, oder der Empfänger.",
		},
		Mend: Words{
			"look whether others report a shut-down; check the receiver's supply and antenna",
			"nachsehen, ob andere eine Abschaltung melden; Versorgung und Antenne des Empfängers prüfen",
		}},
	{Code: "not-configured", Severity: Warning,
		Meaning: Words{
			"A receiver could not be set up as configured, and runs as it is.",
			"Ein Empfänger ließ sich nicht wie konfiguriert einstellen und läuft, wie er ist.",
		},
		Mend: Words{
			"follow what the alert says about its port",
			"befolgen, was die Meldung über seinen Anschluss sagt",
		}},
	{Code: "notify-failing", Severity: Warning,
		Meaning: Words{
			"Messages do not reach one of the places that are to hear of alerts; they wait on disk.",
			"Meldungen erreichen eine der Stellen nicht, die von ihnen hören sollen; sie warten auf der Platte.",
		},
		Mend: Words{
			"look at the reason given, and try with: timestation alerts test NAME",
			"den genannten Grund ansehen und probieren mit: timestation alerts test NAME",
		}},
	{Code: "nts-keys", Severity: Warning,
		Meaning: Words{
			"The master keys of the NTS cookies cannot be written to disk.",
			"Die Hauptschlüssel der NTS-Cookies können nicht auf die Platte geschrieben werden.",
		},
		Mend: Words{
			"make room on the disk, or correct the data folder's owner",
			"Platz auf der Platte schaffen, oder den Eigentümer des Datenordners berichtigen",
		}},
	{Code: "pulse-width", Severity: Warning,
		Meaning: Words{
			"The pulse is not as long as configured.",
			"Der Puls ist nicht so lang wie konfiguriert.",
		},
		Mend: Words{
			"find out which pulse this is: receivers change its length when they lose the fix",
			"herausfinden, welcher Puls das ist: Empfänger ändern seine Länge, wenn sie den Fix verlieren",
		}},
	{Code: "rate-break", Severity: Critical,
		Meaning: Words{
			"The rate between a source and the oscillator changed by more than the oscillator is assumed to " +
				"wander, and no independent source tells which of the two it was.",
			"Der Gang zwischen einer Quelle und dem Oszillator änderte sich stärker, als der Oszillator wandern darf, " +
				"und keine unabhängige Quelle sagt, welcher von beiden es war.",
		},
		Mend: Words{
			"compare the station with another clock; a second, independent source would tell",
			"die Station mit einer anderen Uhr vergleichen; eine zweite, unabhängige Quelle wüsste es",
		}},
	{Code: "remote-write-failing", Severity: Warning,
		Meaning: Words{
			"The remote logbook cannot be reached; the queue grows.",
			"Das entfernte Log ist nicht erreichbar; die Warteschlange wächst.",
		},
		Mend: Words{
			"check the network and the address",
			"Netz und Adresse prüfen",
		}},
	{Code: "remote-write-refused", Severity: Warning,
		Meaning: Words{
			"The remote logbook refuses what is sent; it is dropped.",
			"Das entfernte Log weist zurück, was gesendet wird; es wird verworfen.",
		},
		Mend: Words{
			"look at the reason it gave; the version or the key does not fit",
			"den genannten Grund ansehen; Version oder Schlüssel passen nicht",
		}},
	{Code: "screen-failing", Severity: Warning,
		Meaning: Words{
			"The screen's process ended and is started again; time is served all the while.",
			"Der Prozess der Anzeige endete und wird neu gestartet; die Zeit wird dabei weiter ausgegeben.",
		},
		Mend: Words{
			"look for its last words in the log: journalctl -u timestation",
			"seine letzten Worte im Protokoll suchen: journalctl -u timestation",
		}},
	{Code: "simulated", Severity: Critical,
		Meaning: Words{
			"A receiver says that its signal is simulated.",
			"Ein Empfänger sagt, dass sein Signal simuliert ist.",
		},
		Mend: Words{
			"it is of no use for a clock; take the simulator off",
			"für eine Uhr taugt er nicht; den Simulator abnehmen",
		}},
	{Code: "source-jump", Severity: Critical,
		Meaning: Words{
			"A source jumped against its own past and is not followed.",
			"Eine Quelle sprang gegen ihre eigene Vergangenheit; ihr wird nicht gefolgt.",
		},
		Mend: Words{
			"compare it with another clock: a receiver that is spoofed does this",
			"mit einer anderen Uhr vergleichen: ein getäuschter Empfänger tut das",
		}},
	{Code: "source-lost", Severity: Warning,
		Meaning: Words{
			"A source's device is gone or cannot be opened.",
			"Das Gerät einer Quelle ist weg oder lässt sich nicht öffnen.",
		},
		Mend: Words{
			"plug it in again, or correct its section of the configuration; it is tried again by itself",
			"wieder einstecken, oder seinen Abschnitt der Konfiguration berichtigen; es wird von selbst wieder " +
				"versucht",
		}},
	{Code: "source-no-time", Severity: Warning,
		Meaning: Words{
			"A source is heard but gives no time that may be used.",
			"Eine Quelle ist zu hören, gibt aber keine brauchbare Zeit.",
		},
		Mend: Words{
			"check the antenna and its view of the sky",
			"die Antenne und ihre Sicht zum Himmel prüfen",
		}},
	{Code: "spoofing", Severity: Critical,
		Meaning: Words{
			"A satellite receiver suspects, or is sure, that its signals are not from satellites.",
			"Ein Satellitenempfänger vermutet, oder ist sicher, dass seine Signale nicht von Satelliten stammen.",
		},
		Mend: Words{
			"compare with another source; look for a repeater or a simulator nearby",
			"mit einer anderen Quelle vergleichen; in der Nähe nach einem Repeater oder Simulator suchen",
		}},
	{Code: "state-damaged", Severity: Warning, Once: true,
		Meaning: Words{
			"The file that carries the station's state over a restart was damaged and set aside.",
			"Die Datei, die den Zustand der Station über einen Neustart trägt, war beschädigt und wurde beiseite " +
				"gelegt.",
		},
		Mend: Words{
			"look at the alerts and the jump latch of the file that was set aside; suspect the SD card or disk",
			"die Meldungen und die Sprungsperre in der beiseite gelegten Datei ansehen; SD-Karte oder Platte " +
				"verdächtigen",
		}},
	{Code: "state-failing", Severity: Warning,
		Meaning: Words{
			"What was learned cannot be kept over a restart: the state file cannot be written.",
			"Das Gelernte kann nicht über einen Neustart bewahrt werden: die Zustandsdatei lässt sich nicht " +
				"schreiben.",
		},
		Mend: Words{
			"make room on the disk, or correct the data folder's owner",
			"Platz auf der Platte schaffen, oder den Eigentümer des Datenordners berichtigen",
		}},
	{Code: "too-many-alerts", Severity: Warning,
		Meaning: Words{
			"So many alerts stand that further ones are not listed.",
			"So viele Meldungen stehen an, dass weitere nicht mehr geführt werden.",
		},
		Mend: Words{
			"clear up the ones that are listed first",
			"zuerst die geführten erledigen",
		}},
	{Code: "unsynchronised", Severity: Critical,
		Meaning: Words{
			"The station does not know the time, says so everywhere and serves none.",
			"Die Station kennt die Zeit nicht, sagt es überall und gibt keine aus.",
		},
		Mend: Words{
			"look at the sources; the first that is silent or outvoted is the cause",
			"die Quellen ansehen; die erste, die schweigt oder überstimmt ist, ist die Ursache",
		}},
	{Code: "wrong-edge", Severity: Critical,
		Meaning: Words{
			"The edge that is taken for the second is, or may be, the end of the pulse; the time is wrong by its " +
				"width.",
			"Die Flanke, die als Sekunde gilt, ist oder könnte das Ende des Pulses sein; die Zeit ist um dessen Länge " +
				"falsch.",
		},
		Mend: Words{
			"set edge to the other one; if the pulse really is so long, say so with width_seconds",
			"edge auf die andere setzen; ist der Puls wirklich so lang, es mit width_seconds sagen",
		}},
}
