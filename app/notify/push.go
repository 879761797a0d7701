package notify

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"timestation/engine/status"
)

func init() {
	register(Registration{
		Kind: "push", People: true,
		Help:        "A push message to telephones through ntfy (ntfy.sh, or a server of your own), by its HTTP interface.",
		NewSettings: func() Settings { return &pushSettings{} },
		New: func(s Settings, e Environment) (any, error) {
			c := *s.(*pushSettings)
			if err := checkSecret("token_file", c.TokenFile); err != nil {
				return nil, err
			}
			client, err := newHTTPClient(e, c.CAFile)
			return &pusher{c, client, e, wordsIn(e.Language)}, err
		},
	})
}

type pushSettings struct {
	URL       string `mapstructure:"url" help:"The topic's address, such as https://ntfy.sh/our-station-4Xr9. Who knows a topic reads it: choose a name that cannot be guessed, or protect it by a token."`
	TokenFile string `mapstructure:"token_file" help:"File of mode 0600 with the access token; read for each message. Empty: none."`
	CAFile    string `mapstructure:"ca_file" help:"Certificates in PEM to trust besides the system's."`
}

func (c *pushSettings) Validate() error {
	if err := checkURL(c.URL, "https://ntfy.sh/our-station-4Xr9"); err != nil {
		return err
	}
	if u, err := url.Parse(c.URL); err == nil && strings.Trim(u.Path, "/") == "" {
		return fmt.Errorf("url: %q names no topic; write for instance \"https://ntfy.sh/our-station-4Xr9\"", c.URL)
	}
	return nil
}

// pusher posts messages to a topic.
type pusher struct {
	settings pushSettings
	client   *http.Client
	env      Environment
	words    words
}

// Send implements Sink.
func (p *pusher) Send(ctx context.Context, n Notice) (string, error) {
	now, _ := p.env.UTC()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.settings.URL, strings.NewReader(p.words.plain(n, now, p.env.Location)))
	if err != nil {
		return "", err
	}
	request.Header.Set("Title", mime.BEncoding.Encode("utf-8", p.words.headline(n))) // which ntfy reads
	priority, tag := "3", "information_source"
	switch {
	case n.Kind == Cleared:
		tag = "white_check_mark"
	case n.Worst() == status.Critical:
		priority, tag = "5", "rotating_light"
	case n.Worst() == status.Warning:
		priority, tag = "4", "warning"
	}
	request.Header.Set("Priority", priority)
	request.Header.Set("Tags", tag)
	if p.env.WebAddress != "" {
		request.Header.Set("Click", p.env.WebAddress)
	}
	if p.settings.TokenFile != "" {
		token, err := readSecret("token_file", p.settings.TokenFile)
		if err != nil {
			return "", err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return exchange(p.client, request)
}
