package guard

import "timestation/engine/status"

// Words is a text in each language the reference is written in.
type Words struct{ English string }

// Entry explains one code of alert, for the reference.
type Entry struct {
	Code string
	// Severity is the worst that the alert is raised with.
	Severity status.Severity
	// Once: it tells of something past and has no end of its own; acknowledging it is the end.
	Once          bool
	Meaning, Mend Words
}

// Lookup finds an entry by code.
func Lookup(code string) (Entry, bool) {
	for _, e := range Catalogue {
		if e.Code == code {
			return e, true
		}
	}
	return Entry{}, false
}

// Catalogue is every alert the station itself raises, by code. Drivers may add their own through refclock.Alarm.
var Catalogue = []Entry{
	{Code: "clock-not-permitted", Severity: status.Warning,
		Meaning: Words{"The system clock should be steered, and the kernel does not allow it; it runs free."},
		Mend:    Words{"give the service CAP_SYS_TIME by a systemd drop-in, or write discipline = \"none\""}},
	{Code: "clock-shared", Severity: status.Warning,
		Meaning: Words{"Another program steers or sets the system clock that the station steers."},
		Mend:    Words{"stop and disable it: systemd-timesyncd, chrony, ntpsec or openntpd"}},
	{Code: "drift-beyond-limits", Severity: status.Critical,
		Meaning: Words{"Two sources have drifted apart by more than their stated limits together allow: one of them is " +
			"wrong, slowly, as a receiver is that is being led astray."},
		Mend: Words{"compare both with a third clock; take the one that is named out of service until it is explained"}},
	{Code: "drift-suspected", Severity: status.Warning,
		Meaning: Words{"Two sources drift apart steadily and more than their noise explains, though still within their limits."},
		Mend:    Words{"watch it; if it goes on, compare both with a third clock"}},
	{Code: "falseticker", Severity: status.Warning,
		Meaning: Words{"A source disagrees with the majority by more than both error bounds allow."},
		Mend:    Words{"find out which source is right before you trust either"}},
	{Code: "feed-failing", Severity: status.Warning,
		Meaning: Words{"Another program on this machine cannot be given the time."},
		Mend:    Words{"start that program, or correct the path and the rights of its socket or memory"}},
	{Code: "holdover", Severity: status.Warning,
		Meaning: Words{"No source can be followed; the oscillator carries the time and the error bound grows."},
		Mend:    Words{"check the antenna, its cable and the receiver"}},
	{Code: "jump-followed", Severity: status.Warning, Once: true,
		Meaning: Words{"A source moved by less than the limit and is followed; the jump stands in its error bound for a day."},
		Mend:    Words{"compare it with another clock if it happens again"}},
	{Code: "jump-latched", Severity: status.Critical,
		Meaning: Words{"A source, or all of them together, jumped by more than the limit and is not followed."},
		Mend: Words{"compare it with another clock: a receiver that is spoofed does this. If its new time is right, " +
			"accept the jump: timestation accept-jump"}},
	{Code: "leap-disputed", Severity: status.Critical,
		Meaning: Words{"The sources and the leap second list do not agree on whether a leap second ends this month."},
		Mend:    Words{"look it up in IERS Bulletin C, and set clock.leap accordingly"}},
	{Code: "leap-file", Severity: status.Warning,
		Meaning: Words{"A leap-seconds.list on disk is damaged or contradicts history, and is not used."},
		Mend:    Words{"fetch it again, or update the package tzdata"}},
	{Code: "leap-list", Severity: status.Critical,
		Meaning: Words{"The leap second list expires within 60 days, or has expired."},
		Mend:    Words{"update the package tzdata, or Timestation"}},
	{Code: "logbook-damaged", Severity: status.Warning, Once: true,
		Meaning: Words{"The log file was damaged; it was set aside and a new one begun."},
		Mend:    Words{"sqlite3 with .recover brings most of it back; suspect the SD card or disk"}},
	{Code: "logbook-failing", Severity: status.Warning,
		Meaning: Words{"The log cannot be written; rows wait in memory."},
		Mend:    Words{"make room on the disk, or correct the folder's owner"}},
	{Code: "nts-keys", Severity: status.Warning,
		Meaning: Words{"The master keys of the NTS cookies cannot be written to disk."},
		Mend:    Words{"make room on the disk, or correct the data folder's owner"}},
	{Code: "rate-break", Severity: status.Critical,
		Meaning: Words{"The rate between a source and the oscillator changed by more than the oscillator is assumed to " +
			"wander, and no independent source tells which of the two it was."},
		Mend: Words{"compare the station with another clock; a second, independent source would tell"}},
	{Code: "remote-write-failing", Severity: status.Warning,
		Meaning: Words{"The remote logbook cannot be reached; the queue grows."},
		Mend:    Words{"check the network and the address"}},
	{Code: "remote-write-refused", Severity: status.Warning,
		Meaning: Words{"The remote logbook refuses what is sent; it is dropped."},
		Mend:    Words{"look at the reason it gave; the version or the key does not fit"}},
	{Code: "source-jump", Severity: status.Critical,
		Meaning: Words{"A source jumped against its own past and is not followed."},
		Mend:    Words{"compare it with another clock: a receiver that is spoofed does this"}},
	{Code: "source-lost", Severity: status.Warning,
		Meaning: Words{"A source's device is gone or cannot be opened."},
		Mend:    Words{"plug it in again, or correct its section of the configuration; it is tried again by itself"}},
	{Code: "source-no-time", Severity: status.Warning,
		Meaning: Words{"A source is heard but gives no time that may be used."},
		Mend:    Words{"check the antenna and its view of the sky"}},
	{Code: "state-damaged", Severity: status.Warning, Once: true,
		Meaning: Words{"The file that carries the station's state over a restart was damaged and set aside."},
		Mend:    Words{"look at the alerts and the jump latch of the file that was set aside; suspect the SD card or disk"}},
	{Code: "state-failing", Severity: status.Warning,
		Meaning: Words{"What was learned cannot be kept over a restart: the state file cannot be written."},
		Mend:    Words{"make room on the disk, or correct the data folder's owner"}},
	{Code: "too-many-alerts", Severity: status.Warning,
		Meaning: Words{"So many alerts stand that further ones are not listed."},
		Mend:    Words{"clear up the ones that are listed first"}},
	{Code: "unsynchronised", Severity: status.Critical,
		Meaning: Words{"The station does not know the time, says so everywhere and serves none."},
		Mend:    Words{"look at the sources; the first that is silent or outvoted is the cause"}},
}
