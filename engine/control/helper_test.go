package control

import (
	"net/netip"
	"time"

	"timestation/engine/status"
	"timestation/refclock"
)

// fixed is a station that stands still.
type fixed struct {
	status  *status.Status
	now     refclock.Stamp
	clients []status.Client
	served  Served
}

func (f *fixed) Status() *status.Status { return f.status }
func (f *fixed) Now() refclock.Stamp    { return f.now }
func (f *fixed) Served() Served         { return f.served }

func (f *fixed) Clients() []status.Client { return append([]status.Client{}, f.clients...) }

// stationUTC is when the model of testStation was made, and localSlow how slow the system clock was then.
var stationUTC = refclock.Date(2026, 11, 22, 13, 8, 37, 250_000_000)

const localSlow = 12_345_678 * time.Nanosecond

// testStation follows a satellite receiver; a pulse and a server agree, and one source of each sorry state is there.
func testStation() *fixed {
	epoch := refclock.Stamp(stationUTC.Seconds*1e9 + int64(stationUTC.Nanoseconds)).Add(-localSlow)
	instant := stationUTC.Instant(37)
	s := &status.Status{
		Generation: 7, Epoch: epoch, EpochInstant: instant, FrequencyPPM: 12.345,
		Uncertainty95: 40 * time.Microsecond, Uncertainty95Growth: 0.25e-6, MaxError: 1500 * time.Microsecond,
		MaxErrorLimit: time.Second, State: status.Synchronised, Stratum: 1, ReferenceID: [4]byte{'G', 'P', 'S'},
		ReferenceTime: instant.Add(-750 * time.Millisecond), Selected: "gps0", Leap: refclock.LeapNone,
		Sources: []status.Source{
			{Name: "gps0", Driver: "gps", Receiver: "ublox", State: status.Selected, OffsetSeconds: 123.4e-6,
				JitterSeconds: 20e-6, MaxErrorSeconds: 1.5e-3, AgeSeconds: 0.75, Samples: 900,
				Signal: refclock.Signal{State: refclock.Timing, GNSS: &refclock.GNSS{Fix: refclock.Fix3D, ChecksumErrors: 3}}},
			{Name: "pps", Driver: "pps", State: status.Agreeing, OffsetSeconds: -1.5e-6, JitterSeconds: 0.8e-6,
				MaxErrorSeconds: 30e-6, AgeSeconds: 0.2, Samples: 890, Signal: refclock.Signal{Pulses: &refclock.Pulses{}}},
			{Name: "office", Driver: "upstream", State: status.Agreeing, OffsetSeconds: 3.2e-3, JitterSeconds: 0.4e-3,
				MaxErrorSeconds: 9e-3, AgeSeconds: 17, Samples: 44, Signal: refclock.Signal{Server: &refclock.Server{
					Address: "192.0.2.17:123", Stratum: 2, ReferenceID: "198.51.100.9", Authenticated: true, Protection: "AES128",
					DelaySeconds: 8.5e-3, RootDelay: 2e-3, RootDispersion: 1e-3, PollSeconds: 64, Reach: 0o377, KernelStamps: true}}},
			{Name: "dcf77-cellar", Driver: "dcf77", State: status.Falseticker, OffsetSeconds: 2.5, MaxErrorSeconds: 5e-3,
				AgeSeconds: 40, Samples: 12, Signal: refclock.Signal{Radio: &refclock.Radio{}}},
			{Name: "gps0 roof", Driver: "gps", State: status.Silent, AgeSeconds: -1},
		},
	}
	return &fixed{
		status: s, now: epoch.Add(500 * time.Millisecond),
		clients: []status.Client{
			{Address: netip.MustParseAddr("192.0.2.200"), Requests: 500, Answered: 490, Refused: 10,
				FirstSeen: epoch.Add(-1003 * time.Second), LastSeen: epoch.Add(-3 * time.Second)},
			{Address: netip.MustParseAddr("2001:db8::5"), Requests: 20, Answered: 20,
				FirstSeen: epoch.Add(-1370 * time.Second), LastSeen: epoch.Add(-90 * time.Second)},
			{Address: netip.MustParseAddr("fe80::7%eth0"), Requests: 3, Answered: 3,
				FirstSeen: epoch.Add(-20 * time.Second), LastSeen: epoch.Add(-20 * time.Second)},
		},
		served: Served{
			Precision: -24,
			Requests:  1050, Answered: 1000, Authenticated: 40, Interleaved: 7, Kisses: 6,
			KeyExchanges: 5, KeyExchangesFailed: 1,
			Dropped: map[string]uint64{"denied": 30, "malformed": 4, "version": 1, "bad-mac": 9, "unknown-key": 2, "late": 4},
		},
	}
}

// manyClients gives addresses that were last seen one after the other, some at the same moment.
func manyClients(n int) (all []status.Client) {
	address := netip.MustParseAddr("2001:db8::1")
	last := refclock.Stamp(stationUTC.Seconds * 1e9).Add(-time.Hour)
	for i := range n {
		all = append(all, status.Client{Address: address, Requests: uint64(i%50 + 1), LastSeen: last})
		address = address.Next()
		last = last.Add(time.Duration(i%3) * time.Millisecond)
	}
	return all
}
