package main

// A driver makes itself known by being named here.
import (
	_ "timestation/refclock/gps"
	_ "timestation/refclock/gpsd"
	_ "timestation/refclock/pps"
	_ "timestation/refclock/replay"
	_ "timestation/refclock/upstream"
)
