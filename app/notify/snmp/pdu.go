package snmp

const (
	// mostAnswer is the most octets of a datagram that crosses any network in one piece.
	mostAnswer = 1400
	// mostBindings bounds the names in one request, mostRepetitions what get-bulk gives of each.
	mostBindings    = 64
	mostRepetitions = 64
)

// The error statuses that are answered (RFC 3416, section 3).
const (
	tooBig      = 1
	notWritable = 17
)

// pdu is a request.
type pdu struct {
	tag byte
	id  int32
	// nonRepeaters and repetitions are get-bulk's.
	nonRepeaters, repetitions int
	names                     [][]uint32
}

// parsePDU reads a request. Values that come with the names are not looked at.
func parsePDU(b []byte) (pdu, bool) {
	tag, body, _, ok := take(b)
	if !ok || tag != tagGet && tag != tagGetNext && tag != tagGetBulk && tag != tagSet {
		return pdu{}, false
	}
	p := pdu{tag: tag}
	var first, second int32
	if p.id, body, ok = takeInteger(body); !ok {
		return pdu{}, false
	}
	if first, body, ok = takeInteger(body); !ok {
		return pdu{}, false
	}
	if second, body, ok = takeInteger(body); !ok {
		return pdu{}, false
	}
	p.nonRepeaters, p.repetitions = max(0, int(first)), min(max(0, int(second)), mostRepetitions)
	list, _, ok := takeTag(body, tagSequence)
	if !ok {
		return pdu{}, false
	}
	for len(list) > 0 {
		var binding []byte
		if binding, list, ok = takeTag(list, tagSequence); !ok {
			return pdu{}, false
		}
		name, _, ok := takeOID(binding)
		if !ok || len(p.names) >= mostBindings {
			return pdu{}, false
		}
		p.names = append(p.names, name)
	}
	return p, true
}

// binding writes a name with its value.
func binding(id []uint32, value []byte) []byte {
	return element(tagSequence, identifier(id), value)
}

// answer writes the response to a request, whose PDU may take room octets.
func (p pdu) answer(objects []Object, room int) []byte {
	if p.tag == tagSet {
		return p.response(notWritable, 1, p.echo())
	}
	var bindings []byte
	size := func(more int) int { return len(bindings) + more + len(p.response(0, 0, nil)) + 4 }
	switch p.tag {
	case tagGet:
		for _, name := range p.names {
			bindings = append(bindings, binding(name, find(objects, name))...)
		}
	case tagGetNext:
		for _, name := range p.names {
			bindings = append(bindings, following(objects, &name)...)
		}
	case tagGetBulk:
		return p.bulk(objects, room)
	}
	if size(0) > room {
		return p.response(tooBig, 0, nil)
	}
	return p.response(0, 0, bindings)
}

// following writes the object after name, to which name is moved.
func following(objects []Object, name *[]uint32) []byte {
	o, there := next(objects, *name)
	if !there {
		return binding(*name, []byte{tagEndOfMIBView, 0})
	}
	*name = o.ID
	return binding(o.ID, o.value)
}

// bulk writes as much as fits, which get-bulk allows (RFC 3416, section 4.2.3).
func (p pdu) bulk(objects []Object, room int) []byte {
	room -= len(p.response(0, 0, nil)) + 4
	var bindings []byte
	add := func(name *[]uint32) bool {
		b := following(objects, name)
		if len(bindings)+len(b) > room {
			return false
		}
		bindings = append(bindings, b...)
		return true
	}
	single := min(p.nonRepeaters, len(p.names))
	for i := range p.names[:single] {
		if !add(&p.names[i]) {
			return p.response(0, 0, bindings)
		}
	}
	for range p.repetitions {
		moved := false
		for i := range p.names[single:] {
			name := &p.names[single+i]
			_, there := next(objects, *name)
			moved = moved || there
			if !add(name) {
				return p.response(0, 0, bindings)
			}
		}
		if !moved {
			break
		}
	}
	return p.response(0, 0, bindings)
}

// echo writes the request's names, without values.
func (p pdu) echo() (bindings []byte) {
	for _, name := range p.names {
		bindings = append(bindings, binding(name, element(tagNull))...)
	}
	return bindings
}

func (p pdu) response(status, index int64, bindings []byte) []byte {
	return element(tagResponse, number(tagInteger, int64(p.id)), number(tagInteger, status), number(tagInteger, index),
		element(tagSequence, bindings))
}
