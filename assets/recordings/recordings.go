// Package recordings embeds what real receivers sent, for the demonstration. SOURCES.md says where it is from.
package recordings

import _ "embed"

// UbloxM9N is 61 s of NMEA sentences of a u-blox NEO-M9N with a fix from GPS, GLONASS, Galileo and BeiDou, one burst a
// second, after some lines of comment that begin with '#'.
//
//go:embed ublox-neo-m9n-nmea.log
var UbloxM9N []byte
