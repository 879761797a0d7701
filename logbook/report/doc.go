// Package report makes of a span of the log a document that can be shown to somebody who was not there: what the time was
// worth, for how long, and what it rests on.
//
// [Build] reads the log and makes a [Document], which says everything once; [Document.WriteHTML] and [Document.WritePDF]
// put the same document on a page. Nothing in it needs the network, and the same log and options give the same document.
//
// How shares of time are counted. A row stands for the time until the next row of the station, at most for one and a half
// times the usual interval; what no row stands for is "not recorded" and never counts as good. Where rows have been
// condensed to minutes or hours, one that lacks no more than a row counts as whole, another for its rows; the time inside
// a bound is then counted by its quantiles, so that the figure is a lower limit.
package report
