// Package setup is what `timestation init` does: it looks at the machine and writes a configuration that works on it.
package setup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"timestation/app/config"
)

// listenFor is how long each serial port is listened to.
const listenFor = 3 * time.Second

// Options is where init writes.
type Options struct {
	// Output is the configuration file; empty is timestation.toml in the working folder.
	Output string
	// KeyFile is the key file; empty is keys beside the configuration.
	KeyFile string
}

// Run looks at the machine, writes the configuration, a fresh key file and a token, and prints what was found, the next command
// and the line a client needs. It writes nothing over a file that exists.
func Run(ctx context.Context, options Options, probes Probes, out io.Writer) error {
	configPath, keyPath, err := options.paths()
	if err != nil {
		return err
	}
	tokenPath := filepath.Join(filepath.Dir(keyPath), "token")
	for _, path := range []string{configPath, keyPath, tokenPath} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return occupied(path)
		}
	}
	found, err := look(ctx, probes, out)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := config.Example(&text, found.entries(probes.Hostname, keyPath, tokenPath)...); err != nil {
		return err
	}
	if err := create(keyPath, 0o600, freshKeys()); err != nil {
		return err
	}
	if err := create(tokenPath, 0o600, freshToken()); err != nil {
		return errors.Join(err, os.Remove(keyPath))
	}
	if err := create(configPath, 0o644, text.Bytes()); err != nil {
		return errors.Join(err, os.Remove(keyPath), os.Remove(tokenPath))
	}
	found.print(out)
	printNext(out, configPath, keyPath, tokenPath, probes)
	return nil
}

// paths gives both files as absolute paths, so that the station finds its keys from any working folder.
func (o Options) paths() (configPath, keyPath string, err error) {
	if o.Output == "" {
		o.Output = config.FileName
	}
	if configPath, err = filepath.Abs(o.Output); err != nil {
		return "", "", fmt.Errorf("%s: %w", o.Output, err)
	}
	if o.KeyFile == "" {
		return configPath, filepath.Join(filepath.Dir(configPath), "keys"), nil
	}
	if keyPath, err = filepath.Abs(o.KeyFile); err != nil {
		return "", "", fmt.Errorf("%s: %w", o.KeyFile, err)
	}
	return configPath, keyPath, nil
}

func occupied(path string) error {
	return fmt.Errorf("%s: exists already and is left as it is; move it away, or choose another folder with --output", path)
}

// create writes a new file whole, and never one that exists.
func create(path string, mode fs.FileMode, content []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return occupied(path)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: there is no such folder; make it with: mkdir -p %s", path, quote(filepath.Dir(path)))
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: permission denied; choose another folder with --output, or use sudo", path)
	case err != nil:
		return fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("%s: cannot be written: %w", path, err), os.Remove(path))
	}
	return nil
}

// port is what a serial port brought.
type port struct {
	device string
	// baud is the speed at which a receiver was heard there, 0 if none was; text says what was heard or why not.
	baud int
	text string
}

// findings is what init saw of the machine.
type findings struct {
	ports []port
	// pulses are PPS devices, chips GPIO chips.
	pulses, chips []string
}

// look listens to all ports at once: three seconds altogether, however many there are.
func look(ctx context.Context, probes Probes, out io.Writer) (f findings, err error) {
	devices, err := probes.Ports()
	if err != nil {
		fmt.Fprintf(out, "The serial ports cannot be listed: %v\n", err)
	}
	seen := map[string]bool{}
	for _, d := range devices {
		if real := probes.real(d); !seen[real] {
			seen[real] = true
			f.ports = append(f.ports, port{device: d})
		}
	}
	if len(f.ports) > 0 {
		fmt.Fprintf(out, "Listening %.0f s on %d serial port(s) …\n", listenFor.Seconds(), len(f.ports))
	}
	var all sync.WaitGroup
	for i := range f.ports {
		p := &f.ports[i]
		all.Go(func() { p.listen(ctx, probes) })
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return f, fmt.Errorf("init was stopped; nothing was written: %w", err)
	}
	for i := range f.ports {
		f.ports[i].device = probes.stable(f.ports[i].device)
	}
	f.pulses, f.chips = probes.Glob("/dev/pps*"), probes.Glob("/dev/gpiochip*")
	return f, nil
}

func (p *port) listen(ctx context.Context, probes Probes) {
	found, err := probes.Listen(ctx, p.device, listenFor)
	if err != nil {
		p.text = strings.TrimPrefix(err.Error(), p.device+": ")
		return
	}
	p.baud, p.text = found.Baud, fmt.Sprintf("%s at %d baud", found.Text, found.Baud)
}

func (f findings) print(out io.Writer) {
	fmt.Fprintln(out, "Found:")
	heard := false
	for _, p := range f.ports {
		fmt.Fprintf(out, "  %s: %s\n", p.device, p.text)
		heard = heard || p.baud > 0
	}
	for _, p := range f.pulses {
		fmt.Fprintf(out, "  %s: a pulse a second\n", p)
	}
	for _, c := range f.chips {
		fmt.Fprintf(out, "  %s: %s\n", c, lines)
	}
	if !heard {
		fmt.Fprintf(out, "  No receiver was heard. The configuration expects one on %s; change device there if it is elsewhere.\n",
			f.sources()[0].device)
	}
}
