// Package nts is Network Time Security for NTP (RFC 8915): the establishment of keys over TLS, for clients and servers, and
// the extension fields that protect the packets. It opens no socket that it was not given, but for the connection of
// [Establish], and never asks the system's clock what the date is.
//
// The algorithms are AES-SIV-CMAC-256 (RFC 5297) and AES-128-GCM-SIV (RFC 8452).
//
// # Threat model
//
// What is to be protected: that a client takes time only from the server whose certificate it trusts, that a server is of
// no use against others and stays up, and that who watches the network cannot follow a client from one network to the
// next by its cookies.
//
//   - Someone on the path who forges, changes or replays packets: every packet is vouched for with keys that only client
//     and server have, and an answer only for the request whose unique identifier it repeats. He can still delay or drop
//     packets; half the delay is part of every bound.
//   - Someone on the path who answers with the kiss code NTSN, for which nobody can vouch: the client establishes new keys,
//     at a limited rate, and goes on to use what authentic answers come.
//   - Someone with an expired certificate and its key, while the client does not know the date: certificates are judged by
//     the station's time, and before that is known by the date the program was built. One that expired after that date
//     passes until the time is known; a client that has another source, or was built lately, is hardly exposed.
//   - Someone who sends requests from false addresses, to have the answers hit a victim: no answer is longer than its
//     request, and only the holder of a cookie gets more than the short kiss code.
//   - Someone who opens connections to wear the server out: who may not ask for the time is closed at once. At most 64 are
//     served at a time, 8 from one address or IPv6 network of 64 bits, each for 5 seconds; the rest are closed at once. NTP
//     itself needs no connection, and clients that hold cookies go on.
//   - Someone who asks for keys a million times: the server keeps nothing about its clients; all state is in the cookies
//     they hold. The expanded keys of up to 2048 clients are remembered for speed, and of no other use.
//   - Someone who gets the master keys: he can read the keys in all cookies sealed with them, so the file is readable by its
//     owner alone, a key makes cookies for 24 hours of running, and the oldest of four is forgotten for good then. What was
//     recorded cannot be decrypted beyond that, but time is no secret.
//   - Someone who tries malformed records, cookies or fields: every length is checked, the parsers are fuzzed, comparisons
//     take constant time, and AES-GCM-SIV's hash uses no tables.
package nts
