package nts

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
)

func records(all ...[]byte) []byte { return bytes.Join(all, nil) }

var (
	end       = appendRecord(nil, true, recordEnd, nil)
	ntp4      = appendNumbers(nil, true, recordNextProtocol, uint16(protocolNTP4))
	offersSIV = appendNumbers(nil, true, recordAEAD, AESSIVCMAC256)
)

func TestRequestsAreRefusedByTheBook(t *testing.T) {
	bad, unknown := refusal(codeBadRequest), refusal(codeUnknownCritical)
	for name, c := range map[string]struct {
		message []byte
		want    error
	}{
		"a plain request":            {records(ntp4, offersSIV, end), nil},
		"in another order":           {records(offersSIV, ntp4, end), nil},
		"wishes for server and port": {records(ntp4, offersSIV, appendRecord(nil, false, recordServer, []byte("x")), appendNumbers(nil, false, recordPort, uint16(11123)), end), nil},
		"unknown, not critical":      {records(ntp4, offersSIV, appendRecord(nil, false, 999, []byte("x")), end), nil},
		"unknown and critical":       {records(ntp4, offersSIV, appendRecord(nil, true, 999, nil), end), unknown},
		"another protocol":           {records(appendNumbers(nil, true, recordNextProtocol, uint16(7)), end), nil},
		"no protocol":                {records(offersSIV, end), bad},
		"no algorithm":               {records(ntp4, end), bad},
		"two protocol records":       {records(ntp4, ntp4, offersSIV, end), bad},
		"two algorithm records":      {records(ntp4, offersSIV, offersSIV, end), bad},
		"an odd list":                {records(ntp4, appendRecord(nil, true, recordAEAD, []byte{0, 15, 0}), end), bad},
		"an empty list":              {records(ntp4, appendRecord(nil, true, recordAEAD, nil), end), bad},
		"protocol not critical":      {records(appendNumbers(nil, false, recordNextProtocol, uint16(0)), offersSIV, end), bad},
		"end not critical":           {records(ntp4, offersSIV, appendRecord(nil, false, recordEnd, nil)), bad},
		"end with a body":            {records(ntp4, offersSIV, appendRecord(nil, true, recordEnd, []byte{1})), bad},
		"a cookie from a client":     {records(ntp4, offersSIV, appendRecord(nil, false, recordCookie, make([]byte, 100)), end), bad},
		"an error from a client":     {records(appendNumbers(nil, true, recordError, uint16(1)), end), bad},
		"no end":                     {records(ntp4, offersSIV), bad},
		"cut short":                  {records(ntp4, offersSIV, end)[:9], bad},
		"nothing":                    {nil, bad},
	} {
		if _, err := parseRequest(c.message); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestAnswersAreToldApart(t *testing.T) {
	good := response{ntp4: true, algorithm: AES128GCMSIV, compliant: true, server: "ntp.example.org", port: 11123,
		cookies: [][]byte{make([]byte, 100), {1, 2, 3, 4}}}
	if got, err := parseResponse(good.append(nil)); err != nil || !reflect.DeepEqual(got, good) {
		t.Errorf("%+v, %v", got, err)
	}
	cookie := appendRecord(nil, false, recordCookie, make([]byte, 100))
	for name, c := range map[string]struct {
		message []byte
		want    string
	}{
		"refused":               {records(appendNumbers(nil, true, recordError, codeBadRequest), end), "malformed"},
		"an unknown refusal":    {records(appendNumbers(nil, true, recordError, uint16(77)), end), "code 77"},
		"a warning":             {records(ntp4, appendNumbers(nil, true, recordWarning, uint16(3)), offersSIV, cookie, end), "warns"},
		"no NTPv4":              {response{}.append(nil), "does not speak"},
		"no algorithm":          {response{ntp4: true}.append(nil), "none of the offered"},
		"no cookies":            {response{ntp4: true, algorithm: AESSIVCMAC256}.append(nil), "no cookies"},
		"long cookies alone":    {records(ntp4, offersSIV, appendRecord(nil, false, recordCookie, make([]byte, 1000)), end), "no cookies"},
		"an unknown critical":   {records(ntp4, offersSIV, cookie, appendRecord(nil, true, 999, nil), end), "type 999"},
		"two algorithms":        {records(ntp4, appendNumbers(nil, true, recordAEAD, AESSIVCMAC256, AES128GCMSIV), cookie, end), "algorithm"},
		"two ports":             {records(ntp4, offersSIV, cookie, appendNumbers(nil, true, recordPort, uint16(1)), appendNumbers(nil, true, recordPort, uint16(1)), end), "too many"},
		"port 0":                {records(ntp4, offersSIV, cookie, appendNumbers(nil, true, recordPort, uint16(0)), end), "port"},
		"a server of nonsense":  {records(ntp4, offersSIV, cookie, appendRecord(nil, true, recordServer, []byte("a b\n")), end), "no name"},
		"a server with no name": {records(ntp4, offersSIV, cookie, appendRecord(nil, true, recordServer, nil), end), "no name"},
	} {
		if _, err := parseResponse(c.message); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := good
	for range 20 {
		many.cookies = append(many.cookies, make([]byte, 100))
	}
	if got, err := parseResponse(many.append(nil)); err != nil || len(got.cookies) != MaxCookies {
		t.Errorf("%d cookies were kept, %v", len(got.cookies), err)
	}
}

// A message ends with its end, and one that does not come to it is not read for ever.
func TestReadMessage(t *testing.T) {
	whole := records(ntp4, offersSIV, end)
	got, err := readMessage(bytes.NewReader(append(bytes.Clone(whole), "more"...)), longestRequest)
	if err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%x, %v", got, err)
	}
	if _, err := readMessage(bytes.NewReader(whole[:len(whole)-1]), longestRequest); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	endless := strings.NewReader(strings.Repeat("\x01\x00\x10\x00", 1<<16))
	if _, err := readMessage(endless, longestRequest); !errors.Is(err, errTooLong) {
		t.Error(err)
	}
}

// What a client that knows AES-128-GCM-SIV is given depends on whether it exports the keys by the book.
func TestChoice(t *testing.T) {
	siv, gcm := AESSIVCMAC256, AES128GCMSIV
	for _, c := range []struct {
		offered   []Algorithm
		says      bool
		want      Algorithm
		compliant bool
	}{
		{[]Algorithm{siv}, false, siv, false},
		{[]Algorithm{gcm, siv}, true, gcm, true},
		{[]Algorithm{siv, gcm}, true, siv, false},
		{[]Algorithm{gcm, siv}, false, siv, false}, // chrony 4.4 to 4.6
		{[]Algorithm{gcm}, false, gcm, false},
		{[]Algorithm{17, 16, siv}, false, siv, false},
		{[]Algorithm{17}, true, 0, false},
		{nil, false, 0, false},
	} {
		if a, compliant := choose(request{algorithms: c.offered, compliant: c.says}); a != c.want || compliant != c.compliant {
			t.Errorf("of %v (%v): %v, %v", c.offered, c.says, a, compliant)
		}
	}
}

// FuzzRecords: what is parsed comes out the same when it is written and parsed again.
func FuzzRecords(f *testing.F) {
	f.Add(records(ntp4, offersSIV, end))
	f.Add(request{algorithms: algorithms, compliant: true}.append(nil))
	f.Add(response{ntp4: true, algorithm: AESSIVCMAC256, server: "a", port: 1, cookies: [][]byte{{1}}}.append(nil))
	f.Add(records(appendNumbers(nil, true, recordError, uint16(1)), end))
	f.Fuzz(func(t *testing.T, message []byte) {
		if q, err := parseRequest(message); err == nil && q.ntp4 {
			again, err := parseRequest(q.append(nil))
			if err != nil || !reflect.DeepEqual(again, q) {
				t.Errorf("request %+v became %+v, %v", q, again, err)
			}
			choose(q)
		}
		if a, err := parseResponse(message); err == nil {
			again, err := parseResponse(a.append(nil))
			if err != nil || !reflect.DeepEqual(again, a) {
				t.Errorf("response %+v became %+v, %v", a, again, err)
			}
		}
		if read, err := readMessage(bytes.NewReader(message), longestRequest); err == nil && !bytes.HasPrefix(message, read) {
			t.Errorf("%x was read as %x", message, read)
		}
	})
}
