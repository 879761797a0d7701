package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"timestation/app/config"
	"timestation/app/web/access"
	"timestation/engine/clock"
)

// standardTokens is where the token file of a packaged station is.
const standardTokens = "/etc/timestation/tokens"

func tokenCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "token",
		Short: "Who may do what over HTTP: new, list, revoke",
		Long: `Looks after the tokens of the status page and of /api. Each has the name that the log will say, and a role:
  view      reads, where [web] view = "token"
  operate   acknowledges alerts, and what is done in a studio every day
  admin     also accepts a time jump
The file keeps only hashes; a token is printed once, when it is made. The file is --file, or that of [web] tokens in the
configuration which timestation run would take, or ` + standardTokens + `. A running station sees a change at once.`,
		Example: "  timestation token new ada --role admin\n  timestation token new screen-3 --role view --out ./screen-3.token\n  timestation token list\n  timestation token revoke ada",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(tokenNewCommand(), tokenListCommand(), tokenRevokeCommand())
	return c
}

// tokenFlags are what the commands on a token file share.
type tokenFlags struct {
	path   string
	asJSON bool
}

func (f *tokenFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "file", "", "token file (default: that of the configuration, or "+standardTokens+")")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// open reads the token file; one that is not there yet is empty.
func (f *tokenFlags) open() (*access.File, error) {
	if f.path == "" {
		f.path = standardTokens
		found, _, err := config.Find()
		if err == nil {
			cfg, err := config.Load(found)
			if err != nil {
				return nil, usageError{fmt.Errorf("%w; mend it, or name the token file with --file", err)}
			}
			if cfg.Web.Tokens != "" {
				f.path = cfg.Web.Tokens
			}
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, usageError{fmt.Errorf("%w; name the token file with --file", err)}
		}
	}
	tokens, err := access.Open(f.path)
	if !errors.Is(err, fs.ErrNotExist) {
		return tokens, err
	}
	if _, err := os.Stat(filepath.Dir(f.path)); err != nil {
		return nil, fmt.Errorf("%s: there is no such folder; make it with: mkdir -p %s", f.path, filepath.Dir(f.path))
	}
	return access.Empty(f.path), nil
}

// tokenAnswer is a token as --json prints it.
type tokenAnswer struct {
	Name string      `json:"name"`
	Role access.Role `json:"role"`
	Made string      `json:"made,omitempty"`
	// Token is only there when it was made just now.
	Token string `json:"token,omitempty"`
}

func tokenNewCommand() *cobra.Command {
	var f tokenFlags
	var role, out string
	c := &cobra.Command{
		Use:     "new NAME",
		Short:   "Make a token and print it, this once",
		Example: "  timestation token new ada --role operate\n  timestation token new ada --role operate --out ./token    (a file of mode 0600, for --token-file)",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tokens, err := f.open()
			if err != nil {
				return err
			}
			token, secret := access.New(
				args[0],
				access.Role(role),
				time.Unix(0, int64(clock.Now())).UTC().Format(time.DateOnly),
			)
			if err := token.Validate(); err != nil {
				return usageError{err}
			}
			if err := tokens.Add(token); err != nil {
				return err
			}
			if out != "" {
				if err := writeSecret(out, secret); err != nil {
					return err
				}
			}
			if err := tokens.Save(); err != nil {
				return err
			}
			if out != "" {
				secret = ""
			}
			if f.asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(tokenAnswer{token.Name, token.Role, token.Made, secret})
			}
			if out == "" {
				fmt.Fprintln(cmd.OutOrStdout(), secret)
			}
			fmt.Fprintf(
				cmd.ErrOrStderr(),
				"%s may %s. %s keeps only the token's hash: what is lost is made anew.\n",
				token.Name,
				token.Role,
				f.path,
			)
			tellTokens(cmd.ErrOrStderr(), f.path)
			return nil
		},
	}
	f.register(c)
	c.Flags().StringVar(&role, "role", string(access.Operate), "view, operate or admin")
	c.Flags().
		StringVar(&out, "out", "", "write the token into this new file, readable by its owner alone, instead of printing it")
	return c
}

// writeSecret makes a file that was not there.
func writeSecret(path, secret string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("--out: %s exists already and is left as it is; name another file", path)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	_, err = fmt.Fprintln(file, secret)
	return errors.Join(err, file.Close())
}

// tellTokens says what is missing where the configuration does not name the file.
func tellTokens(w io.Writer, path string) {
	found, _, err := config.Find()
	if err != nil {
		return // nobody runs a station from here
	}
	if cfg, err := config.Load(found); err == nil && cfg.Web.Tokens != path {
		fmt.Fprintf(
			w,
			"%s does not name the file yet: add tokens = %q to its [web] section, and restart the station.\n",
			found,
			path,
		)
	}
}

func tokenListCommand() *cobra.Command {
	var f tokenFlags
	c := &cobra.Command{
		Use:     "list",
		Short:   "The tokens' names and roles",
		Example: "  timestation token list\n  timestation token list --json | jq -r .name",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			tokens, err := f.open()
			if err != nil {
				return err
			}
			lines := json.NewEncoder(cmd.OutOrStdout())
			for _, t := range tokens.Tokens() {
				if f.asJSON {
					if err := lines.Encode(tokenAnswer{Name: t.Name, Role: t.Role, Made: t.Made}); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-20s %-8s %s\n", t.Name, t.Role, t.Made)
			}
			if len(tokens.Tokens()) == 0 && !f.asJSON {
				fmt.Fprintf(cmd.OutOrStdout(), "%s has no token; make one with: timestation token new NAME\n", f.path)
			}
			return nil
		},
	}
	f.register(c)
	return c
}

func tokenRevokeCommand() *cobra.Command {
	var f tokenFlags
	c := &cobra.Command{
		Use:     "revoke NAME…",
		Short:   "Take tokens back; sessions that began with them end at once",
		Example: "  timestation token revoke ada",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			tokens, err := f.open()
			if err != nil {
				return err
			}
			for _, name := range args {
				if !tokens.Revoke(name) {
					return fmt.Errorf("%s has no token called %q; see timestation token list", f.path, name)
				}
			}
			if err := tokens.Save(); err != nil {
				return err
			}
			for _, name := range args {
				if f.asJSON {
					if err := json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"revoked": name}); err != nil {
						return err
					}
					continue
				}
				fmt.Fprintln(cmd.OutOrStdout(), "revoked", name)
			}
			return nil
		},
	}
	f.register(c)
	return c
}
