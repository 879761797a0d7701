package notify

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"time"

	"timestation/app/notify/snmp"
	"timestation/engine/status"
	"timestation/refclock"
)

// The identifiers of RFC 5907 (NTPv4-MIB, mib-2 197), below ntpSnmpMIB.
var (
	ntpMIB           = []uint32{1, 3, 6, 1, 2, 1, 197}
	ntpNotifications = below(ntpMIB, 0)
	ntpEntInfo       = below(ntpMIB, 1, 1)
	ntpEntStatus     = below(ntpMIB, 1, 2)
	ntpAssociation   = below(ntpMIB, 1, 3, 1, 1)
	ntpEntControl    = below(ntpMIB, 1, 4)
	ntpEntMessage    = below(ntpMIB, 1, 5, 1)
)

// The objects of ntpEntStatus that notifications carry.
const (
	objectMode     = 1
	objectStratum  = 2
	objectSourceID = 3
	objectDateTime = 9
)

// The notifications of RFC 5907.
const (
	notifMode              = 1
	notifStratum           = 2
	notifSource            = 3
	notifAddAssociation    = 4
	notifRemoveAssociation = 5
	notifLeap              = 7
	notifHeartbeat         = 8
)

// The values of ntpEntStatusCurrentMode.
const (
	modeNotSynchronised = 2
	modeSyncToLocal     = 4
	modeSyncToRefclock  = 5
	modeSyncToRemote    = 6
)

// below gives an identifier under another.
func below(id []uint32, more ...uint32) []uint32 { return append(id[:len(id):len(id)], more...) }

// mibMode is ntpEntStatusCurrentMode: in holdover the station runs on its own oscillator.
func mibMode(s status.Snapshot) int32 {
	switch {
	case s.State == status.Holdover:
		return modeSyncToLocal
	case s.State != status.Synchronised:
		return modeNotSynchronised
	}
	for _, source := range s.Sources {
		if source.Name == s.Selected && source.Signal.Server != nil {
			return modeSyncToRemote
		}
	}
	return modeSyncToRefclock
}

// mibStratum is an NtpStratum, 1 to 16.
func mibStratum(s status.Snapshot) uint32 {
	if s.Stratum == 0 || s.Stratum > status.Stratum16 {
		return status.Stratum16
	}
	return uint32(s.Stratum)
}

// mibSource is the number of the followed source, from 1 in the order of the configuration; 0 is none.
func mibSource(s status.Snapshot) uint32 {
	for i, source := range s.Sources {
		if s.Selected != "" && source.Name == s.Selected {
			return uint32(i + 1)
		}
	}
	return 0
}

// mibDateTime is an NtpDateTime (RFC 5905, figure 3: the date format): era, seconds of the era, fraction. It is empty while
// the time is not known.
func mibDateTime(u refclock.UTC) string {
	if u.Seconds == 0 {
		return ""
	}
	const since1900 = 2208988800
	b := binary.BigEndian.AppendUint64(nil, uint64(u.Seconds+since1900))
	const nanosecond = 18446744073.709551616 // 2^64 / 10^9
	return string(binary.BigEndian.AppendUint64(b, uint64(float64(u.Nanoseconds)*nanosecond)))
}

// mibSeconds is a time as a text with its unit, as the MIB asks for.
func mibSeconds(seconds float64) string { return fmt.Sprintf("%.6f ms", seconds*1e3) }

// mibTicks is a duration in hundredths of a second.
func mibTicks(d time.Duration) uint32 { return uint32(d / (10 * time.Millisecond)) }

