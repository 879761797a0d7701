package studio

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"timestation/refclock"
)

// wall is a board whose time the test moves.
type wall struct {
	*Board
	now   refclock.Instant
	known bool
}

func newWall(t *testing.T) *wall {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w := &wall{now: refclock.Date(2026, 3, 28, 20, 15, 30, 0).Instant(37), known: true}
	w.Board = NewBoard(DefaultLights(), func() (refclock.Instant, bool) { return w.now, w.known }, berlin)
	return w
}

func (w *wall) say(t *testing.T, command string) string {
	t.Helper()
	done, err := w.OnAirScreen(command)
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return done
}

func (w *wall) timer(t *testing.T, name string) (Timer, bool) {
	t.Helper()
	for _, timer := range w.State().Timers {
		if timer.Name == name {
			return timer, true
		}
	}
	return Timer{}, false
}

func TestLights(t *testing.T) {
	w := newWall(t)
	var followed []int
	w.Follow(func(light int, on bool) { followed = append(followed, light) })
	w.say(t, "LED1:ON\n")
	if l := w.State().Lights[0]; !l.On || l.Since != w.now || l.Name != "ON AIR" || !l.Timed {
		t.Errorf("%+v", l)
	}
	began := w.now
	w.now = w.now.Add(time.Minute)
	w.say(t, "LED1:ON")
	if l := w.State().Lights[0]; l.Since != began {
		t.Error("switched on again, it began anew")
	}
	w.say(t, "LED1:TOGGLE")
	w.say(t, "CONF:LED3:text=Gäste")
	w.say(t, "CONF:LED3:activebgcolor=0x00FF00")
	w.say(t, "CONF:LED3:timedflash=True")
	w.say(t, "LED3:ON")
	if l := w.State().Lights[2]; !l.On || !l.Blink || l.Name != "Gäste" || l.Colour != "#00ff00" {
		t.Errorf("%+v", l)
	}
	w.now = w.now.Add(flashFor * time.Second)
	if w.State().Lights[2].On {
		t.Error("a timed flash goes on for ever")
	}
	w.say(t, "LED3:ON")
	on := true
	if _, err := w.Light(LightOrder{Light: 3, On: &on}); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(flashFor * time.Second)
	if !w.State().Lights[2].On {
		t.Error("a light that was lit for good goes out because it had flashed before")
	}
	if !reflect.DeepEqual(followed, []int{0, 0, 2, 2, 2}) {
		t.Errorf("followed: %v", followed)
	}
}

