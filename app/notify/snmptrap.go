package notify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gosnmp/gosnmp"
)

func init() {
	register(Registration{
		Kind: "snmp",
		Help: "SNMP traps or informs with the notifications of RFC 5907: changes of mode, stratum, followed source and leap " +
			"announcement as they happen, and the alerts, whose text is ntpEntNotifMessage: those about knowing the time as " +
			"ntpEntNotifModeChange, a source that is lost or back as ntpEntNotifRemoveAssociation and " +
			"ntpEntNotifAddAssociation, all others as ntpEntNotifHeartbeat, since that MIB has none for them. Traps have no " +
			"answer; informs have. timestation alerts test shows the engine ID that a receiver of version 3 traps must know.",
		NewSettings: func() Settings { return &snmpSettings{Version: "2c", Auth: "sha256"} },
		New:         func(s Settings, e Environment) (any, error) { return newTrapper(*s.(*snmpSettings), e) },
	})
}

type snmpSettings struct {
	Target              string  `mapstructure:"target" help:"Who is told, host:port; 162 is the usual port."`
	Version             string  `mapstructure:"version" help:"\"2c\" or \"3\"."`
	Inform              bool    `mapstructure:"inform" help:"Send informs, which the receiver answers and which are sent again until it does, instead of traps."`
	CommunityFile       string  `mapstructure:"community_file" help:"File of mode 0600 with the community of version 2c; empty: public."`
	User                string  `mapstructure:"user" help:"User of version 3."`
	Auth                string  `mapstructure:"auth" help:"How the user's messages are signed: \"sha\" or \"sha256\"."`
	AuthPasswordFile    string  `mapstructure:"auth_password_file" help:"File of mode 0600 with the user's password, 8 characters or more."`
	PrivacyPasswordFile string  `mapstructure:"privacy_password_file" help:"File of mode 0600 with the password for AES-128; empty: messages are signed, not encrypted."`
	HeartbeatSeconds    float64 `mapstructure:"heartbeat_seconds" help:"How often ntpEntNotifHeartbeat says that the station lives; 0: never."`
}

func (c *snmpSettings) Validate() error {
	if err := checkHostPort("target", c.Target, "nms.example.org:162"); err != nil {
		return err
	}
	const day = 86400
	switch {
	case c.Version != "2c" && c.Version != "3":
		return fmt.Errorf(`version: %q is none of "2c" and "3"`, c.Version)
	case c.Version == "3" && c.User == "":
		return errors.New("user: is empty; version 3 needs one")
	case c.HeartbeatSeconds != 0 && !(c.HeartbeatSeconds >= 1 && c.HeartbeatSeconds <= day):
		return fmt.Errorf("heartbeat_seconds: %g is neither 0 nor within 1 to %d", c.HeartbeatSeconds, day)
	}
	return checkUser(c.User, c.Auth, c.AuthPasswordFile)
}

// trapper sends traps or informs.
type trapper struct {
	settings snmpSettings
	env      Environment
	host     string
	port     uint16
	engine   []byte
}

func newTrapper(c snmpSettings, e Environment) (*trapper, error) {
	if err := checkSecret("community_file", c.CommunityFile); err != nil {
		return nil, err
	}
	if c.Version == "3" {
		if _, err := readUser(c.User, c.Auth, c.AuthPasswordFile, c.PrivacyPasswordFile); err != nil {
			return nil, err
		}
	}
	host, port, _ := net.SplitHostPort(c.Target) // validated
	number, err := strconv.ParseUint(port, 10, 16)
	return &trapper{c, e, host, uint16(number), engineID(e)}, err
}

// Send implements Sink.
func (t *trapper) Send(ctx context.Context, n Notice) (string, error) {
	notices := []Notice{n}
	if n.Kind == Summary {
		notices = n.Parts
	}
	for _, n := range notices {
		notification, objects := t.alert(n)
		if err := t.notify(ctx, notification, objects, english.headline(n)+": "+n.Alert.Text); err != nil {
			return "", err
		}
	}
	if t.settings.Inform {
		return "acknowledged by " + t.settings.Target, nil
	}
	answer := "sent to " + t.settings.Target + "; a trap has no answer"
	if t.settings.Version == "3" {
		answer += "; engine ID 0x" + hex.EncodeToString(t.engine)
	}
	return answer, nil
}

