// Package serve answers NTP requests over UDP with the station's time: modes 3 and 1 of versions 1 to 4, plain, with a
// symmetric key or under NTS, in the basic and the interleaved mode (RFC 9769), and broadcasts it; as an experiment also
// NTPv5, a draft. All decisions are in a core without sockets; what it does not answer it counts under a [Reason].
//
// # How it is made
//
// Every processor has a socket of its own for the same address, and a goroutine that answers what comes to it: one system
// call takes up to 64 requests, one sends their answers, and a socket with nothing in it costs nothing. It is woken when
// something arrives and for nothing else: Go's poller would also wake it each time that an answer has left. Between 400
// and 4000 requests a second it is not woken by each but for some together, every one to four milliseconds. What the
// goroutines share is small and locked for the moment of an entry: the table of clients, and the times at which answers to
// interleaving clients left. Answering allocates nothing, or under NTS with AES-128-GCM-SIV twice.
//
// Where a listener has a fast path, the plainest requests do not come here at all: a program in the kernel answers them, see
// package fastpath, from what the listener says at the time.
//
// # Time stamps
//
// Requests are stamped by the kernel when they arrive, and are never answered with a later time. Answers say when they are
// about to be sent: few when the clock was read for each, those of a larger batch each by its place and what making and
// sending one usually takes. To clients that interleave the next answer says when the last truly left, by the kernel's
// stamp. That is asked for their packets alone, and nobody is woken for it before they are on their way. The last five bits
// of a receive timestamp, below 8 ns, are a mark, so that an echo of it is known without having kept anything.
//
// Where a listener names an interface whose network card stamps packets (package phc), the card's stamp of an arrival takes
// the place of the kernel's if that confirms it: the kernel's is not earlier, and not later by more than 10 ms. Answers
// there that interleave are stamped by the card too.
//
// What was kept for interleaving is void once the time scale breaks: when a new model differs from the one before by more
// than a millisecond at the same moment, or in TAI−UTC, or the local clock was set.
//
// # Threat model
//
// What is to be protected: that no client takes a wrong time from here, that the server is of no use against others, and
// that it stays up. Who may attack, with what, and what happens:
//
//   - Someone who sends requests with a false source address, to have the answers hit a victim. One request makes at
//     most one answer and none is longer than its request, kisses and NTS included, so nothing is gained by it; strangers
//     (the default allow list is the private networks) get silence, and so do modes 6 and 7, the classical amplifiers,
//     unless a controller answers those it trusts. Two servers cannot be set to answer each other: an answer (modes 2, 4
//     and 5) is never answered, and neither is a kiss.
//   - Someone who floods. A request costs no memory: no allocation and no log line. One address beyond its limit gets one
//     answer in eight and one kiss a second; the rest is dropped by the kernel when the socket is full. Requests that
//     waited longer than a second are not answered. The engine gets its turn after every batch.
//   - Someone who floods in a client's name, so that the limit cuts that client off. One request in eight is answered all
//     the same, and requests under a key or NTS are counted apart, after they were found genuine: a client that signs
//     is never cut off. Kisses are believed by clients only if they echo the request's own timestamp.
//   - Someone who floods from made-up source addresses, to fill the tables. They take their 600 KiB per listener when the
//     server is made and never grow. That of clients holds 4096 addresses; who is put into which part of it cannot be
//     foreseen from outside, and who asked more often stays. So clients that were known before the flood keep their
//     counts, and those that sign theirs whatever the flood does. What a flood can do: a client that is new, or asks
//     more seldom than each made-up address, is forgotten, counted from zero, and has its full burst again when it asks.
//     Addresses without a code are claims, and what the table says of them is no evidence. That of departures can be
//     entered only with a mark that each address has its own of, one guess in sixteen (with NTPv5, where it is on, by
//     anyone); who is driven out of it is answered in the basic mode.
//   - Someone who sends malformed packets to crash or confuse the parser. Every length is checked, the parser is fuzzed,
//     and what is malformed gets silence: no error that could be used as an oracle.
//   - Someone on the network path who forges answers. Plain NTP cannot keep him from it; a symmetric key and NTS do. The
//     comparison takes constant time, and a wrong code and an unknown key both get silence. A code from this server
//     covers the client's own timestamp, so an old answer does not pass for a new one. He can still delay or drop
//     packets: the client sees that as delay, and half of it as error bound.
//   - Someone in the network who forges broadcasts: they are sent only under a key. He can still replay one, which is why
//     they are off unless asked for; a client should rather ask.
//   - Someone who has one client's key and uses it elsewhere: a key can be bound to addresses in the key file.
//   - Someone who recorded signed packets and tries keys at home: choose random keys, at best AES-CMAC. MD5 is broken as
//     a digest and here only for old clients (RFC 8573); the digests are not HMACs, and what could be appended to a
//     recorded packet is refused as a malformed extension field.
//   - Someone who replays a client's request under NTS: he gets an answer, sealed, that the client never asked for and
//     drops by its unique identifier. He who breaks a cookie in transit earns the client a kiss that it does not trust
//     (RFC 8915, section 5.7).
//   - A user of this machine who wants the keys: a key file that group or others can read is refused. Programs of
//     other users cannot take a share of the address, nor can a second station: the first socket is bound alone.
//   - The station's own failure, the likeliest of all. A clock that was set behind the model's back, a hung engine, a
//     bound beyond the limit: the server falls silent or says "unsynchronised" (leap indicator 3, stratum 0) rather
//     than go on with a wrong time. Before the station first knew the time its timestamps are zero. It broadcasts nothing
//     then.
//   - Someone whom the machine's packet filter keeps away from port 123, where a listener has a fast path: that lies before
//     the filter, and the listener's allow and deny alone decide.
//
// Out of scope: an attacker with the key (he may forge), or with the rights of this process.
package serve
