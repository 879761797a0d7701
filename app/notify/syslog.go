package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"strings"
	"time"
	"unicode"

	"timestation/engine/status"
	"timestation/refclock"
)

func init() {
	register(Registration{
		Kind: "syslog",
		Help: "Syslog messages by RFC 5424: over UDP (RFC 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425). UDP and " +
			"TCP have no answer: what is lost after it was handed over is not noticed.",
		NewSettings: func() Settings { return &syslogSettings{Transport: "udp", Facility: "daemon"} },
		New: func(s Settings, e Environment) (any, error) {
			c := *s.(*syslogSettings)
			if _, err := e.tlsConfig(c.CAFile); err != nil {
				return nil, err
			}
			host, err := os.Hostname()
			if err != nil {
				host = nilValue
			}
			return &syslogger{settings: c, env: e, host: host}, nil
		},
	})
}

type syslogSettings struct {
	Server    string `mapstructure:"server" help:"The collector, host:port; 514 is usual for UDP and TCP, 6514 for TLS."`
	Transport string `mapstructure:"transport" help:"\"udp\", \"tcp\" or \"tls\"."`
	CAFile    string `mapstructure:"ca_file" help:"Certificates in PEM to trust besides the system's, for TLS."`
	Facility  string `mapstructure:"facility" help:"The facility: \"daemon\", \"user\", \"ntp\" or \"local0\" to \"local7\"."`
	// Enterprise is a number of IANA's list, which RFC 5424 wants in the names of structured data that are not registered.
	Enterprise uint32 `mapstructure:"enterprise" help:"Your organisation's enterprise number at IANA: each message then has the alert's parts as structured data alert@NUMBER; 0: it has the registered timeQuality and origin alone."`
}

// facilities are the numbers of RFC 5424, table 1.
var facilities = map[string]int{"user": 1, "daemon": 3, "ntp": 12, "local0": 16, "local1": 17, "local2": 18, "local3": 19,
	"local4": 20, "local5": 21, "local6": 22, "local7": 23}

func (c *syslogSettings) Validate() error {
	if err := checkHostPort("server", c.Server, "logs.example.org:514"); err != nil {
		return err
	}
	if c.Transport != "udp" && c.Transport != "tcp" && c.Transport != "tls" {
		return fmt.Errorf(`transport: %q is none of "udp", "tcp" and "tls"`, c.Transport)
	}
	if _, known := facilities[c.Facility]; !known {
		return fmt.Errorf(`facility: %q is none of "daemon", "user", "ntp" and "local0" to "local7"`, c.Facility)
	}
	return nil
}

const (
	// nilValue is RFC 5424's word for what is not known.
	nilValue = "-"
	// application is APP-NAME.
	application = "timestation"
	// mostDatagram is what every collector takes over UDP (RFC 5426, section 3.2).
	mostDatagram = 2048
)

// syslogger sends syslog messages; a stream stays open from one to the next.
type syslogger struct {
	settings syslogSettings
	env      Environment
	host     string
	stream   net.Conn // nil while there is none
}

// Send implements Sink.
func (s *syslogger) Send(ctx context.Context, n Notice) (string, error) {
	messages := []Notice{n}
	if n.Kind == Summary { // a program counts messages itself
		messages = n.Parts
	}
	for _, m := range messages {
		if err := s.send(ctx, s.message(m)); err != nil {
			return "", fmt.Errorf("%s: %w", s.settings.Server, err)
		}
	}
	if err := s.arrived(); err != nil {
		return "", fmt.Errorf("%s: %w", s.settings.Server, err)
	}
	if s.settings.Transport == "udp" {
		return "sent to " + s.settings.Server + " by UDP, which has no answer", nil
	}
	return "handed over to " + s.settings.Server, nil
}

// send delivers one message. A stream that the collector has closed meanwhile is noticed before it is written to.
func (s *syslogger) send(ctx context.Context, message string) error {
	if s.settings.Transport == "udp" {
		c, err := new(net.Dialer).DialContext(ctx, "udp", s.settings.Server)
		if err != nil {
			return err
		}
		defer c.Close()
		if len(message) > mostDatagram {
			message = strings.ToValidUTF8(message[:mostDatagram], "")
		}
		_, err = c.Write([]byte(message))
		return err
	}
	if s.stream != nil && !alive(s.stream) {
		s.close()
	}
	if s.stream == nil {
		c, err := s.dial(ctx)
		if err != nil {
			return err
		}
		s.stream = c
	}
	deadline, _ := ctx.Deadline()
	err := errors.Join(s.stream.SetWriteDeadline(deadline))
	if err == nil {
		_, err = fmt.Fprintf(s.stream, "%d %s", len(message), message)
	}
	if err != nil {
		s.close()
	}
	return err
}

