// Package serve answers NTP requests over UDP with the station's time: modes 3 and 1 of versions 1 to 4, plain or with a
// symmetric key. All decisions are in a core without sockets; what it does not answer it counts under a [Reason].
//
// # Threat model
//
// What is to be protected: that no client takes a wrong time from here, that the server is of no use against others, and
// that it stays up. Who may attack, with what, and what happens:
//
//   - Someone who sends requests with a false source address, to have the answers hit a victim. One request makes at
//     most one answer and none is longer than its request, so nothing is gained by it; strangers (the default allow
//     list is the private networks) get silence, and so do modes 6 and 7, the classical amplifiers. Two servers cannot
//     be set to answer each other: an answer (modes 2 and 4) is never answered.
//   - Someone who floods. A request costs no memory: no allocation and no log line. What is too much is dropped by the
//     kernel. Requests that waited longer than a second are not answered.
//   - Someone who floods from made-up source addresses, to fill the table of clients. It takes its 256 KiB per listener
//     when the server is made and never grows; it holds 4096 addresses, who is put into which part of it cannot be
//     foreseen from outside, and who asked more often stays. So clients that were known before the flood keep their
//     counts, and those that sign theirs whatever the flood does. What a flood can do: a client that is new, or asks
//     more seldom than each made-up address, is forgotten and counted from zero when it asks again. Addresses without a
//     code are claims, and what the table says of them is no evidence. It only counts; nothing is decided by it.
//   - Someone who sends malformed packets to crash or confuse the parser. Every length is checked, the parser is fuzzed,
//     and what is malformed gets silence: no error that could be used as an oracle.
//   - Someone on the network path who forges answers. Plain NTP cannot keep him from it; a symmetric key does. The
//     comparison takes constant time, and a wrong code and an unknown key both get silence. A code from this server
//     covers the client's own transmit timestamp, so an old answer does not pass for a new one. He can still delay or
//     drop packets: the client sees that as delay, and half of it as error bound.
//   - Someone who recorded signed packets and tries keys at home: choose random keys, at best AES-CMAC. MD5 is broken as
//     a digest and here only for old clients (RFC 8573); the digests are not HMACs, and what could be appended to a
//     recorded packet is refused as a malformed extension field.
//   - A user of this machine who wants the keys: a key file that group or others can read is refused.
//   - The station's own failure, the likeliest of all. A clock that was set behind the model's back, a hung engine, a
//     bound beyond the limit: the server falls silent or says "unsynchronised" (leap indicator 3, stratum 0) rather
//     than go on with a wrong time. Before the station first knew the time its timestamps are zero.
//
// Out of scope: an attacker with the key (he may forge), or with the rights of this process.
package serve
