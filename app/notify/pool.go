package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

func init() {
	register(Registration{
		Kind: "pool",
		Help: "A file, a command, or both, that say whether this station should be in a pool of time servers right now: for a " +
			"DNS zone, a load balancer, keepalived. It is out at once when the time is not good enough, and in when it has " +
			"been good for a while; a station that stops is out.",
		NewSettings: func() Settings { return &poolSettings{Holdover: true, SettleSeconds: 60} },
		New: func(s Settings, e Environment) (any, error) {
			return &pool{settings: *s.(*poolSettings), env: e, run: runHook}, nil
		},
	})
}

type poolSettings struct {
	File            string   `mapstructure:"file" help:"The file, replaced as a whole at each change: while the station is in, the records; while it is out, a comment that says why. Empty: none."`
	Records         []string `mapstructure:"records" help:"The lines of the file while the station is in, such as [\"time 60 IN A 192.0.2.7\"] for $INCLUDE in a zone."`
	Command         []string `mapstructure:"command" help:"What is run at the start, at each change and at the end; in or out and the reason are its last arguments. Empty: nothing."`
	MaxErrorSeconds float64  `mapstructure:"max_error_seconds" help:"Out beyond this error bound; 0: while the station itself says that it does not know the time."`
	Holdover        bool     `mapstructure:"holdover" help:"In during holdover too, as long as the bound allows it."`
	SettleSeconds   float64  `mapstructure:"settle_seconds" help:"For how long the time must have been good before the station is in."`
}

func (c *poolSettings) Validate() error {
	const day = 86400
	switch {
	case c.File == "" && len(c.Command) == 0:
		return errors.New("file: is empty, and so is command: nobody would be told; set one of them")
	case c.File != "" && !filepath.IsAbs(c.File):
		return fmt.Errorf("file: %q is not an absolute path; write for instance \"/var/lib/timestation/pool.zone\"", c.File)
	case c.File != "" && len(c.Records) == 0:
		return errors.New(`records: is empty; write what the file has while the station is in, such as ["time 60 IN A 192.0.2.7"]`)
	case len(c.Command) > 0 && c.Command[0] == "":
		return errors.New("command: names no program")
	case !(c.SettleSeconds >= 0 && c.SettleSeconds <= day):
		return fmt.Errorf("settle_seconds: %g is not within 0 to %d", c.SettleSeconds, day)
	}
	for _, r := range c.Records {
		if strings.ContainsAny(r, "\r\n") {
			return fmt.Errorf("records: %q has a line break; write one record an item", r)
		}
	}
	return checkMaxError(c.MaxErrorSeconds)
}

const (
	// hookWithin bounds a run of the command, lastHookWithin the one at the end; hookAgain is when a failed one is run
	// again.
	hookWithin     = 30 * time.Second
	lastHookWithin = 400 * time.Millisecond
	hookAgain      = time.Minute
)

// pool keeps the file and runs the command.
type pool struct {
	settings poolSettings
	env      Environment
	run      func(ctx context.Context, command []string) error

	mu     sync.Mutex
	shows  string
	broken error
}

// Follow implements Follower.
func (p *pool) Follow(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var goodSince, next time.Time
	told, said := "", false
	for {
		good, why := valid(p.env.Status(), p.settings.MaxErrorSeconds, p.settings.Holdover)
		if !good {
			goodSince = time.Time{}
		} else if goodSince.IsZero() {
			goodSince = time.Now()
		}
		in := good && time.Since(goodSince).Seconds() >= p.settings.SettleSeconds
		if good && !in {
			why = "it has not been good for long enough"
		}
		now := "out"
		if in {
			now = "in"
		}
		if now != told || !said && !time.Now().Before(next) {
			err := p.tell(ctx, in, why, hookWithin)
			if ctx.Err() == nil {
				p.note(now, why, err)
			}
			told, said, next = now, err == nil, time.Time{}
			if err != nil {
				next = time.Now().Add(hookAgain)
			}
		}
		select {
		case <-ctx.Done():
			_ = p.tell(context.WithoutCancel(ctx), false, "the station stops", lastHookWithin) // nobody is left to be told
			return
		case <-look.C:
		}
	}
}

// tell writes the file and runs the command.
func (p *pool) tell(ctx context.Context, in bool, why string, within time.Duration) error {
	word, text := "out", "; out of the pool: "+oneLine(why)+"\n"
	if in {
		word, text = "in", strings.Join(p.settings.Records, "\n")+"\n"
	}
	var failed error
	if p.settings.File != "" {
		failed = replaceFile(p.settings.File, text)
	}
	if len(p.settings.Command) > 0 {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		failed = errors.Join(failed, p.run(ctx, append(p.settings.Command[:len(p.settings.Command):len(p.settings.Command)], word, oneLine(why))))
	}
	return failed
}

// replaceFile writes beside a file and renames, so that nobody reads half of it.
func replaceFile(path, text string) error {
	const mode = 0o644 // for a name server's user
	beside := path + ".new"
	if err := os.WriteFile(beside, []byte(text), mode); err != nil {
		return err
	}
	return os.Rename(beside, path)
}

// runHook runs the command.
func runHook(ctx context.Context, command []string) error {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = time.Second
	said, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", command[0], err, oneLine(string(said)))
	}
	return nil
}

func (p *pool) note(word, why string, err error) {
	p.env.fails(err)
	p.env.Log.Info("pool", "state", word, "reason", why)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shows, p.broken = "the station is "+word, err
	if why != "" {
		p.shows += ": " + why
	}
}

// Test implements Tester.
func (p *pool) Test(context.Context) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shows, p.broken
}
