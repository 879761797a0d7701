package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"time"

	"github.com/wneessen/go-mail"

	"timestation/engine/status"
)

func init() {
	register(Registration{
		Kind: "mail", People: true,
		Help: "Mail over SMTP, as text and HTML, with a plot of the last hour. Mails about one alert are one thread.",
		NewSettings: func() Settings {
			return &mailSettings{TLS: "starttls"}
		},
		New: func(s Settings, e Environment) (any, error) { return newMailer(*s.(*mailSettings), e) },
	})
}

type mailSettings struct {
	Server       string   `mapstructure:"server" help:"The mail server, host:port: port 587 for starttls, 465 for tls, 25 within a site."`
	TLS          string   `mapstructure:"tls" help:"\"starttls\", which is then insisted on, \"tls\" from the first byte, or \"none\" for a server on this machine or a trusted wire."`
	CAFile       string   `mapstructure:"ca_file" help:"Certificates in PEM to trust besides the system's, for a server with one of its own."`
	User         string   `mapstructure:"user" help:"User for the server; empty: it asks for none."`
	PasswordFile string   `mapstructure:"password_file" help:"File of mode 0600 with the user's password; read for each mail, so that it can be exchanged."`
	From         string   `mapstructure:"from" help:"Who sends, such as \"Timestation <time@example.org>\"."`
	To           []string `mapstructure:"to" help:"Who is told, a list of addresses."`
}

func (c *mailSettings) Validate() error {
	if err := checkHostPort("server", c.Server, "mail.example.org:587"); err != nil {
		return err
	}
	if c.TLS != "starttls" && c.TLS != "tls" && c.TLS != "none" {
		return fmt.Errorf(`tls: %q is none of "starttls", "tls" and "none"`, c.TLS)
	}
	if _, err := netmail.ParseAddress(c.From); err != nil {
		return fmt.Errorf("from: %q is not an address; write for instance \"time@example.org\"", c.From)
	}
	if len(c.To) == 0 {
		return errors.New("to: is empty; write a list of addresses, such as [\"ops@example.org\"]")
	}
	for _, to := range c.To {
		if _, err := netmail.ParseAddress(to); err != nil {
			return fmt.Errorf("to: %q is not an address; write for instance \"ops@example.org\"", to)
		}
	}
	if (c.User == "") != (c.PasswordFile == "") {
		return errors.New("password_file: goes with user, and user with it; set both or neither")
	}
	return nil
}

// mailer sends mail.
type mailer struct {
	settings mailSettings
	env      Environment
	host     string
	port     int
	words    words
}

func newMailer(c mailSettings, e Environment) (*mailer, error) {
	if err := checkSecret("password_file", c.PasswordFile); err != nil {
		return nil, err
	}
	if _, err := e.tlsConfig(c.CAFile); err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(c.Server) // validated
	number, err := strconv.Atoi(port)
	return &mailer{c, e, host, number, wordsIn(e.Language)}, err
}

// Send implements Sink.
func (m *mailer) Send(ctx context.Context, n Notice) (string, error) {
	message, err := m.message(n)
	if err != nil {
		return "", err
	}
	client, err := m.client(ctx)
	if err != nil {
		return "", err
	}
	// A relay that hangs up after it has taken the message is an error too, and no reason to send it again.
	if err := client.DialAndSendWithContext(ctx, message); err != nil && !message.IsDelivered() {
		var failed *mail.SendError
		const permanent = 500
		if errors.As(err, &failed) && failed.ErrorCode() >= permanent {
			return "", fmt.Errorf("%s: %s: %w", m.settings.Server, oneLine(err.Error()), ErrRefused)
		}
		return "", fmt.Errorf("%s: %s", m.settings.Server, oneLine(err.Error()))
	}
	return oneLine(message.ServerResponse()), nil
}

// client is one that gives up when ctx does.
func (m *mailer) client(ctx context.Context) (*mail.Client, error) {
	timeout := sendWithin
	if deadline, bounded := ctx.Deadline(); bounded {
		if timeout = time.Until(deadline); timeout <= 0 {
			return nil, ctx.Err()
		}
	}
	secure, err := m.env.tlsConfig(m.settings.CAFile)
	if err != nil {
		return nil, err
	}
	secure.ServerName = m.host
	options := []mail.Option{mail.WithPort(m.port), mail.WithTLSConfig(secure), mail.WithTimeout(timeout), mail.WithHELO(m.host)}
	if host := m.domain(); host != "" {
		options = append(options, mail.WithHELO(host))
	}
	switch m.settings.TLS {
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if m.settings.User != "" {
		password, err := readSecret("password_file", m.settings.PasswordFile)
		if err != nil {
			return nil, err
		}
		options = append(options, mail.WithUsername(m.settings.User), mail.WithPassword(password), mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
	}
	return mail.NewClient(m.host, options...)
}

// domain is that of the sender's address: what stands behind message IDs.
func (m *mailer) domain() string {
	from, err := netmail.ParseAddress(m.settings.From)
	if err != nil {
		return ""
	}
	for i := len(from.Address) - 1; i >= 0; i-- {
		if from.Address[i] == '@' {
			return from.Address[i+1:]
		}
	}
	return ""
}

// message writes a notice as a mail.
func (m *mailer) message(n Notice) (*mail.Msg, error) {
	message := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := message.From(m.settings.From); err != nil {
		return nil, err
	}
	if err := message.To(m.settings.To...); err != nil {
		return nil, err
	}
	message.Subject(m.words.headline(n))
	message.SetMessageIDWithValue(n.ID + "@" + m.domain())
	if n.Alert.Code != "" {
		thread := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%v", n.Station, n.Alert.Code, n.Alert.Source, n.Alert.Since))
		reference := fmt.Sprintf("<alert-%x@%s>", thread[:8], m.domain())
		message.SetGenHeader(mail.HeaderReferences, reference)
		message.SetGenHeader(mail.HeaderInReplyTo, reference)
	}
	message.SetGenHeader("Auto-Submitted", "auto-generated")
	if n.Worst() == status.Critical && n.Kind != Cleared {
		message.SetImportance(mail.ImportanceHigh)
	}
	now, known := m.env.UTC()
	if known {
		message.SetDateWithValue(now.Time().In(m.env.Location))
	}
	plot, sentence, err := drawPlot(m.words, m.env.LastHour())
	if err != nil {
		return nil, err
	}
	page, err := m.words.page(n, now, m.env.Location, m.env.WebAddress, sentence)
	if err != nil {
		return nil, err
	}
	text := m.words.plain(n, now, m.env.Location)
	if sentence != "" {
		text += "\n" + sentence + "\n"
	}
	if m.env.WebAddress != "" {
		text += "\n" + m.env.WebAddress + "\n"
	}
	message.SetBodyString(mail.TypeTextPlain, text)
	message.AddAlternativeString(mail.TypeTextHTML, page)
	if plot != nil {
		if err := message.EmbedReader(plotName, bytes.NewReader(plot)); err != nil {
			return nil, err
		}
	}
	return message, nil
}
