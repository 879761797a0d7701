package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/user"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/web"
)

// operator is how a person's commands reach a running station.
type operator struct{ station, tokenFile, who string }

func (o *operator) register(c *cobra.Command) {
	c.Flags().StringVar(&o.station, "station", standardStation, "address of the station's web page")
	c.Flags().StringVar(&o.tokenFile, "token-file", "/etc/timestation/token", "file with the token that the station's [web] token_file names")
	c.Flags().StringVar(&o.who, "who", "", "who the log says it was (default: the user)")
}

// post asks the station to do something, and gives what it did.
func (o *operator) post(ctx context.Context, path string, q web.Request) (string, error) {
	token, err := web.ReadToken(o.tokenFile)
	if err != nil {
		return "", fmt.Errorf("--%s", strings.Replace(err.Error(), "_", "-", 1))
	}
	if q.Who = o.who; q.Who == "" {
		q.Who = "a bearer of the token"
		if u, err := user.Current(); err == nil {
			q.Who = u.Username
		}
	}
	body, err := json.Marshal(q)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.station, "/")+path, bytes.NewReader(body))
	if err != nil || request.URL.Host == "" {
		return "", usageError{fmt.Errorf("--station: %q is not an address; write for instance %s", o.station, standardStation)}
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("no station answers at %s; start one with `timestation run`, or name its address with --station", o.station)
	}
	defer answer.Body.Close()
	const most = 1 << 20
	var a web.Answer
	if err := json.NewDecoder(io.LimitReader(answer.Body, most)).Decode(&a); err != nil {
		return "", fmt.Errorf("%s answered %s; is that a Timestation of this version?", o.station, answer.Status)
	}
	if a.Error != "" {
		return "", fmt.Errorf("%s refused: %s", o.station, a.Error)
	}
	return a.Done, nil
}
