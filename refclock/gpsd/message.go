package gpsd

import (
	"encoding/json"
	"fmt"

	"timestation/refclock"
)

// message is what is read of gpsd's objects (gpsd_json(5)); of each class only some fields are there.
type message struct {
	Class  string `json:"class"`
	Device string `json:"device"`

	// VERSION
	Release       string `json:"release"`
	ProtocolMajor int    `json:"proto_major"`

	// DEVICES lists all, DEVICE changes one.
	Devices []struct {
		Path string `json:"path"`
	} `json:"devices"`
	Path   string `json:"path"`
	Driver string `json:"driver"`

	// TPV. Time is left as it stands: SKY may have another shape of it in old versions.
	Time        json.RawMessage `json:"time"`
	Mode        int             `json:"mode"`
	Status      int             `json:"status"`
	LeapSeconds *int            `json:"leapseconds"`
	Latitude    float64         `json:"lat"`
	Longitude   float64         `json:"lon"`
	AltitudeMSL *float64        `json:"altMSL"`
	Altitude    *float64        `json:"alt"` // until gpsd 3.20

	// SKY
	Used       *int        `json:"uSat"`
	Satellites []satellite `json:"satellites"`

	// TOFF and PPS: the receiver's time and the machine's at the same moment. real_nsec may be negative.
	RealSeconds      *int64 `json:"real_sec"`
	RealNanoseconds  int64  `json:"real_nsec"`
	ClockSeconds     *int64 `json:"clock_sec"`
	ClockNanoseconds int64  `json:"clock_nsec"`

	// ERROR
	Text string `json:"message"`
}

type satellite struct {
	PRN       int      `json:"PRN"`
	System    *int     `json:"gnssid"`
	Number    int      `json:"svid"`
	Elevation *float64 `json:"el"`
	Azimuth   *float64 `json:"az"`
	Strength  float64  `json:"ss"` // C/N0 in dB-Hz
	Used      bool     `json:"used"`
}

// The status of a TPV that matter here.
const (
	statusTime      = 7 // surveyed-in: the receiver solves for time alone
	statusSimulated = 8
)

func parse(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, err
	}
	if m.Class == "" {
		return message{}, fmt.Errorf("there is no class in it")
	}
	return m, nil
}

// utc is the time of a TPV, false where it has none.
func (m message) utc() (refclock.UTC, bool) {
	var text string
	var u refclock.UTC
	if json.Unmarshal(m.Time, &text) != nil || u.UnmarshalText([]byte(text)) != nil {
		return refclock.UTC{}, false
	}
	return u, true
}

// farthest is the last second that nanoseconds of 64 bits can hold.
const farthest = 1<<63/1_000_000_000 - 1

// real is the receiver's time of a TOFF or PPS, clock the stamp of the machine.
func (m message) real() (u refclock.UTC, clock refclock.Stamp, ok bool) {
	const most = 1_000_000_000
	if m.RealSeconds == nil || m.ClockSeconds == nil || *m.RealSeconds <= 0 || *m.RealSeconds >= farthest ||
		*m.ClockSeconds <= -farthest || *m.ClockSeconds >= farthest ||
		m.RealNanoseconds <= -most || m.RealNanoseconds >= most || m.ClockNanoseconds < 0 || m.ClockNanoseconds >= most {
		return refclock.UTC{}, 0, false
	}
	u = refclock.UTC{Seconds: *m.RealSeconds, Nanoseconds: int32(m.RealNanoseconds)}
	if u.Nanoseconds < 0 {
		u.Seconds, u.Nanoseconds = u.Seconds-1, u.Nanoseconds+1e9
	}
	return u, refclock.Stamp(*m.ClockSeconds*1e9 + m.ClockNanoseconds), true
}

// constellations by gpsd's gnssid; 4 is IMES, which tells no time.
var constellations = map[int]string{0: "GPS", 1: "SBAS", 2: "Galileo", 3: "BeiDou", 5: "QZSS", 6: "GLONASS", 7: "NavIC"}

// satellites lists each once: gpsd has one for each signal.
func (m message) satellites() []refclock.Satellite {
	type id struct{ system, number int }
	at := map[id]int{}
	all := []refclock.Satellite{}
	for _, s := range m.Satellites {
		found := refclock.Satellite{PRN: s.Number, Elevation: -1, Azimuth: -1, CN0: s.Strength, Used: s.Used}
		key := id{-1, s.PRN}
		if s.System != nil {
			key = id{*s.System, s.Number}
			found.Constellation = constellations[*s.System]
		} else {
			found.PRN = s.PRN
		}
		if s.Elevation != nil && s.Azimuth != nil {
			found.Elevation, found.Azimuth = int(*s.Elevation), int(*s.Azimuth)
		}
		if i, known := at[key]; known {
			all[i].CN0, all[i].Used = max(all[i].CN0, found.CN0), all[i].Used || found.Used
			continue
		}
		at[key] = len(all)
		all = append(all, found)
	}
	return all
}