func TestMessagesByPriority(t *testing.T) {
	w := newWall(t)
	w.say(t, "WARN:phones are down")
	w.say(t, "WARN:2:FIRE: leave the house")
	if _, err := w.Message(MessageOrder{Text: "guest at gate B", Seconds: 30}); err != nil {
		t.Fatal(err)
	}
	texts := func() (all []string) {
		for _, m := range w.State().Messages {
			all = append(all, m.Text)
		}
		return
	}
	if got := texts(); !reflect.DeepEqual(got, []string{"FIRE: leave the house", "guest at gate B", "phones are down"}) {
		t.Errorf("%q", got)
	}
	w.now = w.now.Add(30 * time.Second)
	w.say(t, "WARN:2:")
	if got := texts(); !reflect.DeepEqual(got, []string{"phones are down"}) {
		t.Errorf("%q", got)
	}
	w.say(t, "WARN:")
	if got := texts(); got != nil {
		t.Errorf("%q", got)
	}
	w.say(t, "NOW:Bach\x07 – Air")
	w.say(t, "NEXT:News")
	if s := w.State(); s.Now != "Bach – Air" || s.Next != "News" {
		t.Errorf("%+v", s)
	}
	for range maxMessages {
		if _, err := w.Message(MessageOrder{Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Message(MessageOrder{Text: "x"}); err == nil {
		t.Error("the list has no bound")
	}
}

func TestTimers(t *testing.T) {
	w := newWall(t)
	shows := func(name string) time.Duration {
		timer, ok := w.timer(t, name)
		if !ok {
			t.Fatalf("timer %s is not on the wall", name)
		}
		return timer.Shows(w.now)
	}
	w.say(t, "AIR1:ON")
	w.say(t, "AIR4:ON")
	w.say(t, "AIR3TIME:90")
	w.now = w.now.Add(10 * time.Second)
	if a, b, c := shows("Mic"), shows("Stream"), shows("Timer"); a != 10*time.Second || b != a || c != 80*time.Second {
		t.Error(a, b, c)
	}
	w.say(t, "AIR1:OFF")
	w.say(t, "AIR4:OFF")
	w.now = w.now.Add(5 * time.Second)
	w.say(t, "AIR1:ON") // the microphone's begins anew, the stream's goes on
	w.say(t, "AIR4:ON")
	w.now = w.now.Add(1 * time.Second)
	if a, b := shows("Mic"), shows("Stream"); a != time.Second || b != 11*time.Second {
		t.Error(a, b)
	}
	w.say(t, "AIR3:RESET")
	if _, ok := w.timer(t, "Timer"); ok {
		t.Error("a timer that was reset is still on the wall")
	}
	w.say(t, "CONF:Timers:TimerAIR2Text=Hotline")
	w.say(t, "AIR2:TOGGLE")
	if shows("Hotline") != 0 {
		t.Error("the second timer does not begin at zero")
	}
}

// TestBackTiming: the night of 28 March 2026 has no 02:30 in Berlin, and 03:30 comes an hour early.
func TestBackTiming(t *testing.T) {
	w := newWall(t) // 21:15:30 in Berlin
	w.say(t, "AIR3TOH:ON")
	if timer, _ := w.timer(t, "Timer"); timer.Shows(w.now) != 44*time.Minute+30*time.Second {
		t.Errorf("to the hour: %v", timer.Shows(w.now))
	}
	w.now = w.now.Add(45 * time.Minute)
	if timer, _ := w.timer(t, "Timer"); timer.Shows(w.now) != -30*time.Second {
		t.Errorf("after the hour: %v", timer.Shows(w.now))
	}
	w.now = w.now.Add(31 * time.Second)
	if _, ok := w.timer(t, "Timer"); ok {
		t.Error("a moment long past is still on the wall")
	}
	for at, want := range map[string]time.Duration{
		"23:00": time.Hour - 61*time.Second, "22:00": 23*time.Hour - 61*time.Second,
		"03:30:00": 5*time.Hour + 30*time.Minute - time.Hour - 61*time.Second,
	} {
		if _, err := w.Timer(TimerOrder{Timer: 2, At: at}); err != nil {
			t.Fatal(err)
		}
		timer, _ := w.timer(t, "Phone")
		if got := timer.Shows(w.now); got != want {
			t.Errorf("to %s: %v, want %v", at, got, want)
		}
	}
}

// TestUnknownTime: what needs the time says so while the station does not know it, and lights work all the same.
func TestUnknownTime(t *testing.T) {
	w := newWall(t)
	w.known = false
	if _, err := w.OnAirScreen("AIR1:ON"); !errors.Is(err, errNoTime) {
		t.Error(err)
	}
	w.say(t, "LED2:ON")
	if l := w.State().Lights[1]; !l.On || !l.Since.IsZero() {
		t.Errorf("%+v", l)
	}
}

func TestRefused(t *testing.T) {
	w := newWall(t)
	for command, want := range map[string]string{
		"LED5:ON":                   "has no meaning here",
		"CMD:REBOOT":                "has no meaning here",
		"CONF:Network:udpport=1":    "has no meaning here",
		"CONF:LED1:text=":           "name: is missing",
		"LED1:on":                   "none of ON, OFF, TOGGLE",
		"AIR3TIME:-1":               "is not a number of seconds",
		"AIR3TIME:99999999":         "is not between 0 and",
		"hello":                     "is not WORD:VALUE",
		"NOW:\xff":                  "is not UTF-8",
		"CONF:LED1:autoflash=maybe": "neither True nor False",
	} {
		before := w.State()
		if _, err := w.OnAirScreen(command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", command, err, want)
		}
		if !reflect.DeepEqual(before, w.State()) {
			t.Errorf("%q was refused and changed something", command)
		}
	}
}

// FuzzOnAirScreen: no command breaks the board, and what is refused is not obeyed in part.
func FuzzOnAirScreen(f *testing.F) {
	for _, s := range []string{"LED1:ON", "LED4:TOGGLE", "AIR1:ON", "AIR3TIME:90", "AIR3TOH:TOGGLE", "NOW:a", "NEXT:", "WARN:2:x", "WARN:",
		"CONF:LED2:text=DOOR", "CONF:LED2:timedflash=True", "CONF:Timers:TimerAIR2Text=x", "CONF:CONF:APPLY=TRUE", "CMD:QUIT", ":", "CONF:::="} {
		f.Add(s, "LED1:OFF", uint32(5))
	}
	f.Fuzz(func(t *testing.T, first, second string, seconds uint32) {
		now := refclock.Date(2026, 3, 28, 20, 15, 30, 0).Instant(37)
		b := NewBoard(DefaultLights(), func() (refclock.Instant, bool) { return now, true }, time.UTC)
		for _, command := range []string{first, second} {
			before := b.State()
			_, err := b.OnAirScreen(command)
			after := b.State()
			if err != nil && !reflect.DeepEqual(before, after) {
				t.Fatalf("%q was refused (%v) and changed %+v into %+v", command, err, before, after)
			}
			for _, l := range after.Lights {
				if l.Name == "" || validName(l.Name) != nil || validColour(l.Colour) != nil {
					t.Fatalf("%q made %+v", command, l)
				}
			}
			now = now.Add(time.Duration(seconds) * time.Millisecond)
		}
	})
}
