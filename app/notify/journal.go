package notify

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"

	"timestation/engine/status"
)

func init() {
	register(Registration{
		Kind:        "journal",
		Help:        "The machine's own systemd journal, with the alert's parts as fields: journalctl TIMESTATION_CODE=source-lost.",
		NewSettings: func() Settings { return &journalSettings{Socket: "/run/systemd/journal/socket"} },
		New: func(s Settings, e Environment) (any, error) {
			return &journaller{s.(*journalSettings).Socket}, nil
		},
	})
}

type journalSettings struct {
	Socket string `mapstructure:"socket" help:"The journal's datagram socket."`
}

func (c *journalSettings) Validate() error {
	if !strings.HasPrefix(c.Socket, "/") {
		return fmt.Errorf("socket: %q is not a path; write for instance \"/run/systemd/journal/socket\"", c.Socket)
	}
	return nil
}

// journaller speaks the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
type journaller struct{ socket string }

// Send implements Sink.
func (j *journaller) Send(ctx context.Context, n Notice) (string, error) {
	c, err := new(net.Dialer).DialContext(ctx, "unixgram", j.socket)
	if err != nil {
		return "", fmt.Errorf("%w; is this machine run by systemd?", err)
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	messages := []Notice{n}
	if n.Kind == Summary {
		messages = n.Parts
	}
	for _, m := range messages {
		if err := errors.Join(c.SetWriteDeadline(deadline)); err != nil {
			return "", err
		}
		if _, err := c.Write(journalEntry(m)); err != nil {
			return "", err
		}
	}
	return "handed over to the journal", nil
}

// journalEntry is a notice as fields, NAME=value a line; a value of several lines is written with its length.
func journalEntry(n Notice) []byte {
	priority := map[status.Severity]string{status.Critical: "2", status.Warning: "4", status.Info: "6"}[n.Alert.Severity]
	if n.Kind == Cleared {
		priority = "5"
	}
	at := ""
	if n.At.Seconds != 0 {
		at = n.At.String()
	}
	var b bytes.Buffer
	for _, f := range [][2]string{
		{"MESSAGE", english.headline(n) + ": " + n.Alert.Text}, {"PRIORITY", priority}, {"SYSLOG_IDENTIFIER", application},
		{"TIMESTATION_ID", n.ID}, {"TIMESTATION_KIND", string(n.Kind)}, {"TIMESTATION_CODE", n.Alert.Code},
		{"TIMESTATION_SOURCE", n.Alert.Source}, {"TIMESTATION_SEVERITY", string(n.Alert.Severity)},
		{"TIMESTATION_STATION", n.Station}, {"TIMESTATION_MEND", n.Alert.Mend}, {"TIMESTATION_AT", at},
	} {
		switch name, value := f[0], f[1]; {
		case value == "":
		case strings.Contains(value, "\n"):
			b.WriteString(name + "\n")
			b.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(value))))
			b.WriteString(value + "\n")
		default:
			b.WriteString(name + "=" + value + "\n")
		}
	}
	return b.Bytes()
}
