package snmp

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
)

// The bits of msgFlags (RFC 3412, section 6.4).
const (
	flagAuth       = 1
	flagPrivacy    = 2
	flagReportable = 4
)

// timeWindow is how many seconds a message may be old (RFC 3414, section 2.2.3).
const timeWindow = 150

// usmStats are the counters that reports name, below usmStats (RFC 3414, section 5).
type usmStat uint32

const (
	unsupportedSecLevels usmStat = 1 + iota
	notInTimeWindows
	unknownUserNames
	unknownEngineIDs
	wrongDigests
	decryptionErrors
)

// message3 is a message of version 3 taken apart. The slices are parts of the datagram.
type message3 struct {
	id, most    int32
	flags       byte
	engine      []byte
	boots, time int32
	user        []byte
	signature   []byte
	salt        []byte
	data        []byte // the scoped PDU, as an element or encrypted
}

// parse3 takes a message apart after its version.
func parse3(b []byte) (m message3, ok bool) {
	header, b, ok := takeTag(b, tagSequence)
	if !ok {
		return m, false
	}
	if m.id, header, ok = takeInteger(header); !ok {
		return m, false
	}
	if m.most, header, ok = takeInteger(header); !ok {
		return m, false
	}
	flags, header, ok := takeTag(header, tagString)
	if !ok || len(flags) != 1 {
		return m, false
	}
	m.flags = flags[0]
	const userBased = 3
	if model, _, ok := takeInteger(header); !ok || model != userBased {
		return m, false
	}
	parameters, rest, ok := takeTag(b, tagString)
	if !ok {
		return m, false
	}
	m.data = rest
	parameters, _, ok = takeTag(parameters, tagSequence)
	if !ok {
		return m, false
	}
	if m.engine, parameters, ok = takeTag(parameters, tagString); !ok {
		return m, false
	}
	if m.boots, parameters, ok = takeInteger(parameters); !ok {
		return m, false
	}
	if m.time, parameters, ok = takeInteger(parameters); !ok {
		return m, false
	}
	if m.user, parameters, ok = takeTag(parameters, tagString); !ok {
		return m, false
	}
	if m.signature, parameters, ok = takeTag(parameters, tagString); !ok {
		return m, false
	}
	m.salt, _, ok = takeTag(parameters, tagString)
	return m, ok
}

// answer3 answers a message of version 3; in is the whole datagram, which it changes.
func (a *Agent) answer3(in, body []byte) []byte {
	m, ok := parse3(body)
	if !ok {
		return nil
	}
	if !bytes.Equal(m.engine, a.engine) {
		return a.report(m, unknownEngineIDs, nil) // this is how one finds out
	}
	account, known := a.accounts[string(m.user)]
	switch {
	case !known:
		return a.report(m, unknownUserNames, nil)
	case m.flags&flagAuth == 0 || (m.flags&flagPrivacy != 0) != (account.privacy != nil):
		return a.report(m, unsupportedSecLevels, nil)
	}
	if len(m.signature) != account.truncated {
		return a.report(m, wrongDigests, nil)
	}
	signature := bytes.Clone(m.signature)
	clear(m.signature) // a part of in
	if !hmac.Equal(signature, account.sign(in)) {
		return a.report(m, wrongDigests, nil)
	}
	boots, now := a.clock()
	if m.boots != int32(boots) || int64(m.time) < int64(now)-timeWindow || int64(m.time) > int64(now)+timeWindow {
		return a.report(m, notInTimeWindows, &account)
	}
	scoped := m.data
	if account.privacy != nil {
		sealed, _, ok := takeTag(m.data, tagString)
		const saltSize = 8
		if !ok || len(m.salt) != saltSize {
			return a.report(m, decryptionErrors, nil)
		}
		opened, err := account.feedback(sealed, uint32(m.boots), uint32(m.time), m.salt, true)
		if err != nil {
			return nil
		}
		scoped = opened
	}
	content, _, ok := takeTag(scoped, tagSequence)
	if !ok {
		if account.privacy != nil {
			return a.report(m, decryptionErrors, nil)
		}
		return nil
	}
	context, content, ok := takeTag(content, tagString)
	if !ok {
		return nil
	}
	contextName, content, ok := takeTag(content, tagString)
	if !ok || len(contextName) > 0 || len(context) > 0 && !bytes.Equal(context, a.engine) {
		return nil // there is but the one without a name
	}
	p, ok := parsePDU(content)
	if !ok {
		return nil
	}
	const envelope = 200 // octets around a PDU, at most
	room := mostAnswer
	if m.most > 0 {
		room = min(room, int(m.most))
	}
	return a.seal(m, m.flags&^flagReportable, &account, p.answer(a.objects(), room-envelope))
}

// report tells what was wrong with a message, if its sender wants to know. The one about time is signed.
func (a *Agent) report(m message3, stat usmStat, account *account) []byte {
	count := a.stats[stat].Add(1)
	if m.flags&flagReportable == 0 {
		return nil
	}
	name := []uint32{1, 3, 6, 1, 6, 3, 15, 1, 1, uint32(stat), 0}
	flags := byte(0)
	if account != nil {
		flags = flagAuth
	}
	return a.seal(m, flags, account, element(tagReport, number(tagInteger, 0), number(tagInteger, 0), number(tagInteger, 0),
		element(tagSequence, binding(name, number(tagCounter32, int64(count))))))
}

// seal writes a message of version 3 around a PDU, as flags ask for.
func (a *Agent) seal(m message3, flags byte, account *account, content []byte) []byte {
	boots, now := a.clock()
	data := element(tagSequence, element(tagString, a.engine), element(tagString), content)
	var signature, salt []byte
	if flags&flagAuth != 0 {
		signature = make([]byte, account.truncated)
	}
	if flags&flagPrivacy != 0 {
		salt = binary.BigEndian.AppendUint64(nil, a.salt.Add(1))
		sealed, err := account.feedback(data, boots, now, salt, false)
		if err != nil {
			return nil
		}
		data = element(tagString, sealed)
	}
	const userBased, most = 3, 65507
	user := m.user
	if account == nil && flags == 0 && len(user) > 32 {
		user = nil
	}
	message := element(tagSequence, number(tagInteger, 3),
		element(tagSequence, number(tagInteger, int64(m.id)), number(tagInteger, most), element(tagString, []byte{flags}),
			number(tagInteger, userBased)),
		element(tagString, element(tagSequence, element(tagString, a.engine), number(tagInteger, int64(boots)),
			number(tagInteger, int64(now)), element(tagString, user), element(tagString, signature), element(tagString, salt))),
		data)
	if flags&flagAuth != 0 {
		body, _, _ := takeTag(message, tagSequence)
		_, body, _ = takeInteger(body)
		own, ok := parse3(body)
		if !ok {
			return nil
		}
		copy(own.signature, account.sign(message)) // into the message
	}
	return message
}
