package notify

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A far side that takes the connection and then says nothing costs no more than the time that an attempt has.
func TestSlowFarSides(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			if _, err := l.Accept(); err != nil { // and keeps it
				return
			}
		}
	}()
	release := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release); web.Close() })
	udp, err := net.ListenPacket("udp", "127.0.0.1:0") // nobody reads it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close() })
	address := l.Addr().String()
	for kind, set := range map[string]func(Settings){
		"mail": func(s Settings) {
			m := s.(*mailSettings)
			m.Server, m.From, m.To = address, "time@example.org", []string{"ops@example.org"}
		},
		"syslog":  func(s Settings) { m := s.(*syslogSettings); m.Server, m.Transport = address, "tls" },
		"webhook": func(s Settings) { s.(*webhookSettings).URL = web.URL },
		"push":    func(s Settings) { s.(*pushSettings).URL = web.URL + "/topic" },
		"snmp":    func(s Settings) { m := s.(*snmpSettings); m.Target, m.Inform = udp.LocalAddr().String(), true },
		"sound":   func(s Settings) { s.(*soundSettings).Command = []string{"sh", "-c", "sleep 60"} },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r, _ := Lookup(kind)
			s := r.NewSettings()
			set(s)
			if err := s.Validate(); err != nil {
				t.Fatal(err)
			}
			made, err := r.New(s, environment())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			began := time.Now()
			if answer, err := made.(Sink).Send(ctx, lostNotice()); err == nil || time.Since(began) > 3*time.Second {
				t.Errorf("after %v: %q, %v", time.Since(began), answer, err)
			}
		})
	}
}
