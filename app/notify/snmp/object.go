package snmp

import "slices"

// Object is one instance of an object: its identifier, and its value as it goes over the wire.
type Object struct {
	ID    []uint32
	value []byte
}

// Integer makes an object of type INTEGER.
func Integer(id []uint32, value int32) Object { return Object{id, number(tagInteger, int64(value))} }

// Gauge makes an object of type Gauge32 or Unsigned32, which are the same on the wire.
func Gauge(id []uint32, value uint32) Object { return Object{id, number(tagGauge32, int64(value))} }

// Counter makes an object of type Counter32; a greater count wraps, as counters do.
func Counter(id []uint32, count uint64) Object {
	return Object{id, number(tagCounter32, int64(uint32(count)))}
}

// Ticks makes an object of type TimeTicks, in hundredths of a second.
func Ticks(id []uint32, hundredths uint32) Object {
	return Object{id, number(tagTimeTicks, int64(hundredths))}
}

// String makes an object of type OCTET STRING, of at most 255 octets.
func String(id []uint32, text string) Object {
	const most = 255
	return Object{id, element(tagString, []byte(text[:min(len(text), most)]))}
}

// Identifier makes an object of type OBJECT IDENTIFIER.
func Identifier(id, value []uint32) Object { return Object{id, identifier(value)} }

// Sort brings objects into the order of their identifiers, as the agent needs them.
func Sort(objects []Object) {
	slices.SortFunc(objects, func(a, b Object) int { return slices.Compare(a.ID, b.ID) })
}

// find gives the object with that identifier, or the exception to answer.
func find(objects []Object, id []uint32) []byte {
	i, found := slices.BinarySearchFunc(objects, id, func(o Object, id []uint32) int { return slices.Compare(o.ID, id) })
	if found {
		return objects[i].value
	}
	// The object is known if there is another instance of it: all but the last number agree.
	for _, j := range []int{i - 1, i} {
		if j >= 0 && j < len(objects) {
			if object := objects[j].ID[:len(objects[j].ID)-1]; len(id) > len(object) && slices.Equal(id[:len(object)], object) {
				return []byte{tagNoSuchInstance, 0}
			}
		}
	}
	return []byte{tagNoSuchObject, 0}
}

// next gives the first object after an identifier; false if there is none.
func next(objects []Object, id []uint32) (Object, bool) {
	i, found := slices.BinarySearchFunc(objects, id, func(o Object, id []uint32) int { return slices.Compare(o.ID, id) })
	if found {
		i++
	}
	if i >= len(objects) {
		return Object{}, false
	}
	return objects[i], true
}
