// Package logbook keeps the station's history in one SQLite file: how far each source and the local clock were off, how
// sure the station was, and everything that changed.
//
// A [Book] belongs to the running station. It reads the published status and nothing else, so that a slow or full disk
// never delays the time. A [Reader] belongs to whoever looks later; it works while the station runs. The file is described
// by the schema in schema.go, and what each figure means by the table in figures.go.
//
// # What is kept
//
// A [Row] per source, and one for the station, each Config.IntervalSeconds, for Config.RawDays. Of them [Aggregate]s by
// minutes, for Config.MinuteDays, and by hours, for ever. Both are made of the rows themselves as soon as an hour (a day)
// is over, so that the quantiles of an hour are exact and not guessed from those of its minutes. An [Event] for every
// change that the station's status shows, and for all that Book.Event and Book.EventBy are told; for ever. A [ClientHour]
// with what each NTP client did, for Config.MinuteDays. Rows from before the station ever knew the time have no place in
// aggregates and go with the rows around them.
//
// Old is what the station's own time says, while it claims to know it; and rows go an hour at a time and at most four
// hours an hour, so that a wrong year costs little.
//
// # What a power cut costs
//
// At most the rows and events of one batch, Config.BatchSeconds: a batch counts as written once it is synced to the disk.
// The tests drop unsynced sectors at random, and kill the writer at random.
//
// # What verify proves
//
// All is written in batches, and every batch has a SHA-256 over its bytes, its kind, its number and the hash of the batch
// before it. There is one way to write anything down, and what is hashed is what lies in the file: nothing can be read
// that was not hashed.
//
// [Verify] therefore finds every change, removal, insertion and reordering, by a failing card as well as by hand, and
// names the first batch that is not whole; unless whoever made it computed all later hashes anew, as everyone can who may
// write to the file, or cut off the end. Against both only a witness helps: write the head that Verify prints down
// elsewhere (mail it, print it), now and then, and give it to Verify later. If it is in the chain, everything up to it is
// what it was then.
//
// When rows (or minutes) are dropped for their age, their batch stays with the SHA-256 of what it held, and a note in the
// chain names it. So the chain can still be computed from its beginning, and old heads are still found in it. What is
// proved then of rows that are gone: that they were in the chain; when the note says that they were dropped (content that
// is missing without a note is a fault); and that their aggregates, which are batches too, were in the chain before.
// Not proved: that those were computed rightly from rows that are gone. And nothing here can prove that what was written
// was true.
package logbook
