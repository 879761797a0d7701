package logbook

import "sync"

// queueLimit is how many rows and events wait in memory while the file cannot be written: about 14 hours of four
// sources at the default interval, some 6 MB.
const queueLimit = 16384

// queue holds what is not yet written. It is safe for concurrent use and never waits for the disk.
type queue struct {
	limit   int
	mu      sync.Mutex
	records []record
	// taken counts the records that have left at the front, and lost those among them that were never written and never
	// reported.
	taken, lost uint64
}

// put appends; when the queue is full the oldest make room, because what happens now is what a person will look for.
func (q *queue) put(records ...record) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.records = append(q.records, records...)
	if over := len(q.records) - q.limit; over > 0 {
		q.records = q.records[over:]
		q.taken += uint64(over)
		q.lost += uint64(over)
	}
}

// batch gives all that waits, without taking it, and the count that release wants. Nobody changes its elements.
func (q *queue) batch() (records []record, upTo, lost uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.records)
	return q.records[:n:n], q.taken + uint64(n), q.lost
}

// release takes what batch gave, once it is written; part of it may have been pushed out meanwhile. lost losses have been
// reported.
func (q *queue) release(upTo, lost uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lost -= lost
	if upTo <= q.taken {
		return
	}
	q.records = q.records[upTo-q.taken:]
	q.taken = upTo
	if len(q.records) == 0 {
		q.records = nil
	}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.records)
}
