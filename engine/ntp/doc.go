// Package ntp is the wire format of NTP: the header and its timestamps (RFC 5905), extension fields (RFC 7822), message
// authentication codes (RFC 5905 section 7.3, RFC 8573) and the key files of chrony and ntpsec. It is pure: no sockets,
// no clock, and nothing else of this program. Parsing, checking and encoding a packet allocate nothing.
package ntp
