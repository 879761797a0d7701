// Package secret reads the files that hold a password or a token, one line each.
package secret

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
)

// longest bounds what is read, in octets.
const longest = 4 << 10

// Text gives what a file holds. Who else may read the file knows the secret, so that it is refused then. make is
// the command that makes one, for the message where there is none. Errors never hold what stands in the file.
func Text(path, make string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w; make one with: (umask 077; %s > %s)", err, make, path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others; mend it with: chmod 600 %s", path, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, longest))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return string(text), nil
}

// Line is Text of a file that holds one line, without its end.
func Line(path, make string) (string, error) {
	text, err := Text(path, make)
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(text, "\r\n")
	if line == "" || strings.ContainsAny(line, "\r\n") {
		return "", fmt.Errorf("%s does not hold one line; make one with: (umask 077; %s > %s)", path, make, path)
	}
	return line, nil
}
