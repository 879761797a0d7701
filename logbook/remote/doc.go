// Package remote copies the log's rows to storage that speaks Prometheus remote write 1.0 (Prometheus itself, Mimir,
// Thanos, VictoriaMetrics and others), so that the history of a fleet of stations can be asked in one place.
//
// # The queue
//
// The log is the queue: rows are read from the SQLite file in the order in which they were written, and remote.json beside
// it says up to which all were taken. So an outage of any length, of the storage or of the station, costs no row that the
// log still has raw. remote.json is written before each request, once a minute when all goes well, with the rows that the
// request has: if its answer is lost, to the network or a power cut, exactly those are sent again, with the same values and
// timestamps, and the storage keeps each once. Taking remote.json away sends the whole log again.
//
// # What is sent
//
// The names are those of /metrics, with the labels station, source and driver; timestamps are the station's own time in
// milliseconds. Rows from before the station knew the time have none and are not sent. source_state is there for every
// state, 1 for the one the source was in and 0 for the others, since there is no end of a series in a push as there is in
// a scrape.
//
// # What is refused
//
// A storage may refuse rows that are older than its newest: Prometheus does beyond
// storage.tsdb.out_of_order_time_window, which is 0 unless configured, and then takes all rows of a request or none. A
// request here therefore never has rows that step back in time (a leap second at intervals below 1 s, a jump that an
// operator accepted) together with others. What is refused with a 4xx but 429 is dropped, counted and logged, as the
// protocol says; everything else is tried again, ever more slowly, until it is taken.
package remote
