// Package control lets other people's tools look into the station: ntpq, by NTP's mode 6 (RFC 9327, and ntpsec's list of
// clients), and chronyc with whatever else speaks chrony's command protocol, version 6. Both only read. They say what
// the newest [status.Status] says, in the tools' own signs and units.
//
// # Threat model
//
//   - Someone who sends requests with a false source address, to have the answers hit a victim. Mode 6 answers are longer
//     than their requests, so strangers get silence: only addresses in mode6_allow, this machine unless configured
//     otherwise, are answered at all, no more than a hundred requests a second, and the list of clients, the longest
//     answer, only to who shows a nonce that was sent to that address within the last seconds. chrony's protocol
//     listens on this machine's loopback alone, and no answer is longer than its request: clients pad.
//   - Someone who wants to change the station. Nothing that writes is implemented: it is refused whatever it is signed
//     with.
//   - Someone who wants to know who asks for the time. Every user of this machine can see the list of clients, as on the
//     status page.
//   - Someone who sends malformed packets. Every length is checked, both parsers are fuzzed, and what is no request,
//     another program's answer above all, is never answered.
package control
