package ntp

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// ParseKeys reads a key file in the syntax of chrony (`id [type] [ASCII:|HEX:]key`) or of ntpsec (`id type key`), after
// which, as in ntp.org's since 4.2.8, may stand the addresses that may use the key (`id type key 192.0.2.0/24,::1`). Blank
// lines, and what follows a # at the start of a line or after a blank, are left out; so are lines that begin with !, ;
// or %, which chrony takes for comments too. The id is 1…4294967295; types are MD5, SHA1, SHA256, SHA384, SHA512, AES128,
// AES192 and AES256, with ntpsec's spellings (any case; SHA-1, AES, AES-128, AES-256, AES-CMAC, AES128CMAC …).
//
// The two syntaxes differ in what a key without prefix means, and each line is read by itself:
//
//   - with a prefix, HEX: or ASCII:, it is chrony's and says what it is;
//   - without a type it is chrony's: an MD5 key, the characters themselves;
//   - with the type AES128 or AES256, which only chrony spells so, it is chrony's: the characters themselves;
//   - otherwise a key of up to 20 characters is the characters themselves: both agree;
//   - longer ones are ntpsec's, and hexadecimal. If they are not, and the type is spelled as chrony does, they are
//     chrony's: the characters themselves.
//
// So only one line can be misread: a chrony key without prefix, of more than 20 characters all of which happen to be
// hexadecimal digits, with one of the types MD5 to SHA512. Write ASCII: before it.
//
// An error names the line and the reason, and never shows what might be a secret.
func ParseKeys(r io.Reader) ([]Key, error) {
	var keys []Key
	lines := map[uint32]int{}
	scanner := bufio.NewScanner(r)
	line := 0
	for scanner.Scan() {
		line++
		fields := keyFields(scanner.Text())
		if len(fields) == 0 {
			continue
		}
		key, err := parseKey(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if first, taken := lines[key.ID]; taken {
			return nil, fmt.Errorf("line %d: key %d is already in line %d; give each key its own number",
				line, key.ID, first)
		}
		lines[key.ID] = line
		keys = append(keys, key)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	return keys, nil
}

// keyFields splits a line at blanks and drops its comment.
func keyFields(line string) []string {
	fields := strings.Fields(line)
	if len(fields) > 0 && strings.ContainsRune("!;%", rune(fields[0][0])) {
		return nil
	}
	for i, field := range fields {
		if field[0] == '#' {
			return fields[:i]
		}
	}
	return fields
}

func parseKey(fields []string) (key Key, err error) {
	id, err := strconv.ParseUint(fields[0], 10, 32)
	if err != nil || id == 0 {
		return key, errors.New("it does not begin with a key number from 1 to 4294967295")
	}
	key.ID = uint32(id)
	if len(fields) == 4 {
		if key.From, err = parseAddresses(fields[3]); err != nil {
			return key, fmt.Errorf("key %d: %w", id, err)
		}
		fields = fields[:3]
	}
	secret, spelling := fields[len(fields)-1], chronyOnly
	switch len(fields) {
	case 1:
		return key, fmt.Errorf("key %d: the key is missing", id)
	case 2:
		if _, spelling := parseAlgorithm(secret); spelling != unknownSpelling {
			return key, fmt.Errorf("key %d: there is a type, but no key after it", id)
		}
	case 3:
		key.Algorithm, spelling = parseAlgorithm(fields[1])
		if spelling == unknownSpelling {
			return key, fmt.Errorf("key %d: the type is none of MD5, SHA1, SHA256, SHA384, SHA512, AES128, AES192, "+
				"AES256", id)
		}
	default:
		return key, fmt.Errorf("key %d: the line has %d fields; write: id type key addresses", id, len(fields))
	}
	if key.Secret, err = parseSecret(secret, spelling); err != nil {
		return key, fmt.Errorf("key %d: %w", id, err)
	}
	if want := algorithms[key.Algorithm].keyLen; want != 0 && len(key.Secret) != want {
		return key, fmt.Errorf("key %d: a key for %v has %d octets, this one %d; write HEX: and %d hexadecimal digits",
			id, key.Algorithm, want, len(key.Secret), 2*want)
	}
	return key, nil
}

// parseAddresses takes addresses and prefixes with commas between.
func parseAddresses(list string) (all []netip.Prefix, err error) {
	for text := range strings.SplitSeq(list, ",") {
		p, err := netip.ParsePrefix(text)
		if a, notPrefix := netip.ParseAddr(text); notPrefix == nil && a.Zone() == "" {
			p, err = a.Prefix(a.BitLen())
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, errors.New("what follows the key are no addresses; write for instance 192.0.2.0/24,2001:db8::7")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

func parseSecret(s string, spelling spelling) ([]byte, error) {
	if text, ok := strings.CutPrefix(s, "ASCII:"); ok {
		return nonEmpty([]byte(text))
	}
	if digits, ok := strings.CutPrefix(s, "HEX:"); ok {
		secret, err := hex.DecodeString(digits)
		if err != nil {
			return nil, errors.New("what follows HEX: is not an even number of hexadecimal digits")
		}
		return nonEmpty(secret)
	}
	const longestText = 20 // ntpsec, ntp.keys(5)
	if len(s) <= longestText || spelling == chronyOnly {
		return []byte(s), nil
	}
	secret, err := hex.DecodeString(s)
	switch {
	case err == nil:
		return secret, nil
	case spelling == both:
		return []byte(s), nil
	}
	return nil, errors.New("it has more than 20 characters, which are not an even number of hexadecimal digits; " +
		"write ASCII: before it if it is text")
}

func nonEmpty(secret []byte) ([]byte, error) {
	if len(secret) == 0 {
		return nil, errors.New("the key is empty")
	}
	return secret, nil
}

// spelling is which program would know a type by its spelling.
type spelling uint8

const (
	unknownSpelling spelling = iota
	both
	chronyOnly
	ntpsecOnly
)

func parseAlgorithm(s string) (Algorithm, spelling) {
	for a, algorithm := range algorithms {
		if s == algorithm.name {
			if algorithm.keyLen != 0 {
				return Algorithm(a), chronyOnly
			}
			return Algorithm(a), both
		}
	}
	name := strings.ReplaceAll(strings.ToUpper(s), "-", "")
	switch name = strings.TrimSuffix(name, "CMAC"); name {
	case "AES":
		return AES128, ntpsecOnly
	case "SHA":
		return SHA1, ntpsecOnly
	}
	for a, algorithm := range algorithms {
		if name == algorithm.name {
			return Algorithm(a), ntpsecOnly
		}
	}
	return 0, unknownSpelling
}
