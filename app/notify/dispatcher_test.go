package notify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"timestation/engine/guard"
	"timestation/engine/state"
	"timestation/engine/status"
)

// What happens to an alert is told once, a restart included.
func TestToldOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.alerts.EscalateAfter(15 * time.Minute)
		mail := w.place("mail", "test-people", nil)
		w.raise(status.Critical, "unsynchronised", "")
		w.start()
		w.raise(status.Warning, "source-lost", "gps0")
		w.pass(time.Minute)
		expect := func(want string) {
			t.Helper()
			if got := mail.words(); got != want {
				t.Fatalf("told %q, want %q", got, want)
			}
		}
		first := "raised unsynchronised; raised source-lost gps0"
		expect(first)
		w.raise(status.Warning, "source-lost", "gps0")
		w.pass(time.Minute)
		w.restart()
		w.alerts.EscalateAfter(15 * time.Minute)
		w.raise(status.Critical, "unsynchronised", "")
		w.raise(status.Warning, "source-lost", "gps0")
		w.pass(14 * time.Minute)
		expect(first)
		if err := w.alerts.Acknowledge("source-lost", "gps0", "anna"); err != nil {
			t.Fatal(err)
		}
		w.pass(2 * time.Minute)
		second := first + "; acknowledged source-lost gps0; escalated unsynchronised"
		expect(second)
		w.restart() // the cause of one of them does not come back
		w.raise(status.Critical, "unsynchronised", "")
		w.pass(10 * time.Minute)
		expect(second + "; cleared source-lost gps0")
		ids := map[string]bool{}
		for _, n := range mail.sent {
			if ids[n.ID] || n.At.Seconds == 0 || n.Station != "Studio" {
				t.Errorf("%+v", n)
			}
			ids[n.ID] = true
		}
	})
}

// A place that is down gets all of it later, with the times when it happened, over a restart; nobody else waits.
func TestDownAndBack(t *testing.T) {
	inWorld(t, func(w *world) {
		mail, other := w.place("mail", "test-people", nil), w.place("hook", "test-program", nil)
		var tried []string
		mail.answer(func(_ context.Context, n Notice) (string, error) { tried = append(tried, n.ID); return "", errDown })
		w.start()
		w.raise(status.Warning, "source-lost", "gps0")
		raised := w.utc()
		w.pass(2 * time.Second)
		if other.words() != "raised source-lost gps0" || mail.count() != 0 {
			t.Fatalf("mail %q, hook %q", mail.words(), other.words())
		}
		w.pass(time.Hour)
		if n := len(tried); n < 8 || n > 14 {
			t.Errorf("%d attempts in an hour; they should grow rarer", n)
		}
		if got := other.words(); got != "raised source-lost gps0; raised notify-failing mail" {
			t.Errorf("the other place was told %q", got)
		}
		w.alerts.Clear("source-lost", "gps0")
		cleared := w.utc()
		w.pass(time.Minute)
		w.restart()
		w.pass(time.Minute)
		mail.answer(nil)
		w.pass(11 * time.Minute)
		if got := mail.words(); got != "raised source-lost gps0; cleared source-lost gps0" {
			t.Fatalf("when it was back it was told %q", got)
		}
		if mail.sent[0].At.Seconds < raised.Seconds || mail.sent[0].At.Seconds > raised.Seconds+1 || mail.sent[0].ID != tried[0] {
			t.Errorf("raised at %v under %s, told as %v under %s", raised, tried[0], mail.sent[0].At, mail.sent[0].ID)
		}
		if at := mail.sent[1].At; at.Seconds < cleared.Seconds || at.Seconds > cleared.Seconds+1 {
			t.Errorf("cleared at %v, told as %v", cleared, at)
		}
		if got := other.words(); !strings.HasSuffix(got, "cleared notify-failing mail") {
			t.Errorf("the other place was told %q", got)
		}
	})
}

