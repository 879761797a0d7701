package notify

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

func init() {
	register(Registration{
		Kind: "mqtt",
		Help: "An MQTT 5 broker: below topic/station, alert gets each notice as JSON, state the station's state (kept by the " +
			"broker), and availability is online or, by the broker's will, offline. Home Assistant finds the station by " +
			"itself.",
		NewSettings: func() Settings {
			return &mqttSettings{Topic: "timestation", Discovery: "homeassistant", StateSeconds: 10}
		},
		New: func(s Settings, e Environment) (any, error) { return newMQTT(*s.(*mqttSettings), e) },
	})
}

type mqttSettings struct {
	Broker       string  `mapstructure:"broker" help:"The broker: mqtt://host:1883, or mqtts://host:8883 for TLS."`
	User         string  `mapstructure:"user" help:"User for the broker; empty: it asks for none."`
	PasswordFile string  `mapstructure:"password_file" help:"File of mode 0600 with the user's password; read at each connection."`
	CAFile       string  `mapstructure:"ca_file" help:"Certificates in PEM to trust besides the system's."`
	Topic        string  `mapstructure:"topic" help:"What the topics begin with."`
	Discovery    string  `mapstructure:"discovery" help:"Home Assistant's discovery prefix; empty: it is not told."`
	StateSeconds float64 `mapstructure:"state_seconds" help:"How often the state is sent at least, with its figures; a change is sent at once."`
}

func (c *mqttSettings) Validate() error {
	u, err := url.Parse(c.Broker)
	if err != nil || u.Scheme != "mqtt" && u.Scheme != "mqtts" || u.Port() == "" || u.Hostname() == "" || u.Path != "" {
		return fmt.Errorf("broker: %q is not a broker; write for instance \"mqtt://broker.example.org:1883\"", c.Broker)
	}
	if u.User != nil {
		return errors.New("broker: has a user or password, which would be shown; use user and password_file")
	}
	for key, topic := range map[string]string{"topic": c.Topic, "discovery": c.Discovery} {
		if strings.ContainsAny(topic, "+#\x00 ") || strings.HasPrefix(topic, "/") || strings.HasSuffix(topic, "/") || key == "topic" && topic == "" {
			return fmt.Errorf("%s: %q is not the beginning of a topic; write for instance \"timestation\"", key, topic)
		}
	}
	if (c.User == "") != (c.PasswordFile == "") {
		return errors.New("password_file: goes with user, and user with it; set both or neither")
	}
	const hour = 3600
	if !(c.StateSeconds >= 1 && c.StateSeconds <= hour) {
		return fmt.Errorf("state_seconds: %g is not within 1 to %d", c.StateSeconds, hour)
	}
	return nil
}

// mostOctets is the longest alert where the broker says of no smaller limit: what large services take.
const mostOctets = 128 << 10

// packetTooLarge is a reason code of MQTT 5, section 3.14.2.1.
const packetTooLarge = 0x95

// The words of availability.
const (
	online  = "online"
	offline = "offline"
)

// mqtt is a client of one broker.
type mqtt struct {
	settings mqttSettings
	env      Environment
	node     string // the station's name as a part of a topic
	base     string // what the station's topics begin with

	mu         sync.Mutex
	connection *autopaho.ConnectionManager // nil before Follow
	up         chan struct{}               // gets one each time the broker is reached
	last       error                       // why it is not
	most       int                         // octets of an alert that the broker takes
	sent       int                         // octets of the last one
}

func newMQTT(c mqttSettings, e Environment) (*mqtt, error) {
	if err := checkSecret("password_file", c.PasswordFile); err != nil {
		return nil, err
	}
	if _, err := e.tlsConfig(c.CAFile); err != nil {
		return nil, err
	}
	node := slug(e.Station)
	return &mqtt{settings: c, env: e, node: node, base: c.Topic + "/" + node, up: make(chan struct{}, 1), most: mostOctets}, nil
}

// slug makes a name fit for a topic and an identifier: small letters, digits and underscores.
func slug(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '_'
	}, name)
	if clean = strings.Trim(clean, "_"); clean == "" {
		return "station"
	}
	return clean
}

// Send implements Sink.
func (m *mqtt) Send(ctx context.Context, n Notice) (string, error) {
	m.mu.Lock()
	connection, last, most := m.connection, m.last, m.most
	m.mu.Unlock()
	body, err := n.fitting(most)
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.settings.Broker, err)
	}
	m.mu.Lock()
	m.sent = len(body)
	m.mu.Unlock()
	if connection == nil {
		return "", errors.New("the connection has yet to be made")
	}
	const atLeastOnce = 1
	answer, err := connection.Publish(ctx, &paho.Publish{
		Topic: m.base + "/alert", QoS: atLeastOnce, Payload: body,
		Properties: &paho.PublishProperties{ContentType: "application/json", User: paho.UserProperties{{Key: "id", Value: n.ID}}},
	})
	if answer != nil && answer.ReasonCode == packetTooLarge { // as mosquitto does for message_size_limit
		m.limit(len(body) / 2)
	}
	switch {
	case errors.Is(err, autopaho.ConnectionDownError) && last != nil:
		return "", fmt.Errorf("%s: %s", m.settings.Broker, oneLine(last.Error()))
	case err != nil:
		return "", fmt.Errorf("%s: %s", m.settings.Broker, oneLine(err.Error()))
	}
	const noSubscribers = 0x10 // MQTT 5, section 3.4.2.1
	if answer != nil && answer.ReasonCode == noSubscribers {
		return "taken by the broker, which has nobody to pass it to", nil
	}
	return "taken by the broker", nil
}

