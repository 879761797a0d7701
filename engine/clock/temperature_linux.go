package clock

import (
	"os"
	"strconv"
	"strings"
)

// zone is the processor's own sensor on a Raspberry Pi: the crystal sits a few centimetres from it. It gives
// thousandths of a degree (Documentation/driver-api/thermal/sysfs-api.rst).
const zone = "/sys/class/thermal/thermal_zone0/temp"

// Temperature reads the sensor nearest to the oscillator, in °C; false where there is none.
func Temperature() (celsius float64, ok bool) {
	text, err := os.ReadFile(zone)
	if err != nil {
		return 0, false
	}
	milli, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	return milli / 1000, err == nil
}
