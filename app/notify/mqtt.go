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

	"timestation/engine/status"
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
}

func newMQTT(c mqttSettings, e Environment) (*mqtt, error) {
	if err := checkSecret("password_file", c.PasswordFile); err != nil {
		return nil, err
	}
	if _, err := e.tlsConfig(c.CAFile); err != nil {
		return nil, err
	}
	node := slug(e.Station)
	return &mqtt{settings: c, env: e, node: node, base: c.Topic + "/" + node, up: make(chan struct{}, 1)}, nil
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
	body, err := json.Marshal(n)
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	connection, last := m.connection, m.last
	m.mu.Unlock()
	if connection == nil {
		return "", errors.New("the connection has yet to be made")
	}
	const atLeastOnce = 1
	answer, err := connection.Publish(ctx, &paho.Publish{
		Topic: m.base + "/alert", QoS: atLeastOnce, Payload: body,
		Properties: &paho.PublishProperties{ContentType: "application/json", User: paho.UserProperties{{Key: "id", Value: n.ID}}},
	})
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
		OnConnectionUp: func(*autopaho.ConnectionManager, *paho.Connack) {
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
		ClientConfig: paho.ClientConfig{ClientID: "timestation-" + m.node + "-" + hex.EncodeToString(engineID(m.env)[5:9])},
	}, nil
}

// publish sends with an answer from the broker.
func (m *mqtt) publish(ctx context.Context, topic string, retain bool, body []byte) error {
	const within, atLeastOnce = 5 * time.Second, 1
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

// mqttState is what state holds.
type mqttState struct {
	State       string   `json:"state"`
	TimeValid   string   `json:"time_valid"` // ON or OFF, as Home Assistant likes it
	Problem     string   `json:"problem"`    // ON while an alert worse than a note stands
	Reason      string   `json:"reason,omitempty"`
	Source      string   `json:"source"`
	Stratum     uint8    `json:"stratum"`
	Leap        string   `json:"leap"`
	MaxError    *float64 `json:"max_error_seconds"`
	Offset      *float64 `json:"source_offset_seconds"`
	Frequency   *float64 `json:"frequency_ppm"`
	Temperature *float64 `json:"temperature_celsius"`
	Alerts      int      `json:"alerts"`
}

// sameAs compares all but the figures.
func (s mqttState) sameAs(t mqttState) bool {
	s.MaxError, s.Offset, s.Frequency, s.Temperature = nil, nil, nil, nil
	t.MaxError, t.Offset, t.Frequency, t.Temperature = nil, nil, nil, nil
	return s == t
}

func (m *mqtt) state() mqttState {
	is := m.env.Status()
	onOff := map[bool]string{true: "ON", false: "OFF"}
	s := mqttState{State: string(is.State), Reason: is.Reason, Source: is.Selected, Stratum: is.Stratum, Leap: is.Leap,
		MaxError: is.MaxErrorSeconds, Frequency: is.FrequencyPPM, Temperature: is.TemperatureCelsius, Alerts: len(is.Alerts)}
	s.TimeValid = onOff[is.State != status.Unsynchronised && is.State != ""]
	problem := false
	for _, a := range is.Alerts {
		problem = problem || rank(a.Severity) >= rank(status.Warning)
	}
	s.Problem = onOff[problem]
	for _, source := range is.Sources {
		if is.Selected != "" && source.Name == is.Selected {
			s.Offset = &source.OffsetSeconds
		}
	}
	return s
}

// entities are the discovery messages for Home Assistant, by topic (home-assistant.io/integrations/mqtt).
func (m *mqtt) entities() map[string]map[string]any {
	identifier := "timestation_" + m.node
	device := map[string]any{"identifiers": []string{identifier}, "name": m.env.Station, "manufacturer": "Timestation",
		"model": "Time station", "sw_version": m.env.Version}
	if m.env.WebAddress != "" {
		device["configuration_url"] = m.env.WebAddress
	}
	all := map[string]map[string]any{}
	add := func(component, key, name string, more map[string]any) {
		entity := map[string]any{
			"name": name, "unique_id": identifier + "_" + key, "object_id": m.node + "_" + key, "device": device,
			"state_topic": m.base + "/state", "value_template": "{{ value_json." + key + " }}",
			"availability_topic": m.base + "/availability",
		}
		for k, v := range more {
			entity[k] = v
		}
		all[m.settings.Discovery+"/"+component+"/"+m.node+"/"+key+"/config"] = entity
	}
	german := m.env.Language == "de"
	word := func(english, inGerman string) string {
		if german {
			return inGerman
		}
		return english
	}
	diagnostic := map[string]any{"entity_category": "diagnostic"}
	figure := func(unit string, digits int) map[string]any {
		return map[string]any{"unit_of_measurement": unit, "state_class": "measurement", "suggested_display_precision": digits,
			"entity_category": "diagnostic"}
	}
	add("binary_sensor", "time_valid", word("Time valid", "Zeit gültig"), map[string]any{"icon": "mdi:clock-check"})
	add("binary_sensor", "problem", word("Alert", "Meldung"), map[string]any{"device_class": "problem",
		"json_attributes_topic": m.base + "/state"})
	add("sensor", "state", word("State", "Zustand"), map[string]any{"device_class": "enum",
		"options": []string{string(status.Synchronised), string(status.Holdover), string(status.Unsynchronised)}})
	add("sensor", "source", word("Source", "Quelle"), diagnostic)
	add("sensor", "stratum", "Stratum", diagnostic)
	add("sensor", "alerts", word("Alerts", "Meldungen"), diagnostic)
	add("sensor", "max_error_seconds", word("Error bound", "Fehlerschranke"), figure("s", 6))
	add("sensor", "source_offset_seconds", word("Source offset", "Abweichung der Quelle"), figure("s", 6))
	temperature := figure("°C", 1)
	temperature["device_class"] = "temperature"
	add("sensor", "temperature_celsius", word("Temperature", "Temperatur"), temperature)
	return all
}
