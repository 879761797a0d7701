package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"timestation/app/config"
	"timestation/app/keys"
	"timestation/engine/ntp"
)

// standardKeys is where the key file of a packaged station is.
const standardKeys = "/etc/timestation/keys"

func keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Keys and certificates: new, list, rotate, cert",
		Long: `Looks after what the station and its clients authenticate each other by: the symmetric keys of a key file, and
certificates for NTS. The key file is --file, or that of the configuration which timestation run would take, or
` + standardKeys + `. A running station reads it again on SIGHUP: systemctl reload timestation.`,
		Example: "  timestation keys new\n  timestation keys list\n  timestation keys rotate\n  timestation keys cert --name time.example.org",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(keysNewCommand(), keysListCommand(), keysRotateCommand(), keysCertCommand())
	return c
}

// keyFlags are what the commands on a key file share.
type keyFlags struct {
	path, kind string
	asJSON     bool
}

func (f *keyFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.path, "file", "", "key file (default: that of the configuration, or "+standardKeys+")")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
}

// open reads the key file. A configuration that does not name one is wrong use.
func (f *keyFlags) open() (*keys.File, error) {
	path := f.path
	if path == "" {
		var err error
		if path, err = configuredKeys(); err != nil {
			return nil, usageError{err}
		}
	}
	return keys.Open(path)
}

// configuredKeys is the key file of the first listener that has one.
func configuredKeys() (string, error) {
	found, _, err := config.Find()
	if errors.Is(err, fs.ErrNotExist) {
		return standardKeys, nil
	}
	if err != nil {
		return "", fmt.Errorf("%w; name the key file with --file", err)
	}
	cfg, err := config.Load(found)
	if err != nil {
		return "", fmt.Errorf("%w; mend it, or name the key file with --file", err)
	}
	for _, l := range cfg.Listeners {
		if l.Keys != "" {
			return l.Keys, nil
		}
	}
	return "", fmt.Errorf("%s names no key file; add keys = %q to a [[listener]], or name the file with --file", found, standardKeys)
}

func keysNewCommand() *cobra.Command {
	var f keyFlags
	var id uint32
	var force bool
	c := &cobra.Command{
		Use:   "new",
		Short: "Add a random key and print the lines for a client",
		Long: `Adds a random key to the key file, which is made with mode 0600 where there is none, and prints the lines that a
client needs. The file is replaced at once, and what else is in it stays as it is.

AES128 is the cheapest to check, and known to chrony and ntpsec. MD5 and SHA1 are for old clients only.`,
		Example: "  timestation keys new\n  timestation keys new --type SHA256 --id 20\n  timestation keys new --file ./keys --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			kind, err := keys.ParseType(f.kind)
			if err != nil {
				return usageError{fmt.Errorf("--type: %w", err)}
			}
			file, err := f.open()
			if err != nil {
				return err
			}
			switch {
			case !cmd.Flags().Changed("id"):
				id = file.Next()
			case id == 0:
				return usageError{errors.New("--id: 0 is not a key's number; name one from 1 to 4294967295")}
			case file.Has(id) && !force:
				return usageError{fmt.Errorf("--id: key %d is in %s already; name another number, or replace it with --force", id, file.Path())}
			}
			file.Retire(id)
			return f.add(cmd.OutOrStdout(), file, keys.Make(id, kind), nil)
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.kind, "type", ntp.AES128.String(), "AES128, AES192, AES256, SHA256, SHA384, SHA512, SHA1 or MD5")
	c.Flags().Uint32Var(&id, "id", 0, "the key's number (default: one more than the greatest)")
	c.Flags().BoolVar(&force, "force", false, "replace the key of that number")
	return c
}

// keyReport is what --json tells of a new key.
type keyReport struct {
	ID   uint32 `json:"id"`
	Type string `json:"type"`
	Bits int    `json:"bits"`
	File string `json:"file"`
	// Chrony and Ntpsec are the lines for a client's key file; absent where that program cannot have such a key.
	Chrony string `json:"chrony,omitempty"`
	Ntpsec string `json:"ntpsec,omitempty"`
	// Older keys go on working.
	Older []uint32 `json:"older,omitempty"`
}

