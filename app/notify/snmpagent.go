package notify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"

	"timestation/app/notify/snmp"
)

func init() {
	register(Registration{
		Kind: "snmp-agent",
		Help: "An SNMP agent, read-only, for the objects of RFC 5907 (NTPv4-MIB: ntpEntInfo, ntpEntStatus, the table of " +
			"associations) and the system group. It hears of no alerts; that is the kind snmp.",
		NewSettings: func() Settings {
			return &snmpAgentSettings{Listen: "127.0.0.1:161", Allow: []string{"127.0.0.0/8", "::1/128"}, Auth: "sha256"}
		},
		New: func(s Settings, e Environment) (any, error) { return newSNMPAgent(*s.(*snmpAgentSettings), e) },
	})
}

type snmpAgentSettings struct {
	Listen              string   `mapstructure:"listen" help:"Address and port to answer on; 161 is the usual one."`
	Allow               []string `mapstructure:"allow" help:"The networks that are answered, as in 192.0.2.0/24; nobody else is."`
	CommunityFile       string   `mapstructure:"community_file" help:"File of mode 0600 with the community of version 2c; empty: that version is not spoken. A community crosses the network in the open."`
	User                string   `mapstructure:"user" help:"User of version 3; empty: that version is not spoken."`
	Auth                string   `mapstructure:"auth" help:"How the user's messages are signed: \"sha\" (HMAC-SHA-1-96) or \"sha256\" (HMAC-SHA-256-192)."`
	AuthPasswordFile    string   `mapstructure:"auth_password_file" help:"File of mode 0600 with the user's password, 8 characters or more."`
	PrivacyPasswordFile string   `mapstructure:"privacy_password_file" help:"File of mode 0600 with the password for AES-128; empty: messages are signed, not encrypted."`
}

func (c *snmpAgentSettings) Validate() error {
	if err := checkHostPort("listen", c.Listen, "127.0.0.1:161"); err != nil {
		return err
	}
	for _, network := range c.Allow {
		if _, err := netip.ParsePrefix(network); err != nil {
			return fmt.Errorf("allow: %q is not a network; write for instance \"192.0.2.0/24\"", network)
		}
	}
	if c.User == "" && c.CommunityFile == "" {
		return errors.New("community_file: is empty, and so is user: nobody could ask; set one of them")
	}
	return checkUser(c.User, c.Auth, c.AuthPasswordFile)
}

// checkUser tells whether the keys of a user of version 3 fit together.
func checkUser(user, auth, passwordFile string) error {
	switch {
	case user == "":
		return nil
	case auth != "sha" && auth != "sha256":
		return fmt.Errorf(`auth: %q is none of "sha" and "sha256"`, auth)
	case passwordFile == "":
		return errors.New("auth_password_file: is empty; a user needs a password of 8 characters or more")
	}
	return nil
}

// readUser reads a user's passwords.
func readUser(name, auth, passwordFile, privacyFile string) (snmp.User, error) {
	u := snmp.User{Name: name, Auth: auth}
	var err error
	if u.Password, err = readSecret("auth_password_file", passwordFile); err != nil {
		return u, err
	}
	if privacyFile != "" {
		if u.PrivacyPassword, err = readSecret("privacy_password_file", privacyFile); err != nil {
			return u, err
		}
	}
	return u, u.Validate()
}

// engineID is this station's among all others (RFC 3411, SnmpEngineID): of no enterprise, as IANA has assigned none, and
// made of the machine's name and the station's, so that it stays the same.
func engineID(e Environment) []byte {
	host, err := os.Hostname()
	if err != nil {
		host = "" // the station's name has to do
	}
	digest := sha256.Sum256([]byte(host + "\x00" + e.Station))
	const octets = 5 // the format: made up by the administrator
	return append([]byte{0x80, 0, 0, 0, octets}, digest[:8]...)
}

// agentFollower is the agent as a place.
type agentFollower struct {
	agent *snmp.Agent
	env   Environment
}

func newSNMPAgent(c snmpAgentSettings, e Environment) (*agentFollower, error) {
	config := snmp.Config{Address: c.Listen, Engine: engineID(e), Boots: e.Starts, Objects: func() []snmp.Object { return mibObjects(e) }}
	for _, network := range c.Allow {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			return nil, err
		}
		config.Allow = append(config.Allow, prefix)
	}
	var err error
	if c.CommunityFile != "" {
		if config.Community, err = readSecret("community_file", c.CommunityFile); err != nil {
			return nil, err
		}
	}
	if c.User != "" {
		user, err := readUser(c.User, c.Auth, c.AuthPasswordFile, c.PrivacyPasswordFile)
		if err != nil {
			return nil, err
		}
		config.Users = []snmp.User{user}
	}
	agent, err := snmp.New(config)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return &agentFollower{agent, e}, nil
}

// Follow implements Follower.
func (a *agentFollower) Follow(ctx context.Context) {
	a.env.Log.Info("SNMP agent", "address", a.agent.Address(), "engine", hex.EncodeToString(engineID(a.env)))
	if err := a.agent.Run(ctx); err != nil {
		a.env.Log.Error("SNMP agent", "reason", err)
	}
}
