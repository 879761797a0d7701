package phc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"timestation/refclock"
)

// Auto in the place of an interface's name is the first that has a clock.
const Auto = "auto"

// samples is how often a clock is read for one pair.
const samples = 5

// Clock is a card's clock.
type Clock struct {
	mapping
	mu      sync.Mutex // for device, which is nil once closed
	device  *os.File
	name    string
	index   uint32
	precise bool
	// before is how the card stamped before, where that was changed; nil where it was not.
	before *unix.HwTstampConfig
}

// Open switches the time stamps of an interface's card on, and opens its clock; the error says in one line why not. Unless
// somebody switched them on before it needs CAP_NET_ADMIN. A Clock is to be Closed.
func Open(name string) (*Clock, error) {
	if name != Auto {
		return open(name)
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var why []string
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 || i.Flags&net.FlagUp == 0 {
			continue
		}
		c, err := open(i.Name)
		if err == nil {
			return c, nil
		}
		why = append(why, err.Error())
	}
	if len(why) == 0 {
		return nil, errors.New("there is no network card here")
	}
	return nil, errors.New(strings.Join(why, "; "))
}

func open(name string) (*Clock, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return nil, fmt.Errorf("there is no interface %s", name)
	}
	control, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	defer unix.Close(control)
	can, err := unix.IoctlGetEthtoolTsInfo(control, name)
	const needed = unix.SOF_TIMESTAMPING_RX_HARDWARE | unix.SOF_TIMESTAMPING_TX_HARDWARE | unix.SOF_TIMESTAMPING_RAW_HARDWARE
	switch {
	case err != nil || can.Phc_index < 0 || can.So_timestamping&needed != needed:
		return nil, fmt.Errorf("%s has no hardware time stamps: its card has no clock", name)
	case can.Tx_types&(1<<unix.HWTSTAMP_TX_ON) == 0 || filter(can.Rx_filters) == unix.HWTSTAMP_FILTER_NONE:
		return nil, fmt.Errorf("%s has no hardware time stamps of NTP packets: its card stamps others alone", name)
	}
	c := &Clock{name: name, index: uint32(i.Index)}
	if c.device, err = os.Open(fmt.Sprintf("/dev/ptp%d", can.Phc_index)); err != nil {
		return nil, fmt.Errorf("%s: the card's clock cannot be read: %w", name, err)
	}
	if caps, err := unix.IoctlPtpClockGetcaps(int(c.device.Fd())); err == nil {
		c.precise = caps.Cross_timestamping != 0
	}
	if err = c.switchOn(control, filter(can.Rx_filters)); err == nil {
		_, err = c.read()
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

// filter is the least that the card can stamp and has NTP in it.
func filter(can uint32) int32 {
	for _, f := range []int32{unix.HWTSTAMP_FILTER_NTP_ALL, unix.HWTSTAMP_FILTER_ALL} {
		if can&(1<<f) != 0 {
			return f
		}
	}
	return unix.HWTSTAMP_FILTER_NONE
}

// switchOn has the card stamp packets, unless it does already.
func (c *Clock) switchOn(control int, filter int32) error {
	is, err := unix.IoctlGetHwTstamp(control, c.name)
	if err == nil && is.Tx_type == unix.HWTSTAMP_TX_ON &&
		(is.Rx_filter == unix.HWTSTAMP_FILTER_ALL || is.Rx_filter == unix.HWTSTAMP_FILTER_NTP_ALL) {
		return nil
	}
	want := unix.HwTstampConfig{Tx_type: unix.HWTSTAMP_TX_ON, Rx_filter: filter}
	if err := unix.IoctlSetHwTstamp(control, c.name, &want); err != nil {
		return fmt.Errorf("hardware time stamps cannot be switched on, which needs CAP_NET_ADMIN: %w", err)
	}
	c.before = is
	return nil
}

// Name is the interface's, and Index its index.
func (c *Clock) Name() string  { return c.name }
func (c *Clock) Index() uint32 { return c.index }

// Run reads the clocks until ctx ends.
func (c *Clock) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if p, err := c.read(); err == nil {
			c.add(p)
		} else {
			c.forget()
		}
		select {
		case <-ctx.Done():
			c.forget()
			return
		case <-tick.C:
		}
	}
}

// read takes a pair.
func (c *Clock) read() (pair, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.device == nil {
		return pair{}, os.ErrClosed
	}
	fd := int(c.device.Fd())
	if c.precise {
		if p, err := unix.IoctlPtpSysOffsetPrecise(fd); err == nil {
			return pair{card: nanoseconds(p.Device), local: refclock.Stamp(nanoseconds(p.Realtime))}, nil
		}
		c.precise = false // some say they can, and cannot
	}
	all, err := unix.IoctlPtpSysOffsetExtended(fd, samples)
	if err != nil {
		return pair{}, fmt.Errorf("the card's clock cannot be read: %w", err)
	}
	best := pair{width: time.Hour}
	for _, s := range all.Ts[:min(int(all.Samples), len(all.Ts))] {
		before, after := nanoseconds(s[0]), nanoseconds(s[2])
		if width := time.Duration(after - before); width >= 0 && width < best.width {
			best = pair{card: nanoseconds(s[1]), local: refclock.Stamp(before + int64(width)/2), width: width}
		}
	}
	return best, nil
}

func nanoseconds(t unix.PtpClockTime) int64 { return t.Sec*1e9 + int64(t.Nsec) }

// Close leaves the card as it was.
func (c *Clock) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.device == nil {
		return nil
	}
	c.now.Store(nil)
	err := c.device.Close()
	c.device = nil
	if c.before == nil {
		return err
	}
	control, failed := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if failed != nil {
		return errors.Join(err, failed)
	}
	defer unix.Close(control)
	return errors.Join(err, unix.IoctlSetHwTstamp(control, c.name, c.before))
}