// arrived tells whether a stream still stands after what was written to it: a collector that refuses or has gone resets
// it, which takes a moment to be known.
func (s *syslogger) arrived() error {
	if s.stream == nil {
		return nil
	}
	const moment = 100 * time.Millisecond
	time.Sleep(moment)
	if alive(s.stream) {
		return nil
	}
	s.close()
	return errors.New("the collector closed the connection")
}

func (s *syslogger) dial(ctx context.Context) (net.Conn, error) {
	dialer := &net.Dialer{}
	if s.settings.Transport == "tcp" {
		return dialer.DialContext(ctx, "tcp", s.settings.Server)
	}
	secure, err := s.env.tlsConfig(s.settings.CAFile)
	if err != nil {
		return nil, err
	}
	return (&tls.Dialer{NetDialer: dialer, Config: secure}).DialContext(ctx, "tcp", s.settings.Server)
}

func (s *syslogger) close() {
	_ = s.stream.Close() // it is given up either way
	s.stream = nil
}

// alive tells whether a stream is still open: a collector sends nothing, so all there can be is its end.
func alive(c net.Conn) bool {
	if err := c.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		return false
	}
	var one [1]byte
	_, err := c.Read(one[:])
	var slow net.Error
	return err == nil || errors.As(err, &slow) && slow.Timeout()
}

// message writes a notice by RFC 5424, section 6.
func (s *syslogger) message(n Notice) string {
	severity := map[status.Severity]int{status.Critical: 2, status.Warning: 4, status.Info: 6}[n.Alert.Severity]
	if n.Kind == Cleared {
		severity = 5
	}
	data := s.timeQuality(n) + element("origin", "software", "Timestation", "swVersion", s.env.Version)
	if number := s.settings.Enterprise; number != 0 {
		data += element(fmt.Sprint("alert@", number), "id", n.ID, "kind", string(n.Kind), "code", n.Alert.Code, "source", n.Alert.Source,
			"severity", string(n.Alert.Severity), "station", n.Station, "mend", n.Alert.Mend)
	}
	text := english.headline(n) + ": " + n.Alert.Text
	if n.Kind != Cleared && n.Alert.Mend != "" {
		text += " Mend: " + n.Alert.Mend + "."
	}
	if n.Turns > 0 {
		text += fmt.Sprintf(" It came or went %d times since the last message.", n.Turns)
	}
	const mark = "\ufeff" // says that UTF-8 follows
	return fmt.Sprintf("<%d>1 %s %s %s %s %s %s %s%s", facilities[s.settings.Facility]*8+severity, syslogTime(n.At),
		syslogName(s.host, 255), application, nilValue, syslogName(n.Alert.Code, 32), data, mark, oneLine(text))
}

// timeQuality says how good the message's time is (RFC 5424, section 7.1): nothing of a message that had to wait, for how
// good the time is now says nothing about then.
func (s *syslogger) timeQuality(n Notice) string {
	const fresh = 2 * time.Second
	if n.At.Seconds == 0 {
		return element("timeQuality", "tzKnown", "1", "isSynced", "0")
	}
	if n.happened.IsZero() || time.Since(n.happened) > fresh {
		return element("timeQuality", "tzKnown", "1")
	}
	is := s.env.Status()
	if is.State != status.Synchronised || is.MaxErrorSeconds == nil {
		return element("timeQuality", "tzKnown", "1", "isSynced", "0")
	}
	const micro = 1e6
	return element("timeQuality", "tzKnown", "1", "isSynced", "1", "syncAccuracy", fmt.Sprintf("%.0f", math.Ceil(*is.MaxErrorSeconds*micro)))
}

// element is structured data (RFC 5424, section 6.3): names and values in turn; what is empty is left out.
func element(id string, parts ...string) string {
	data := "[" + id
	for i := 0; i+1 < len(parts); i += 2 {
		if parts[i+1] != "" {
			data += fmt.Sprintf(` %s="%s"`, parts[i], structured(parts[i+1]))
		}
	}
	return data + "]"
}

// syslogTime is TIMESTAMP: the station's time, unless it does not know it. RFC 5424 knows no second 60.
func syslogTime(u refclock.UTC) string {
	if u.Seconds == 0 {
		return nilValue
	}
	return u.Time().Format("2006-01-02T15:04:05.000000Z")
}

// syslogName is a name in printable ASCII without spaces.
func syslogName(text string, most int) string {
	clean := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || r <= ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, text)
	if clean == "" {
		return nilValue
	}
	return clean[:min(len(clean), most)]
}

// structured escapes a parameter's value (RFC 5424, section 6.3.3).
var structured = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`, "\n", " ").Replace
