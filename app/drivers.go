package main

// A driver makes itself known by being named here.
import (
	_ "timestation/refclock/dcf77"
	_ "timestation/refclock/gps"
	_ "timestation/refclock/gpsd"
	_ "timestation/refclock/jjy"
	_ "timestation/refclock/msf60"
	_ "timestation/refclock/pps"
	_ "timestation/refclock/replay"
	_ "timestation/refclock/upstream"
	_ "timestation/refclock/wwvb"
)
