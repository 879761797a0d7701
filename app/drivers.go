package main

// A driver makes itself known by being named here.
import (
	_ "timestation/refclock/gps"
)
