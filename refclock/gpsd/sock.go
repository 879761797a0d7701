package gpsd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"timestation/refclock"
)

// A sample of chrony's SOCK refclock (struct sock_sample of its refclock_sock.c): a timeval of the local clock, the
// offset in seconds, and five ints of which the last is a magic number. With 32 bits of time_t it is 8 bytes shorter.
const (
	sockMagic  = 0x534f434b
	sockSize64 = 40
	sockSize32 = 32
)

// errNotSample is what any other datagram is.
var errNotSample = errors.New("it is not a sample")

// parseSOCK reads a datagram.
func parseSOCK(p []byte) (fed, error) {
	var sec, usec int64
	switch len(p) {
	case sockSize64:
		sec, usec = int64(binary.NativeEndian.Uint64(p)), int64(binary.NativeEndian.Uint64(p[8:]))
		p = p[16:]
	case sockSize32:
		sec, usec = int64(int32(binary.NativeEndian.Uint32(p))), int64(int32(binary.NativeEndian.Uint32(p[4:])))
		p = p[8:]
	default:
		return fed{}, errNotSample
	}
	offset := math.Float64frombits(binary.NativeEndian.Uint64(p))
	pulse := int32(binary.NativeEndian.Uint32(p[8:]))
	leap, synchronised := leapNotice(int32(binary.NativeEndian.Uint32(p[12:])))
	if binary.NativeEndian.Uint32(p[20:]) != sockMagic || sec < 0 || sec > farthest/2 || usec < 0 || usec > 999_999 ||
		!synchronised || !(math.Abs(offset) < farthest/2) {
		return fed{}, errNotSample
	}
	whole, fraction := math.Modf(offset)
	return fed{
		stamp:  refclock.Stamp(sec*1e9 + usec*1000),
		offset: time.Duration(whole)*time.Second + time.Duration(math.Round(fraction*1e9)),
		pulse:  pulse != 0, leap: leap, noise: smallestNoise,
	}, nil
}

// SOCKConfig is the sock driver's part of a [[refclock]] section.
type SOCKConfig struct {
	Path  string  `mapstructure:"path" help:"the socket that the station makes and the feeder writes to; gpsd looks for /run/chrony.ttyACM0.sock, after the name of its device"`
	With  string  `mapstructure:"with" help:"take the samples as pulses, and their second from the source of this name; for feeders that do not know it"`
	Delay float64 `mapstructure:"delay_seconds" help:"how much later than the true time the feeder's stamps are"`
	// DelayLimit has no default: nobody but the user knows the feeder.
	DelayLimit float64 `mapstructure:"delay_limit_seconds" help:"how wrong the feeder may ever be beyond delay_seconds, added in full to every error bound: 1e-4 for gpsd's pulses"`
}

func (c SOCKConfig) feeder() feederConfig { return feederConfig{c.With, c.Delay, c.DelayLimit} }

// longestPath is that of struct sockaddr_un, with its final zero.
const longestPath = 107

// Validate names the first key that cannot be.
func (c SOCKConfig) Validate() error {
	if !filepath.IsAbs(c.Path) || len(c.Path) > longestPath {
		return fmt.Errorf("path: %q is not an absolute path of up to %d characters; gpsd looks for /run/chrony.ttyACM0.sock, after the name of its device", c.Path, longestPath)
	}
	return c.feeder().validate()
}

// sockDriver receives on one socket.
type sockDriver struct {
	config SOCKConfig
	env    refclock.Environment
}

// Run implements [refclock.Driver].
func (d *sockDriver) Run(ctx context.Context, out refclock.Sink) error {
	connection, err := listenSOCK(d.config.Path)
	if err != nil {
		return err
	}
	defer func() {
		connection.Close()
		os.Remove(d.config.Path)
	}()
	f := feeder{config: d.config.feeder(), env: d.env, out: out}
	f.tell(refclock.Waiting, "nothing has been sent yet; start the feeder after the station: gpsd looks for its sockets only when it opens the receiver")
	buffer := make([]byte, 2*sockSize64)
	last := time.Now()
	for ctx.Err() == nil {
		if err := connection.SetReadDeadline(time.Now().Add(tick)); err != nil {
			return fmt.Errorf("%s: %w", d.config.Path, err)
		}
		n, err := connection.Read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if time.Since(last) > 2*stale && f.told.State != refclock.Waiting {
				f.tell(refclock.Receiving, "nothing has been sent for a while; is the feeder running, has its receiver a fix?")
			}
			if there, err := os.Stat(d.config.Path); err != nil || there.Mode()&fs.ModeSocket == 0 {
				return fmt.Errorf("%s: somebody has taken the socket away; it is made again", d.config.Path)
			}
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", d.config.Path, innermost(err))
		}
		sample, err := parseSOCK(buffer[:n])
		if err != nil {
			f.tell(refclock.Receiving, "what is sent is no sample of chrony's SOCK refclock; look at the feeder")
			continue
		}
		last = time.Now()
		f.take(sample)
	}
	return nil
}

// listenSOCK makes the socket in the place of one that a station which crashed has left.
func listenSOCK(path string) (*net.UnixConn, error) {
	if there, err := os.Lstat(path); err == nil {
		if there.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("%s: there is something else of that name; take it away, or choose another path", path)
		}
		if used, err := net.Dial("unixgram", path); err == nil {
			used.Close()
			return nil, fmt.Errorf("%s: another program receives there; stop it, or choose another path", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("%s: what an earlier run left cannot be taken away: %w", path, innermost(err))
		}
	}
	connection, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: you may not make it; choose a folder of the station's, such as /run/timestation", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: there is no folder %s; make it, or choose another path", path, filepath.Dir(path))
	case errors.Is(err, syscall.EAFNOSUPPORT), errors.Is(err, syscall.EPROTONOSUPPORT):
		return nil, fmt.Errorf("%s: this system has no such sockets: %w", path, errors.ErrUnsupported)
	case err != nil:
		return nil, fmt.Errorf("%s: it cannot be made: %w", path, innermost(err))
	}
	// A time fed by just anybody is none: only the station's user and group may write.
	if err := os.Chmod(path, 0o660); err != nil {
		connection.Close()
		return nil, fmt.Errorf("%s: %w", path, innermost(err))
	}
	return connection, nil
}

func init() {
	refclock.Register(refclock.Registration{
		Name:        "sock",
		Help:        "What another program, such as gpsd, sends to a socket as it would to chrony's SOCK refclock.",
		ReferenceID: "SOCK",
	}, SOCKConfig{}, func(c SOCKConfig, env refclock.Environment) (refclock.Driver, error) {
		return &sockDriver{config: c, env: env}, nil
	})
}
