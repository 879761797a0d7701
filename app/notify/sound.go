package notify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"time"

	"timestation/engine/status"
)

func init() {
	register(Registration{
		Kind: "sound", People: true,
		Help: "A gong on the station itself when an alert is raised, grows worse or is escalated; three times if it is critical. " +
			"That one ends or was seen makes no sound.",
		NewSettings: func() Settings { return &soundSettings{} },
		New: func(s Settings, e Environment) (any, error) {
			return &sounder{s.(*soundSettings).Command, exec.LookPath}, nil
		},
	})
}

type soundSettings struct {
	Command []string `mapstructure:"command" help:"The player and its arguments, such as [\"aplay\", \"-q\", \"-D\", \"plughw:1\"]; the sound's file, a WAV, comes last. Empty: the first of pw-play, paplay and aplay that there is."`
}

func (c *soundSettings) Validate() error {
	if len(c.Command) > 0 && c.Command[0] == "" {
		return errors.New(`command: names no program; write for instance ["aplay", "-q"]`)
	}
	return nil
}

// sounder plays the gong.
type sounder struct {
	command []string
	look    func(program string) (string, error)
}

// player is the command that is run.
func (s *sounder) player() ([]string, error) {
	commands := [][]string{s.command}
	if len(s.command) == 0 {
		commands = [][]string{{"pw-play"}, {"paplay"}, {"aplay", "-q"}}
	}
	for _, c := range commands {
		if path, err := s.look(c[0]); err == nil {
			return append([]string{path}, c[1:]...), nil
		}
	}
	if len(s.command) > 0 {
		return nil, fmt.Errorf("there is no player %q; install it, or name another in command", s.command[0])
	}
	return nil, errors.New("there is no player (pw-play, paplay, aplay); install alsa-utils, or name one in command")
}

// Send implements Sink.
func (s *sounder) Send(ctx context.Context, n Notice) (string, error) {
	player, err := s.player()
	if err != nil {
		return "", err
	}
	if n.Kind == Cleared || n.Kind == Acknowledged {
		return "no sound for this", nil
	}
	strokes := 1
	if n.Worst() == status.Critical {
		strokes = 3
	}
	f, err := os.CreateTemp("", "timestation-*.wav")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(gong(strokes))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	const grace = time.Second
	c := exec.CommandContext(ctx, player[0], append(player[1:], f.Name())...)
	c.WaitDelay = grace
	said, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", player[0], err, oneLine(string(said)))
	}
	return strings.TrimSpace(fmt.Sprintf("%s played it %s", player[0], oneLine(string(said)))), nil
}

// gong makes a WAV of strokes: 16 bit, one channel, 22,050 Hz; two tones a fourth apart that fade.
func gong(strokes int) []byte {
	const (
		rate     = 22050
		seconds  = 0.9
		low      = 587.33 // Hz, D5
		high     = 783.99 // Hz, G5
		fade     = 4.0    // to 1/e, per second
		attack   = 0.005  // seconds
		loudness = 0.45 * math.MaxInt16
	)
	const n = int(rate * seconds)
	stroke := make([]int16, n)
	for i := range stroke {
		t := float64(i) / rate
		envelope := math.Exp(-fade*t) * min(1, t/attack) * min(1, (seconds-t)/0.05)
		stroke[i] = int16(loudness * envelope * (math.Sin(2*math.Pi*low*t) + math.Sin(2*math.Pi*high*t)))
	}
	size := uint32(strokes * n * 2)
	var b bytes.Buffer
	b.WriteString("RIFF")
	for _, v := range []any{size + 36, [8]byte([]byte("WAVEfmt ")), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2),
		uint16(16), [4]byte([]byte("data")), size} {
		_ = binary.Write(&b, binary.LittleEndian, v) // a Buffer takes everything
	}
	for range strokes {
		_ = binary.Write(&b, binary.LittleEndian, stroke)
	}
	return b.Bytes()
}
