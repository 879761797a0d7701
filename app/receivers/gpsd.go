package receivers

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"time"
)

// gpsdFor is how long gpsd is listened to: it reports once a second.
const gpsdFor = 3 * time.Second

// daemon asks gpsd, if it runs, what it has; devices are those that it holds.
func (p Probes) daemon(ctx context.Context) (found []Finding, devices []string) {
	dialer := net.Dialer{Timeout: time.Second}
	c, err := dialer.DialContext(ctx, "tcp", p.GPSD)
	if err != nil {
		return nil, nil
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	ctx, cancel := context.WithTimeout(ctx, gpsdFor)
	defer cancel()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	f := Finding{Device: p.GPSD, Kind: "gpsd"}
	if _, err := fmt.Fprint(c, `?WATCH={"enable":true,"json":true}`+"\n"); err != nil {
		f.Text = fmt.Sprintf("something listens there that is not gpsd: %v", err)
		return []Finding{f}, nil
	}
	type device struct {
		Path   string
		Driver string
	}
	var release string
	drivers := map[string]string{}
	mode, used := 0, -1
	lines := bufio.NewScanner(c)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var said struct {
			Class   string
			Release string
			Devices []device
			device
			Mode       int
			USat       *int
			Satellites []struct{ Used bool }
		}
		if json.Unmarshal(lines.Bytes(), &said) != nil {
			break
		}
		switch said.Class {
		case "VERSION":
			release = said.Release
		case "DEVICES":
			for _, d := range said.Devices {
				drivers[d.Path] = d.Driver
			}
		case "DEVICE":
			drivers[said.Path] = said.Driver
		case "TPV":
			mode = max(mode, said.Mode)
		case "SKY":
			if said.USat != nil {
				used = *said.USat
			} else if said.Satellites != nil {
				used = 0
				for _, s := range said.Satellites {
					if s.Used {
						used++
					}
				}
			}
		}
	}
	if release == "" {
		f.Text = "something listens there that does not speak as gpsd does"
		return []Finding{f}, nil
	}
	f.Text = "gpsd " + release
	for path, driver := range drivers {
		devices = append(devices, path)
		f.Text += ", " + path
		if driver != "" {
			f.Text += " (" + driver + ")"
		}
	}
	switch {
	case len(devices) == 0:
		f.Text, f.Mend = f.Text+", without a receiver", "name one in /etc/default/gpsd, or let Timestation read the port itself"
	case mode < 2:
		f.Text, f.Mend = f.Text+", no fix", "give the antenna a view of the sky; from cold it takes a minute or more"
	default:
		f.Text += fmt.Sprintf(", %dD fix", mode)
		f.Delivers = true
	}
	if used >= 0 && mode >= 2 {
		f.Text += fmt.Sprintf(", %d satellites", used)
	}
	return []Finding{f}, devices
}
