package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/adrianmo/go-nmea"
)

// TestRestamp: only date, time and checksum change.
func TestRestamp(t *testing.T) {
	now := time.Date(2026, time.November, 2, 3, 4, 5, 999, time.UTC)
	for in, want := range map[string]string{
		"$GNRMC,223745.00,A,3806.62964,N,12237.61382,W,0.040,,110720,,,D,V*0E": "$GNRMC,030405.00,A,3806.62964,N,12237.61382,W,0.040,,021126,,,D,V",
		"$GNZDA,223745.00,11,07,2020,00,00*7B":                                 "$GNZDA,030405.00,02,11,2026,00,00",
		"$GNGLL,3806.62964,N,12237.61382,W,223745.00,A,D*64":                   "$GNGLL,3806.62964,N,12237.61382,W,030405.00,A,D",
		"$GPRMC,,V,,,,,,,,,,N*53":                                              "$GPRMC,,V,,,,,,,,,,N",
		"$PMTK010,001*2E":                                                      "$PMTK010,001",
	} {
		got := restamp(in, now)
		if want += "*" + nmea.Checksum(want[1:]) + "\r\n"; got != want {
			t.Errorf("%s\n%s, want\n%s", in, got, want)
		}
	}
}

// TestStandard: the embedded recording is 61 bursts; every sentence in them keeps its content and gets the one time.
func TestStandard(t *testing.T) {
	bursts, err := split(Standard())
	if err != nil {
		t.Fatal(err)
	}
	if len(bursts) != 61 {
		t.Errorf("%d bursts", len(bursts))
	}
	now := time.Date(2026, time.November, 2, 3, 4, 5, 0, time.UTC)
	for _, b := range bursts {
		for _, sentence := range b.sentences {
			stamped := restamp(sentence, now)
			body, sum, _ := strings.Cut(strings.TrimSpace(stamped)[1:], "*")
			if sum != nmea.Checksum(body) || len(stamped) != len(sentence)+2 {
				t.Errorf("%s became %s", sentence, stamped)
			}
			if timed := timeFields[kind(sentence)] > 0; timed != (stamped != sentence+"\r\n") || timed != strings.Contains(stamped, ",030405.00") {
				t.Errorf("%s became %s", sentence, stamped)
			}
		}
	}
	if _, err := split([]byte("# nothing\n$PMTK010,001*2E\n")); err == nil {
		t.Error("a recording without a time is taken")
	}
}
