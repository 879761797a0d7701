package secret

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Line(path, "cat"); err == nil || !strings.Contains(err.Error(), "make one with: (umask 077; cat > "+path+")") {
		t.Error(err)
	}
	write(" pass word \r\n", 0o600) // blanks may belong to it
	if got, err := Line(path, "cat"); got != " pass word " || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, text := range []string{"", "\n", "one\ntwo\n"} {
		write(text, 0o600)
		if _, err := Line(path, "cat"); err == nil || strings.Contains(err.Error(), "two") {
			t.Errorf("%q: %v", text, err)
		}
	}
	write("secret\n", 0o640)
	if _, err := Line(path, "cat"); runtime.GOOS != "windows" && (err == nil || !strings.Contains(err.Error(), "chmod 600")) {
		t.Error(err)
	}
}
