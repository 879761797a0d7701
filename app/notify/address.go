package notify

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
)

// checkHostPort tells whether a value is host:port, for a key of that name; example is one that is.
func checkHostPort(key, value, example string) error {
	host, port, err := net.SplitHostPort(value)
	if n, e := strconv.ParseUint(port, 10, 16); err != nil || e != nil || n == 0 || host == "" {
		return fmt.Errorf("%s: %q is not host:port; write for instance %q", key, value, example)
	}
	return nil
}

// checkURL tells whether a value is an address of the web without a secret in it.
func checkURL(value, example string) error {
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("url: %q is not an address of the web; write for instance %q", value, example)
	}
	if u.User != nil {
		return fmt.Errorf("url: has a user or password, which would be shown; put a secret into a file of mode 0600")
	}
	return nil
}
