// Package refclock is what every reference clock driver and the engine share: how a moment is written down ([Stamp],
// [Instant], [UTC]), what a driver delivers ([Sample], [Signal]) and how a driver makes itself known ([Register]).
//
// A driver lives in a folder below this one, imports only this package, and yields samples; it never decides which
// source is right and never touches a clock.
package refclock
