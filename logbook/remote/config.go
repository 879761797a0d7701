package remote

import (
	"fmt"
	"net/url"
)

// Config is the [remote_write] section.
type Config struct {
	URL       string `mapstructure:"url" help:"Where the log's rows are sent by Prometheus remote write 1.0, such as https://metrics.example.org/api/v1/write; empty: nowhere. A Prometheus needs --web.enable-remote-write-receiver and, to take what an outage held up, storage.tsdb.out_of_order_time_window."`
	TokenFile string `mapstructure:"token_file" help:"File of mode 0600 with the bearer token that the storage asks for; read for each request, so that it can be exchanged."`
	BatchRows int    `mapstructure:"batch_rows" help:"The most rows of one request, 1 to 10000; a source's row is up to twelve samples."`
}

// DefaultConfig sends nothing.
func DefaultConfig() Config { return Config{BatchRows: 500} }

// Validate names the first impossible value.
func (c Config) Validate() error {
	if c.BatchRows < 1 || c.BatchRows > 10000 {
		return fmt.Errorf("batch_rows: %d is not within 1 to 10000; write for instance 500", c.BatchRows)
	}
	if c.URL == "" {
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("url: %q is not an address of the web; write for instance "+
			`"https://metrics.example.org/api/v1/write"`, c.URL)
	}
	if u.User != nil {
		return fmt.Errorf("url: has a user or password, which would be shown; put a bearer token into the file that " +
			"token_file names")
	}
	return nil
}