// A place that hangs, even past all patience, holds back nobody, and goes on when it comes back.
func TestHangingPlace(t *testing.T) {
	inWorld(t, func(w *world) {
		mail, other := w.place("mail", "test-people", nil), w.place("hook", "test-program", nil)
		comeBack := make(chan struct{})
		mail.answer(func(context.Context, Notice) (string, error) { <-comeBack; return "", errDown })
		w.start()
		for i := range 5 {
			w.raise(status.Warning, "source-lost", fmt.Sprint("gps", i))
			w.pass(2 * time.Second)
		}
		if other.count() != 5 {
			t.Errorf("the other place was told %q", other.words())
		}
		if _, err := w.run.Test(context.Background(), "mail"); err != nil {
			t.Error(err)
		}
		w.pass(20 * time.Minute)
		if mail.tries != 1 {
			t.Errorf("%d attempts while the first still hangs", mail.tries)
		}
		mail.answer(nil)
		close(comeBack)
		w.pass(15 * time.Minute)
		if got := mail.words(); strings.Count(got, "raised source-lost") != 5 {
			t.Errorf("when it was back it was told %q", got)
		}
		forever := make(chan struct{})
		mail.answer(func(context.Context, Notice) (string, error) { <-forever; return "", errDown })
		w.raise(status.Warning, "source-lost", "last")
		w.pass(2 * time.Second)
		began := time.Now()
		w.stop()
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end took %v", took)
		}
		close(forever)
	})
}

// A place that refuses for good is told to others, and what it refuses makes room.
func TestRefusingPlace(t *testing.T) {
	inWorld(t, func(w *world) {
		mail, other := w.place("mail", "test-people", nil), w.place("hook", "test-program", nil)
		mail.answer(func(_ context.Context, n Notice) (string, error) {
			if n.Alert.Source == "gps0" {
				return "", fmt.Errorf("550 no such user: %w", ErrRefused)
			}
			return "250 ok", nil
		})
		w.start()
		w.raise(status.Warning, "source-lost", "gps0")
		w.pass(2 * time.Second)
		w.raise(status.Warning, "source-lost", "gps1")
		w.pass(time.Hour)
		if got := mail.words(); got != "raised source-lost gps1" || mail.tries != refusals+1 {
			t.Errorf("after %d attempts: %q", mail.tries, got)
		}
		if got := other.words(); !strings.Contains(got, "raised notify-failing mail; cleared notify-failing mail") {
			t.Errorf("the other place was told %q", got)
		}
	})
}

func TestWhoIsTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.alerts.EscalateAfter(15 * time.Minute)
		all := w.place("all", "test-program", nil)
		grave := w.place("grave", "test-program", func(c *Config) { c.Severity = string(status.Critical) })
		boss := w.place("boss", "test-program", func(c *Config) { c.EscalatedOnly = true })
		w.start()
		w.raise(status.Info, "leap-announced", "")
		w.raise(status.Warning, "source-lost", "gps0")
		w.raise(status.Critical, "drift", "gps1")
		w.pass(time.Minute)
		w.raise(status.Critical, "source-lost", "gps0")
		if err := w.alerts.Acknowledge("drift", "gps1", "anna"); err != nil {
			t.Fatal(err)
		}
		w.pass(15 * time.Minute)
		w.raise(status.Warning, "source-lost", "gps0") // milder at the end
		w.alerts.Clear("source-lost", "gps0")
		w.alerts.Clear("drift", "gps1")
		w.pass(time.Minute)
		for place, want := range map[*fake]string{
			all: "raised leap-announced; raised source-lost gps0; raised drift gps1; worsened source-lost gps0; " +
				"acknowledged drift gps1; escalated source-lost gps0; cleared source-lost gps0; cleared drift gps1",
			grave: "raised drift gps1; worsened source-lost gps0; acknowledged drift gps1; escalated source-lost gps0; " +
				"cleared source-lost gps0; cleared drift gps1",
			boss: "escalated source-lost gps0; cleared source-lost gps0",
		} {
			if got := place.words(); got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
	})
}

