package upstream

// reason is why a packet or an answer was not used; empty is none.
type reason string

const (
	used reason = ""

	// What is dropped as if it had never come; the wait for the answer goes on.
	malformed     reason = "malformed"      // no NTP packet
	wrongMode     reason = "mode"           // no server's answer, or of another version
	wrongOrigin   reason = "origin"         // does not repeat the request's random number
	notAuthentic  reason = "not-authentic"  // the key's code or NTS's authenticator is missing or does not fit
	cookieRefused reason = "cookie-refused" // the kiss code NTSN

	// Answers that are of no use.
	kissed          reason = "kiss"           // a kiss code in the place of time
	unsynchronised  reason = "unsynchronised" // leap indicator 3, stratum 0 or above 15
	looped          reason = "loop"           // the server has its time from here
	smeared         reason = "smeared"        // it hides a leap second
	backwards       reason = "backwards"      // sent before the request had come
	negativeDelay   reason = "negative-delay" // the server took longer than the whole exchange
	longDelay       reason = "delay"          // the round trip took too long
	farAway         reason = "distance"       // the server's own bound is too wide
	beforeBuild     reason = "before-build"   // an earlier date than this program's
	duringLeap      reason = "leap-second"    // within two seconds of a leap second, when NTP's timestamps are ambiguous
	transmitMissing reason = "no-transmit"    // timestamps of zero
)