// add saves a key and says what a client needs; older are the keys that it is to replace.
func (f *keyFlags) add(w io.Writer, file *keys.File, k ntp.Key, older []uint32) error {
	file.Add(k)
	if err := file.Save(); err != nil {
		return err
	}
	r := keyReport{ID: k.ID, Type: k.Algorithm.String(), Bits: 8 * len(k.Secret), File: file.Path(), Older: older}
	if keys.InChrony(k) {
		r.Chrony = keys.ChronyLine(k)
	}
	if keys.InNtpsec(k) {
		r.Ntpsec = keys.NtpsecLine(k)
	}
	if f.asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	return printNewKey(w, r)
}

func printNewKey(w io.Writer, r keyReport) error {
	var out strings.Builder
	fmt.Fprintf(&out, "Key %d (%s, %d bits) is in %s. The station takes it from: sudo systemctl reload timestation\n", r.ID, r.Type, r.Bits, r.File)
	if r.Chrony == "" {
		fmt.Fprintf(&out, "chrony knows no %s.\n", r.Type)
	} else {
		fmt.Fprintf(&out, "A client with chrony: in /etc/chrony/chrony.keys\n  %s\nand in /etc/chrony/chrony.conf\n"+
			"  server ADDRESS iburst key %d\n", r.Chrony, r.ID)
	}
	if r.Ntpsec == "" {
		fmt.Fprint(&out, "ntpsec knows no key numbers beyond 65535.\n")
	} else {
		fmt.Fprintf(&out, "A client with ntpsec: in /etc/ntpsec/ntp.keys\n  %s\nand in /etc/ntpsec/ntp.conf\n"+
			"  keys /etc/ntpsec/ntp.keys\n  trustedkey %d\n  server ADDRESS iburst key %d\n", r.Ntpsec, r.ID, r.ID)
	}
	if len(r.Older) > 0 {
		fmt.Fprintf(&out, "The older keys go on working: %s. When every client uses key %d, retire those it replaces:\n"+
			"  timestation keys rotate --file %s --retire %s\n", joinIDs(r.Older, ", "), r.ID, r.File, joinIDs(r.Older, ","))
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func joinIDs(ids []uint32, separator string) string {
	return strings.ReplaceAll(strings.Trim(fmt.Sprint(ids), "[]"), " ", separator)
}

func keysListCommand() *cobra.Command {
	var f keyFlags
	var show bool
	c := &cobra.Command{
		Use:     "list",
		Short:   "The keys of the key file, without their secrets",
		Long:    "Lists the keys of the key file: number, type, length in bits, and the addresses that may use it where it is bound to any. The secrets are only told with --show. With --json it is JSON Lines, a key each.",
		Example: "  timestation keys list\n  timestation keys list --show --json | jq -r .chrony",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := f.open()
			if err != nil {
				return err
			}
			if file.Exposed() {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s is open to group or others, so the station refuses it; run: chmod 600 %[1]s\n", file.Path())
			}
			return listKeys(cmd.OutOrStdout(), file, show, f.asJSON)
		},
	}
	f.register(c)
	c.Flags().BoolVar(&show, "show", false, "print the secrets too")
	return c
}

// listedKey is what --json tells of a key.
type listedKey struct {
	ID   uint32   `json:"id"`
	Type string   `json:"type"`
	Bits int      `json:"bits"`
	From []string `json:"from,omitempty"`
	// Chrony and Ntpsec are the lines for a client's key file, with --show.
	Chrony string `json:"chrony,omitempty"`
	Ntpsec string `json:"ntpsec,omitempty"`
}

func listKeys(w io.Writer, file *keys.File, show, asJSON bool) error {
	if len(file.Keys()) == 0 && !asJSON {
		_, err := fmt.Fprintf(w, "There is no key in %s; make one with: timestation keys new --file %[1]s\n", file.Path())
		return err
	}
	var out strings.Builder
	for _, k := range file.Keys() {
		l := listedKey{ID: k.ID, Type: k.Algorithm.String(), Bits: 8 * len(k.Secret)}
		for _, p := range k.From {
			l.From = append(l.From, p.String())
		}
		if show && keys.InChrony(k) {
			l.Chrony = keys.ChronyLine(k)
		}
		if show && keys.InNtpsec(k) {
			l.Ntpsec = keys.NtpsecLine(k)
		}
		switch {
		case asJSON:
			if err := json.NewEncoder(&out).Encode(l); err != nil {
				return err
			}
		default:
			fmt.Fprintf(&out, "%5d  %-6s  %3d bits", l.ID, l.Type, l.Bits)
			if show {
				fmt.Fprintf(&out, "  %X", k.Secret)
			}
			if len(l.From) > 0 {
				fmt.Fprintf(&out, "  only from %s", strings.Join(l.From, ", "))
			}
			out.WriteString("\n")
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func keysRotateCommand() *cobra.Command {
	var f keyFlags
	var retire []uint
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Add a new key beside the old ones; later, retire those",
		Long: `Adds a key of the same type as the last one in the file, or of --type, with the next number. The old ones go on working,
so that the clients can change over one by one. When they all have, --retire takes the old ones out. Both are done in the
file at once; a running station goes on with the old file until it is told: sudo systemctl reload timestation`,
		Example: "  timestation keys rotate\n  timestation keys rotate --retire 1,2",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := f.open()
			if err != nil {
				return err
			}
			if len(file.Keys()) == 0 {
				return fmt.Errorf("%s: there is no key to rotate; make one with: timestation keys new --file %[1]s", file.Path())
			}
			if len(retire) > 0 {
				return f.retire(cmd.OutOrStdout(), file, retire)
			}
			kind := file.Keys()[len(file.Keys())-1].Algorithm
			if f.kind != "" {
				if kind, err = keys.ParseType(f.kind); err != nil {
					return usageError{fmt.Errorf("--type: %w", err)}
				}
			}
			var older []uint32
			for _, k := range file.Keys() {
				older = append(older, k.ID)
			}
			return f.add(cmd.OutOrStdout(), file, keys.Make(file.Next(), kind), older)
		},
	}
	f.register(c)
	c.Flags().StringVar(&f.kind, "type", "", "type of the new key (default: that of the last one)")
	c.Flags().UintSliceVar(&retire, "retire", nil, "numbers of the keys to take out, with commas between; adds none")
	c.MarkFlagsMutuallyExclusive("type", "retire")
	return c
}

// retiredReport is what --json tells of keys that were taken out.
type retiredReport struct {
	File    string   `json:"file"`
	Retired []uint32 `json:"retired"`
	Left    []uint32 `json:"left"`
}

func (f *keyFlags) retire(w io.Writer, file *keys.File, numbers []uint) error {
	r := retiredReport{File: file.Path()}
	for _, n := range numbers {
		if id := uint32(n); uint(id) == n && file.Has(id) {
			r.Retired = append(r.Retired, id)
		} else {
			return usageError{fmt.Errorf("--retire: there is no key %d in %s; see: timestation keys list --file %[2]s", n, file.Path())}
		}
	}
	for _, k := range file.Keys() {
		if !slices.Contains(r.Retired, k.ID) {
			r.Left = append(r.Left, k.ID)
		}
	}
	if len(r.Left) == 0 {
		return usageError{fmt.Errorf("--retire: no key would be left in %s; add one first with: timestation keys rotate --file %[1]s", file.Path())}
	}
	file.Retire(r.Retired...)
	if err := file.Save(); err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	_, err := fmt.Fprintf(w, "Retired from %s: %s. Left: %s. The station lets go of them with: sudo systemctl reload timestation\n",
		r.File, joinIDs(r.Retired, ", "), joinIDs(r.Left, ", "))
	return err
}