// alert chooses the notification for an alert, and the association's name where there is one.
func (t *trapper) alert(n Notice) (notification uint32, objects []gosnmp.SnmpPDU) {
	switch n.Alert.Code {
	case "unsynchronised", "holdover":
		return notifMode, nil
	case "source-lost":
		notification = notifRemoveAssociation
		if n.Kind == Cleared {
			notification = notifAddAssociation
		}
		for i, source := range t.env.Status().Sources {
			if source.Name == n.Alert.Source {
				return notification, []gosnmp.SnmpPDU{text(below(ntpAssociation, 2, uint32(i+1)), source.Name)}
			}
		}
	}
	return notifHeartbeat, nil
}

// notify sends a notification with the objects that RFC 5907 gives it, the message last.
func (t *trapper) notify(ctx context.Context, notification uint32, more []gosnmp.SnmpPDU, message string) error {
	s := t.env.Status()
	now, _ := t.env.UTC()
	mode := gosnmp.SnmpPDU{Name: dotted(below(ntpEntStatus, objectMode, 0)), Type: gosnmp.Integer, Value: int(mibMode(s))}
	date := text(below(ntpEntStatus, objectDateTime, 0), mibDateTime(now))
	objects := []gosnmp.SnmpPDU{
		{Name: "1.3.6.1.2.1.1.3.0", Type: gosnmp.TimeTicks, Value: mibTicks(t.env.Uptime())},
		{Name: "1.3.6.1.6.3.1.1.4.1.0", Type: gosnmp.ObjectIdentifier, Value: dotted(below(ntpNotifications, notification))},
	}
	switch notification {
	case notifMode:
		objects = append(objects, mode)
	case notifStratum:
		objects = append(objects, date, gauge(below(ntpEntStatus, objectStratum, 0), mibStratum(s)))
	case notifSource:
		objects = append(objects, date, gauge(below(ntpEntStatus, objectSourceID, 0), mibSource(s)))
	case notifHeartbeat:
		objects = append(objects, date, mode, gauge(below(ntpEntControl, 1, 0), uint32(t.settings.HeartbeatSeconds)))
	default:
		objects = append(objects, date)
	}
	objects = append(objects, more...)
	objects = append(objects, text(below(ntpEntMessage, 0), oneLine(message)))
	client, err := t.client(ctx)
	if err != nil {
		return err
	}
	if err := client.Connect(); err != nil {
		return fmt.Errorf("%s: %w", t.settings.Target, err)
	}
	defer client.Close()
	if _, err := client.SendTrap(gosnmp.SnmpTrap{Variables: objects, IsInform: t.settings.Inform}); err != nil {
		return fmt.Errorf("%s: %s", t.settings.Target, oneLine(err.Error()))
	}
	t.env.notifications.Add(1)
	return nil
}

func (t *trapper) client(ctx context.Context) (*gosnmp.GoSNMP, error) {
	const attempt = 3 * time.Second
	g := &gosnmp.GoSNMP{Target: t.host, Port: t.port, Transport: "udp", Context: ctx, Timeout: attempt, Retries: 1, MaxOids: gosnmp.MaxOids}
	if t.settings.Version == "2c" {
		g.Version, g.Community = gosnmp.Version2c, "public"
		if t.settings.CommunityFile == "" {
			return g, nil
		}
		var err error
		g.Community, err = readSecret("community_file", t.settings.CommunityFile)
		return g, err
	}
	user, err := readUser(t.settings.User, t.settings.Auth, t.settings.AuthPasswordFile, t.settings.PrivacyPasswordFile)
	if err != nil {
		return nil, err
	}
	g.Version, g.SecurityModel, g.MsgFlags = gosnmp.Version3, gosnmp.UserSecurityModel, gosnmp.AuthNoPriv
	p := &gosnmp.UsmSecurityParameters{UserName: user.Name, AuthenticationPassphrase: user.Password,
		AuthenticationProtocol: gosnmp.SHA256, PrivacyProtocol: gosnmp.NoPriv}
	if user.Auth == "sha" {
		p.AuthenticationProtocol = gosnmp.SHA
	}
	if user.PrivacyPassword != "" {
		p.PrivacyProtocol, p.PrivacyPassphrase, g.MsgFlags = gosnmp.AES, user.PrivacyPassword, gosnmp.AuthPriv
	}
	if !t.settings.Inform { // of a trap the sender is the authority; of an inform the receiver, who is asked
		p.AuthoritativeEngineID = string(t.engine)
		p.AuthoritativeEngineBoots, p.AuthoritativeEngineTime = t.env.Starts, uint32(t.env.Uptime()/time.Second)
		g.ContextEngineID = string(t.engine)
	}
	g.SecurityParameters = p
	return g, nil
}

