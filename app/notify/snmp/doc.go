// Package snmp is a read-only SNMP agent: version 2c (RFC 3416) and version 3 with the user-based security model
// (RFC 3414) under HMAC-SHA-1-96 or HMAC-SHA-256-192 (RFC 7860) and AES-128 (RFC 3826). It answers get, get-next and
// get-bulk from a list of objects, and refuses set.
//
// It is made to be reached by whoever may send it a datagram: it keeps no state for a request, never answers with more
// than 1400 octets, and drops what is malformed, not allowed or too much without a word.
package snmp