// Follow implements Follower: it keeps the connection and sends the state. At the end the station says that it goes.
func (m *mqtt) Follow(ctx context.Context) {
	connecting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	config, err := m.clientConfig()
	var connection *autopaho.ConnectionManager
	if err == nil {
		connection, err = autopaho.NewConnection(connecting, config)
	}
	if err != nil { // only of what New has checked
		m.env.fails(err)
		return
	}
	m.mu.Lock()
	m.connection = connection
	m.mu.Unlock()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var told mqttState
	var toldAt time.Time
	for {
		select {
		case <-ctx.Done():
			const parting = 300 * time.Millisecond
			last, stop := context.WithTimeout(connecting, parting)
			defer stop()
			_ = m.publish(last, m.base+"/availability", true, []byte(offline)) // the will says it otherwise
			_ = connection.Disconnect(last)
			return
		case <-m.up:
			m.announce(ctx)
			told, toldAt = mqttState{}, time.Time{}
		case <-look.C:
		}
		is := m.state()
		if is.sameAs(told) && time.Since(toldAt).Seconds() < m.settings.StateSeconds {
			continue
		}
		body, err := json.Marshal(is)
		if err == nil && m.publish(ctx, m.base+"/state", true, body) == nil {
			told, toldAt = is, time.Now()
		}
	}
}

func (m *mqtt) clientConfig() (autopaho.ClientConfig, error) {
	broker, err := url.Parse(m.settings.Broker)
	if err != nil {
		return autopaho.ClientConfig{}, err
	}
	var secure *tls.Config
	if broker.Scheme == "mqtts" {
		if secure, err = m.env.tlsConfig(m.settings.CAFile); err != nil {
			return autopaho.ClientConfig{}, err
		}
	}
	const keepAliveSeconds, atLeastOnce = 30, 1
	return autopaho.ClientConfig{
		ServerUrls: []*url.URL{broker}, TlsCfg: secure, KeepAlive: keepAliveSeconds, CleanStartOnInitialConnection: true,
		ReconnectBackoff: func(attempt int) time.Duration {
			return min(firstRetry<<min(attempt, 5), time.Minute)
		},
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			if m.settings.User == "" {
				return c, nil
			}
			password, err := readSecret("password_file", m.settings.PasswordFile)
			if err != nil {
				return nil, err
			}
			c.UsernameFlag, c.Username, c.PasswordFlag, c.Password = true, m.settings.User, true, []byte(password)
			return c, nil
		},
		WillMessage: &paho.WillMessage{Topic: m.base + "/availability", Payload: []byte(offline), QoS: atLeastOnce, Retain: true},
		OnConnectionUp: func(_ *autopaho.ConnectionManager, answer *paho.Connack) {
			if p := answer.Properties; p != nil && p.MaximumPacketSize != nil {
				const around = 256 // octets of a packet beside topic and payload: header and properties
				m.limit(int(*p.MaximumPacketSize) - len(m.base) - around)
			}
			m.env.Log.Info("MQTT broker reached", "broker", m.settings.Broker)
			select {
			case m.up <- struct{}{}:
			default:
			}
		},
		OnConnectError: func(err error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.last == nil || m.last.Error() != err.Error() {
				m.env.Log.Warn("MQTT broker not reached", "broker", m.settings.Broker, "reason", oneLine(err.Error()))
			}
			m.last = err
		},
		ClientConfig: paho.ClientConfig{
			ClientID: "timestation-" + m.node + "-" + hex.EncodeToString(engineID(m.env)[5:9]),
			OnServerDisconnect: func(d *paho.Disconnect) {
				m.mu.Lock()
				sent := m.sent
				m.mu.Unlock()
				if d.ReasonCode == packetTooLarge && sent > 0 {
					m.limit(sent / 2)
				}
			},
		},
	}, nil
}

// limit notes that the broker takes no longer alerts than that.
func (m *mqtt) limit(most int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if most < m.most {
		m.most = max(most, 1)
		m.env.Log.Info("MQTT broker takes no longer alerts", "broker", m.settings.Broker, "octets", m.most)
	}
}

// publish sends with an answer from the broker.
func (m *mqtt) publish(ctx context.Context, topic string, retain bool, body []byte) error {
	const within, atLeastOnce = 5 * time.Second, 1
	m.mu.Lock()
	m.sent = 0
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	_, err := m.connection.Publish(ctx, &paho.Publish{Topic: topic, QoS: atLeastOnce, Retain: retain, Payload: body})
	return err
}

// announce says that the station is there, and to Home Assistant what it is.
func (m *mqtt) announce(ctx context.Context) {
	if m.publish(ctx, m.base+"/availability", true, []byte(online)) != nil || m.settings.Discovery == "" {
		return
	}
	for topic, entity := range m.entities() {
		body, err := json.Marshal(entity)
		if err != nil || m.publish(ctx, topic, true, body) != nil {
			return // the connection is down again
		}
	}
}