func text(id []uint32, value string) gosnmp.SnmpPDU {
	return gosnmp.SnmpPDU{Name: dotted(id), Type: gosnmp.OctetString, Value: []byte(value)}
}

func gauge(id []uint32, value uint32) gosnmp.SnmpPDU {
	return gosnmp.SnmpPDU{Name: dotted(id), Type: gosnmp.Gauge32, Value: value}
}

func dotted(id []uint32) string {
	var parts []string
	for _, n := range id {
		parts = append(parts, strconv.FormatUint(uint64(n), 10))
	}
	return strings.Join(parts, ".")
}

// seenState is what the notifications about the state compare.
type seenState struct {
	mode    string
	stratum uint32
	source  string
	leap    string
}

// Follow implements Follower: it sends the notifications about the station's state. What cannot be delivered is tried
// again as it then is; what changes too often is told as it is a minute later.
func (t *trapper) Follow(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	told, p := t.look(), purse{Left: perProgram.most}
	heart := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		p.refill(perProgram, time.Now())
		if beat := time.Duration(t.settings.HeartbeatSeconds * float64(time.Second)); beat > 0 && time.Since(heart) >= beat {
			heart = time.Now()
			t.say(ctx, notifHeartbeat, "alive")
		}
		is := t.look()
		for _, change := range []struct {
			notification uint32
			is           any
			told         any
			message      string
		}{
			{notifMode, is.mode, told.mode, "mode"}, {notifStratum, is.stratum, told.stratum, "stratum"},
			{notifSource, is.source, told.source, "source"}, {notifLeap, is.leap, told.leap, "leap"},
		} {
			if change.is == change.told || p.whole() == 0 {
				continue
			}
			p.spend()
			message := fmt.Sprintf("%s is %v, was %v", change.message, change.is, change.told)
			if !t.say(ctx, change.notification, message) {
				continue
			}
			switch change.notification {
			case notifMode:
				told.mode = is.mode
			case notifStratum:
				told.stratum = is.stratum
			case notifSource:
				told.source = is.source
			case notifLeap:
				told.leap = is.leap
			}
		}
	}
}

func (t *trapper) look() seenState {
	s := t.env.Status()
	leap := s.Leap
	if !slices.Contains([]string{"insert", "delete"}, leap) {
		leap = "none" // that it is unknown is the mode's to tell
	}
	modes := map[int32]string{modeNotSynchronised: "notSynchronized", modeSyncToLocal: "syncToLocal", modeSyncToRefclock: "syncToRefclock",
		modeSyncToRemote: "syncToRemoteServer"}
	source := s.Selected
	if source == "" {
		source = "none"
	}
	return seenState{modes[mibMode(s)], mibStratum(s), source, leap}
}

// say sends one notification about the state, and tells whether that went well.
func (t *trapper) say(ctx context.Context, notification uint32, message string) bool {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	err := t.notify(ctx, notification, nil, t.env.Station+": "+message)
	if err != nil && ctx.Err() == nil {
		t.env.Log.Debug("SNMP", "reason", err)
	}
	return err == nil
}