// mibObjects are all the agent's objects as they are now, in order.
func mibObjects(e Environment) []snmp.Object {
	s, served, up := e.Status(), e.Served(), mibTicks(e.Uptime())
	now, _ := e.UTC()
	var all []snmp.Object
	add := func(o snmp.Object) { all = append(all, o) }

	system := []uint32{1, 3, 6, 1, 2, 1, 1}
	add(snmp.String(below(system, 1, 0), "Timestation "+e.Version))
	add(snmp.Identifier(below(system, 2, 0), []uint32{0, 0}))
	add(snmp.Ticks(below(system, 3, 0), up))
	add(snmp.String(below(system, 5, 0), e.Station))

	add(snmp.String(below(ntpEntInfo, 1, 0), "Timestation"))
	add(snmp.String(below(ntpEntInfo, 2, 0), e.Version))
	add(snmp.String(below(ntpEntInfo, 3, 0), "Timestation"))
	add(snmp.String(below(ntpEntInfo, 4, 0), runtime.GOOS+"/"+runtime.GOARCH))
	const nanosecond = 1000                              // picoseconds
	add(snmp.Gauge(below(ntpEntInfo, 5, 0), nanosecond)) // what the kernel's clock resolves
	const precision = -20                                // about a microsecond: what reading it takes
	add(snmp.Integer(below(ntpEntInfo, 6, 0), precision))

	distance, offset, name := "", "", ""
	if s.MaxErrorSeconds != nil {
		distance = mibSeconds(*s.MaxErrorSeconds)
	}
	for _, source := range s.Sources {
		if s.Selected != "" && source.Name == s.Selected {
			offset, name = mibSeconds(source.OffsetSeconds), source.Name
		}
	}
	add(snmp.String(below(ntpEntInfo, 7, 0), distance))

	add(snmp.Integer(below(ntpEntStatus, objectMode, 0), mibMode(s)))
	add(snmp.Gauge(below(ntpEntStatus, objectStratum, 0), mibStratum(s)))
	add(snmp.Gauge(below(ntpEntStatus, objectSourceID, 0), mibSource(s)))
	add(snmp.String(below(ntpEntStatus, 4, 0), name))
	add(snmp.String(below(ntpEntStatus, 5, 0), offset))
	add(snmp.Gauge(below(ntpEntStatus, 6, 0), uint32(min(len(s.Sources), 99))))
	add(snmp.String(below(ntpEntStatus, 7, 0), distance))
	add(snmp.Ticks(below(ntpEntStatus, 8, 0), up))
	add(snmp.String(below(ntpEntStatus, objectDateTime, 0), mibDateTime(now)))
	leapAt, direction := "", int32(0)
	if s.LeapAt != nil {
		leapAt, direction = mibDateTime(*s.LeapAt), 1
		if s.Leap == status.LeapText(refclock.LeapDelete) {
			direction = -1
		}
	}
	add(snmp.String(below(ntpEntStatus, 10, 0), leapAt))
	add(snmp.Integer(below(ntpEntStatus, 11, 0), direction))
	for i, count := range []uint64{served.Received, served.Sent, served.BadVersion, served.ProtocolErrors} {
		add(snmp.Counter(below(ntpEntStatus, uint32(12+i), 0), count))
	}
	add(snmp.Counter(below(ntpEntStatus, 16, 0), e.notifications.Load()))
	const modeTable, serverMode, sent, received = 17, 4, 2, 3
	add(snmp.Counter(below(ntpEntStatus, modeTable, 1, sent, serverMode), served.Sent))
	add(snmp.Counter(below(ntpEntStatus, modeTable, 1, received, serverMode), served.Received))
	for i, source := range s.Sources {
		index := uint32(i + 1)
		add(snmp.String(below(ntpAssociation, 2, index), source.Name))
		add(snmp.String(below(ntpAssociation, 3, index), source.Driver))
		add(snmp.String(below(ntpAssociation, 6, index), mibSeconds(source.OffsetSeconds)))
		add(snmp.String(below(ntpAssociation, 8, index), mibSeconds(source.JitterSeconds)))
		add(snmp.String(below(ntpAssociation, 10, index), mibSeconds(source.MaxErrorSeconds)))
	}
	snmp.Sort(all)
	return all
}