// A hundred alerts at once are one message, and so is what comes while there is no room.
func TestStorm(t *testing.T) {
	inWorld(t, func(w *world) {
		mail := w.place("mail", "test-people", nil)
		w.start()
		for i := range 100 {
			severity := status.Warning
			if i == 99 {
				severity = status.Critical
			}
			w.raise(severity, "source-lost", fmt.Sprint("gps", i))
		}
		w.pass(2 * time.Second)
		if mail.count() != 1 || mail.sent[0].Kind != Summary || len(mail.sent[0].Parts) != 100 {
			t.Fatalf("told %q", mail.words())
		}
		text := english.plain(mail.sent[0], w.utc(), time.UTC)
		if lines := strings.Count(text, "\n"); lines != mostParts+2 || !strings.Contains(text, "and 50 more") ||
			!strings.Contains(strings.Split(text, "\n")[1], "gps99") || english.headline(mail.sent[0]) != "Studio: CRITICAL: 100 messages in one" {
			t.Errorf("%s\n%s", english.headline(mail.sent[0]), text)
		}
		for i := range 100 {
			w.alerts.Clear("source-lost", fmt.Sprint("gps", i))
			w.pass(5 * time.Second)
		}
		w.pass(10 * time.Minute)
		told := 0
		for _, n := range mail.sent[1:] {
			told += max(1, len(n.Parts))
		}
		if told != 100 || mail.count() > 1+8+2 {
			t.Errorf("100 ends were told as %d in %d messages", told, mail.count()-1)
		}
	})
}

// A queue is bounded, and says what it lost.
func TestQueueIsBounded(t *testing.T) {
	inWorld(t, func(w *world) {
		hook := w.place("hook", "test-program", nil)
		hook.answer(down)
		w.start()
		const each, rounds = 150, 4
		for range rounds {
			for i := range each {
				w.raise(status.Warning, "source-lost", fmt.Sprint("gps", i))
			}
			w.pass(3 * time.Hour)
			for i := range each {
				w.alerts.Clear("source-lost", fmt.Sprint("gps", i))
			}
			w.pass(3 * time.Hour)
		}
		w.restart()
		hook.answer(nil)
		w.pass(11 * time.Minute)
		if hook.count() == 0 || len(hook.sent[0].Parts) != mostQueued || hook.sent[0].Dropped < 2*each*rounds-mostQueued {
			t.Errorf("of %d notices: %d parts, %d dropped", 2*each*rounds, len(hook.sent[0].Parts), hook.sent[0].Dropped)
		}
		if n := len(w.run.outboxes[0].queue); n != 0 {
			t.Errorf("%d are left", n)
		}
	})
}

