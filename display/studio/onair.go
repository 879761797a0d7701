package studio

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrUnknown is the error of a command word, or of a setting, that has no meaning here.
var ErrUnknown = errors.New("has no meaning here")

// OnAirScreen carries out one command of OnAirScreen's UDP and HTTP interface (its user manual, section 7), as automations
// send them: LED1:ON, AIR1:ON, AIR3TIME:90, NOW:…, NEXT:…, WARN:2:…, CONF:LED1:text=…. It says what was done. What it
// does not know, or what is not well formed, changes nothing.
func (b *Board) OnAirScreen(command string) (string, error) {
	if !utf8.ValidString(command) {
		return "", errors.New("the command is not UTF-8")
	}
	command = strings.TrimRight(command, "\r\n\x00 ")
	word, value, ok := strings.Cut(command, ":")
	if !ok {
		return "", fmt.Errorf("%.40q is not WORD:VALUE", command)
	}
	switch {
	case word == "NOW":
		return b.Text(TextOrder{Now: &value})
	case word == "NEXT":
		return b.Text(TextOrder{Next: &value})
	case word == "WARN":
		return b.warn(value)
	case word == "CONF":
		return b.configure(value)
	case word == "AIR3TIME":
		seconds, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return "", fmt.Errorf("AIR3TIME: %.40q is not a number of seconds", value)
		}
		return b.Timer(TimerOrder{Timer: 3, Seconds: pointer(float64(seconds)), Do: Start})
	case word == "AIR3TOH":
		return b.topOfHour(value)
	}
	if n, ok := numbered(word, "LED", Lights); ok {
		o := LightOrder{Light: n}
		switch value {
		case "ON":
			o.On = pointer(true)
		case "OFF":
			o.On = pointer(false)
		case "TOGGLE":
			o.Toggle = true
		default:
			return "", fmt.Errorf("%s: %.40q is none of ON, OFF, TOGGLE", word, value)
		}
		o.Seconds = b.flash(n)
		return b.Light(o)
	}
	if n, ok := numbered(word, "AIR", Timers); ok {
		// The microphone's and the telephone's begin at zero each time they are started.
		do, known := map[string]string{"ON": Start, "OFF": Stop, "TOGGLE": Toggle, "RESET": Reset}[value]
		if !known {
			return "", fmt.Errorf("%s: %.40q is none of ON, OFF, TOGGLE, RESET", word, value)
		}
		if n <= 2 && do != Reset {
			do = b.fromZero(n, do)
		}
		return b.Timer(TimerOrder{Timer: n, Do: do})
	}
	return "", fmt.Errorf("%.40q %w", word, ErrUnknown)
}

// fromZero is what starts and stops a timer that does not keep what it counted.
func (b *Board) fromZero(timer int, do string) string {
	b.mu.Lock()
	running := b.timers[timer-1].Running
	b.mu.Unlock()
	switch {
	case do == Start && running:
		return Start
	case do == Stop, do == Toggle && running:
		return Stop
	}
	return Restart
}

// warn puts up or takes away one of the three warnings: WARN:text, WARN:1:text, WARN:2:text.
func (b *Board) warn(value string) (string, error) {
	number, text, ok := strings.Cut(value, ":")
	level := strings.Index("012", number)
	if !ok || len(number) != 1 || level < 0 {
		level, text = 0, value
	}
	priority := []Priority{Notice, Warning, Urgent}[level]
	line := []rune(clean(text))
	line = line[:min(len(line), longestText)]
	return b.Message(MessageOrder{ID: fmt.Sprintf("warn-%d", level), Text: string(line), Priority: priority})
}

// topOfHour counts the third timer down to the full hour, or stops that.
func (b *Board) topOfHour(value string) (string, error) {
	b.mu.Lock()
	running := b.timers[2].Kind == Until && b.timers[2].Running
	b.mu.Unlock()
	switch value {
	case "ON", "TOGGLE", "":
		if value != "ON" && running {
			break
		}
		return b.Timer(TimerOrder{Timer: 3, At: "hour"})
	case "OFF":
	default:
		return "", fmt.Errorf("AIR3TOH: %.40q is none of ON, OFF, TOGGLE", value)
	}
	if !running {
		return "the third timer does not count down to the hour", nil
	}
	return b.Timer(TimerOrder{Timer: 3, Do: Reset})
}

// flashFor is how long a light with timedflash is lit, in seconds.
const flashFor = 20

func (b *Board) flash(light int) float64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timed[light-1] {
		return flashFor
	}
	return 0
}

// configure carries out CONF:group:key=value. A setting holds at once; CONF:CONF:APPLY=TRUE is therefore nothing to do.
func (b *Board) configure(value string) (string, error) {
	group, rest, _ := strings.Cut(value, ":")
	key, value, ok := strings.Cut(rest, "=")
	if !ok {
		return "", fmt.Errorf("CONF: %.60q is not GROUP:KEY=VALUE", group+":"+rest)
	}
	unknown := fmt.Errorf("CONF:%.40s:%.40s %w", group, key, ErrUnknown)
	if group == "CONF" && key == "APPLY" {
		return "settings hold at once", nil
	}
	if n, ok := numbered(group, "LED", Lights); ok {
		o := LightOrder{Light: n}
		switch key {
		case "text":
			o.Name = pointer(clean(value))
		case "activebgcolor":
			o.Colour = pointer(strings.Replace(strings.ToLower(value), "0x", "#", 1))
		case "autoflash":
			on, err := truth(value)
			if err != nil {
				return "", fmt.Errorf("CONF:%s:%s: %w", group, key, err)
			}
			o.Blink = &on
		case "timedflash":
			on, err := truth(value)
			if err != nil {
				return "", fmt.Errorf("CONF:%s:%s: %w", group, key, err)
			}
			b.mu.Lock()
			b.timed[n-1] = on
			b.mu.Unlock()
			o.Blink = &on
		default:
			return "", unknown
		}
		return b.Light(o)
	}
	if name, ok := strings.CutPrefix(key, "TimerAIR"); group == "Timers" && ok {
		if name, ok = strings.CutSuffix(name, "Text"); ok && len(name) == 1 {
			if n, ok := numbered("AIR"+name, "AIR", Timers); ok {
				return b.Timer(TimerOrder{Timer: n, Name: pointer(clean(value))})
			}
		}
	}
	return "", unknown
}

func truth(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("%.40q is neither True nor False", value)
}

// numbered takes LED3 apart.
func numbered(word, prefix string, most int) (int, bool) {
	digits, ok := strings.CutPrefix(word, prefix)
	if !ok || len(digits) != 1 {
		return 0, false
	}
	n := int(digits[0] - '0')
	return n, n >= 1 && n <= most
}

func pointer[T any](v T) *T { return &v }
