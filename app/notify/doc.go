// Package notify tells the world: it brings what happens to the station's alerts to the places where people look, and
// shows the station's state to the programs that a site already uses. Each kind of place is one file here, which
// registers itself; the file's [[notify]] sections say which of them are used.
//
// # What is sent
//
// An alert that is raised, grows worse, stands unacknowledged for too long (escalates), is acknowledged or ends is one
// notice. What was said of each alert is kept, so that nothing is said twice, a restart included.
//
// An alert that comes and goes costs patience: it may cause 6 notices at once and then one an hour, so at most 30 in a
// day; what happened in between is counted in the next. A place for people takes 8 messages at once and then one every
// ten minutes, at most 152 in a day; a place for programs 60 and then one a minute. What is beyond goes out as one
// summary as soon as there is room for a message again.
//
// # Delivery
//
// A notice waits on disk, in state.json of the folder notify in the data folder, until its place has taken it: through
// an outage, a hanging far side, a restart. It keeps its number and the time when it happened. Each place has a
// goroutine and a queue of its own and holds back nobody; a queue keeps the newest 500 and says how many it dropped. Only
// if the power fails between the far side's answer and the next write is a notice sent a second time, under the same
// number.
package notify