// The count of starts, by which an SNMP manager tells old messages from new, goes on whatever becomes of the queue.
func TestStartsAreCounted(t *testing.T) {
	w := &world{t: t, dir: t.TempDir(), alerts: guard.NewAlerts(systemUTC)}
	count := func() uint32 {
		t.Helper()
		d, err := New(nil, w.options())
		if err != nil {
			t.Fatal(err)
		}
		return d.starts
	}
	if a, b := count(), count(); a != 1 || b != 2 {
		t.Errorf("counted %d, %d", a, b)
	}
	if err := os.WriteFile(filepath.Join(w.dir, folder, state.FileName), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 3 {
		t.Errorf("after the queue was damaged it is %d", n)
	}
}

// What happens before the station knows the time is told at once to who can be reached, and with its true time as soon
// as that is known to who cannot.
func TestBeforeTheTimeIsKnown(t *testing.T) {
	inWorld(t, func(w *world) {
		w.know(false)
		mail, other := w.place("mail", "test-people", nil), w.place("hook", "test-program", nil)
		mail.answer(down)
		w.start()
		w.pass(10 * time.Second)
		w.raise(status.Warning, "source-lost", "gps0")
		w.pass(10 * time.Minute)
		w.know(true)
		w.pass(time.Second)
		mail.answer(nil)
		w.pass(10 * time.Minute)
		if mail.count() == 0 || other.count() == 0 {
			t.Fatalf("mail %q, hook %q", mail.words(), other.words())
		}
		if at := other.sent[0].At; at.Seconds != 0 {
			t.Errorf("a time was made up: %v", at)
		}
		want := epoch
		want.Seconds += 11
		if n := mail.sent[0]; n.At.Seconds < want.Seconds-1 || n.At.Seconds > want.Seconds || n.Alert.Since != n.At {
			t.Errorf("raised at %v, told as %v, since %v", want, n.At, n.Alert.Since)
		}
	})
}

// A day in which alerts come and go: what each place is sent is bounded, as the package's documentation states it.
func TestADayOfFlapping(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		alerts int
		turn   func(r *rand.Rand) time.Duration
		// people and programs is the most that each may be sent.
		people, programs int
	}{
		"every 3 s":                   {1, func(*rand.Rand) time.Duration { return 3 * time.Second }, 30, 30},
		"every minute":                {1, func(*rand.Rand) time.Duration { return time.Minute }, 30, 30},
		"every 6 minutes":             {1, func(*rand.Rand) time.Duration { return 6 * time.Minute }, 30, 30},
		"every 70 minutes":            {1, func(*rand.Rand) time.Duration { return 70 * time.Minute }, 30, 30},
		"40 of them, as it comes":     {40, func(r *rand.Rand) time.Duration { return time.Duration(r.ExpFloat64() * float64(5*time.Minute)) }, 152, 40 * 30},
		"10 of them, every 7 minutes": {10, func(*rand.Rand) time.Duration { return 7 * time.Minute }, 152, 10 * 30},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.dir = "" // the disk is no part of this
				mail, hook := w.place("mail", "test-people", nil), w.place("hook", "test-program", nil)
				w.start()
				ends := time.Now().Add(day)
				random := rand.New(rand.NewPCG(1, 2))
				for i := range c.alerts {
					source, r := fmt.Sprint("gps", i), rand.New(rand.NewPCG(random.Uint64(), 3))
					go func() {
						for time.Now().Before(ends) {
							w.raise(status.Warning, "source-lost", source)
							time.Sleep(c.turn(r))
							w.alerts.Clear("source-lost", source)
							time.Sleep(c.turn(r))
						}
					}()
				}
				w.pass(day)
				people, programs := mail.count(), hook.count()
				t.Logf("people were sent %d messages, programs %d", people, programs)
				if people > c.people || programs > c.programs || people == 0 {
					t.Errorf("people were sent %d of at most %d messages, programs %d of %d", people, c.people, programs, c.programs)
				}
				w.pass(2 * time.Hour) // all is calm: the end is told
				last := map[string]Kind{}
				for _, n := range mail.sent {
					for _, p := range append([]Notice{n}, n.Parts...) {
						last[p.Alert.Source] = p.Kind
					}
				}
				for i := range c.alerts {
					if kind := last[fmt.Sprint("gps", i)]; kind != Cleared {
						t.Errorf("the last that was told of gps%d is %q", i, kind)
					}
				}
			})
		})
	}
}

func TestTests(t *testing.T) {
	inWorld(t, func(w *world) {
		w.place("mail", "test-people", func(c *Config) { c.Severity = string(status.Critical) })
		broken := w.place("hook", "test-program", nil)
		broken.answer(down)
		w.start()
		results, err := w.run.Test(context.Background(), "")
		if err != nil || len(results) != 2 || results[0].Name != "mail" || results[0].Answer != "taken" || results[1].Err != errDown {
			t.Errorf("%+v, %v", results, err)
		}
		if _, err := w.run.Test(context.Background(), "fax"); err == nil || err.Error() != `there is no place called "fax"; there are: hook, mail` {
			t.Errorf("%v", err)
		}
		w.pass(time.Hour)
		if broken.count() != 0 || broken.tries != 1 {
			t.Error("a test was queued")
		}
	})
}
