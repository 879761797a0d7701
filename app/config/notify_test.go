package config

import (
	"strings"
	"testing"
)

// TestNotify: [[notify]] sections are read with their defaults and the keys of their kind; what cannot be is refused.
func TestNotify(t *testing.T) {
	cfg, err := Load(write(t, source+"[alerts]\nlanguage = \"de\"\n[[notify]]\nkind = \"sound\"\n[[notify]]\nname = \"boss\"\nkind = \"push\"\n"+
		"url = \"https://ntfy.sh/x\"\nseverity = \"critical\"\nescalated_only = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Notify) != 2 || cfg.Notify[0].Name != "sound" || cfg.Notify[0].Severity != "warning" || cfg.Notify[1].Name != "boss" ||
		!cfg.Notify[1].EscalatedOnly || cfg.Alerts.Language != "de" || cfg.Alerts.EscalateMinutes != 15 {
		t.Errorf("%+v %+v", cfg.Notify, cfg.Alerts)
	}
	for text, says := range map[string]string{
		"[[notify]]\n":                 "notify[1].kind: is missing; write one of ",
		"[[notify]]\nkind = \"fax\"\n": `notify[1].kind: "fax" is not known; write one of "journal", "mail"`,
		"[[notify]]\nkind = \"push\"\nurl = \"https://ntfy.sh/x\"\ntopic = 1\n": "notify[1].topic: unknown key",
		"[[notify]]\nname = \"a\"\nkind = \"push\"\n":                           `notify "a": url: "" is not an address of the web`,
		"[[notify]]\nkind = \"sound\"\n[[notify]]\nkind = \"sound\"\n":          `notify "sound": name: two places have it`,
		"[notify]\nkind = \"sound\"\n":                                          "write [[notify]] with two brackets",
		"[alerts]\nlanguage = \"fr\"\n":                                         "alerts.language: ",
	} {
		if _, err := Load(write(t, source+text)); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
	if reference := Reference(); !strings.Contains(reference, "#### `kind = \"snmp-agent\"`") || !strings.Contains(reference, "| `community_file` |") {
		t.Error("the reference does not have the kinds")
	}
}
