package fastpath

import (
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"timestation/engine/ntp"
)

// program is what runs for every packet that comes in by an interface. Until the answer is written it looks at a copy of
// the packet on its stack, so that it passes on what it does not answer as it came: helpers copy out and in, since writing
// to packets directly would have the kernel unshare every packet of the interface.
func program(o Options, m maps, index int, loopback bool) asm.Instructions {
	c := new(code)
	c.packet()
	c.ipv6(loopback)
	c.ipv4(loopback)
	c.request(o)
	c.model(m)
	c.admit(o, m, index)
	c.answer()
	c.send(m, index)
	return c.Instructions
}

// packet passes on what can be no request by its length alone, at the cost of a few instructions.
func (c *code) packet() {
	const toThisHost = 0 // PACKET_HOST
	c.add(
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R1, asm.R6, skbLen, asm.Word),
		asm.LoadMem(asm.R2, asm.R6, skbProtocol, asm.Word),
		asm.JEq.Imm(asm.R1, packet4Len, "length"),
		asm.JNE.Imm(asm.R1, packet6Len, "pass"),
	)
	c.at("length")
	c.add(
		asm.LoadMem(asm.R3, asm.R6, skbPacketType, asm.Word), asm.JNE.Imm(asm.R3, toThisHost, "pass"),
		asm.LoadMem(asm.R3, asm.R6, skbVLANPresent, asm.Word), asm.JNE.Imm(asm.R3, 0, "pass"),
		asm.JEq.Imm(asm.R2, big16(unix.ETH_P_IP), "ipv4"),
		asm.JNE.Imm(asm.R2, big16(unix.ETH_P_IPV6), "pass"),
	)
}

// load copies the packet to the stack.
func (c *code) load(at, length int32, etherType uint16) {
	c.add(asm.JNE.Imm(asm.R1, length, "pass"), asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Imm(asm.R2, 0))
	c.onStack(asm.R3, at)
	c.add(asm.Mov.Imm(asm.R4, length), asm.FnSkbLoadBytes.Call(), asm.JNE.Imm(asm.R0, 0, "pass"))
	c.unless(int16(at)+12, asm.Half, big16(etherType), "pass")
	for word := int16(at); word < int16(at)+6; word += 2 {
		c.swap(word, word+6, asm.Half)
	}
}

// ipv6 checks the IPv6 header, RFC 8200, and makes it that of the answer: no traffic class, no flow.
func (c *code) ipv6(loopback bool) {
	c.load(stackPacket6, packet6Len, unix.ETH_P_IPV6)
	c.add(asm.LoadMem(asm.R1, asm.RFP, stackIPv6At, asm.Byte), asm.RSh.Imm(asm.R1, 4), asm.JNE.Imm(asm.R1, 6, "pass"))
	c.unless(stackIPv6At+ipv6PayloadLen, asm.Half, big16(udpLen+ntp.HeaderLen), "pass")
	c.unless(stackIPv6At+ipv6NextHeader, asm.Byte, protocolUDP, "pass")
	c.add(
		asm.LoadMem(asm.R1, asm.RFP, stackIPv6At, asm.DWord), asm.StoreMem(asm.RFP, stackBefore, asm.R1, asm.DWord),
		asm.LoadImm(asm.R1, big64(6<<60|(udpLen+ntp.HeaderLen)<<16|protocolUDP<<8|hopLimit), asm.DWord),
		asm.StoreMem(asm.RFP, stackIPv6At, asm.R1, asm.DWord),
		// What the answer's checksum changes by, for a network card that summed the whole packet.
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, stackBefore), asm.Mov.Imm(asm.R2, 8),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, stackIPv6At), asm.Mov.Imm(asm.R4, 8),
		asm.Mov.Imm(asm.R5, 0), asm.FnCsumDiff.Call(), asm.StoreMem(asm.RFP, stackDiff, asm.R0, asm.DWord),
	)
	c.set(stackIPv6, 1)
	c.add(
		asm.LoadMem(asm.R2, asm.RFP, stackIPv6At+ipv6Source, asm.DWord),
		asm.LoadMem(asm.R3, asm.RFP, stackIPv6At+ipv6Source+8, asm.DWord),
		asm.LoadMem(asm.R4, asm.RFP, stackIPv6At+ipv6To, asm.DWord),
		asm.LoadMem(asm.R5, asm.RFP, stackIPv6At+ipv6To+8, asm.DWord),
		asm.LoadMem(asm.R1, asm.RFP, stackIPv6At+ipv6Source, asm.Byte), asm.JEq.Imm(asm.R1, 0xff, "pass"), // multicast
		asm.JNE.Imm(asm.R2, 0, "ipv6-source"),
	)
	// Unspecified, IPv4 in IPv6 form, and the like; and this machine's own.
	if loopback {
		c.add(asm.LoadImm(asm.R1, big64(1), asm.DWord), asm.JNE.Reg(asm.R3, asm.R1, "pass"))
	} else {
		c.add(asm.Ja.Label("pass"))
	}
	c.at("ipv6-source")
	c.add(
		asm.StoreMem(asm.RFP, stackSource, asm.R2, asm.DWord), asm.StoreMem(asm.RFP, stackSource+8, asm.R3, asm.DWord),
		asm.StoreMem(asm.RFP, stackTo, asm.R4, asm.DWord), asm.StoreMem(asm.RFP, stackTo+8, asm.R5, asm.DWord),
		asm.StoreMem(asm.RFP, stackIPv6At+ipv6Source, asm.R4, asm.DWord),
		asm.StoreMem(asm.RFP, stackIPv6At+ipv6Source+8, asm.R5, asm.DWord),
		asm.StoreMem(asm.RFP, stackIPv6At+ipv6To, asm.R2, asm.DWord),
		asm.StoreMem(asm.RFP, stackIPv6At+ipv6To+8, asm.R3, asm.DWord),
		asm.Ja.Label("udp"),
	)
}

// ipv4 checks the IPv4 header, RFC 791, and makes it that of the answer: no type of service, and not to be fragmented,
// so that it needs no identification (RFC 6864).
func (c *code) ipv4(loopback bool) {
	const versionAndLen = 0x45
	c.at("ipv4")
	c.load(stackPacket4, packet4Len, unix.ETH_P_IP)
	c.unless(stackIPv4, asm.Byte, versionAndLen, "pass")
	c.unless(stackIPv4+ipv4TotalLen, asm.Half, big16(ipv4Len+udpLen+ntp.HeaderLen), "pass")
	c.add(asm.LoadMem(asm.R1, asm.RFP, stackIPv4+ipv4Fragment, asm.Half),
		asm.And.Imm(asm.R1, big16(0xffff&^dontFragment)), asm.JNE.Imm(asm.R1, 0, "pass"))
	c.unless(stackIPv4+ipv4Protocol, asm.Byte, protocolUDP, "pass")
	c.add(asm.Mov.Imm(asm.R2, 0))
	for word := int16(stackIPv4); word < stackUDP; word += 4 {
		c.add(asm.LoadMem(asm.R1, asm.RFP, word, asm.Word), asm.Add.Reg(asm.R2, asm.R1))
	}
	c.fold(asm.R2)
	c.add(asm.JNE.Imm(asm.R2, 0xffff, "pass"))
	// Nobody's address, and multicast, reserved and broadcast.
	c.add(asm.LoadMem(asm.R1, asm.RFP, stackIPv4+ipv4Source, asm.Byte), asm.JEq.Imm(asm.R1, 0, "pass"),
		asm.JGE.Imm(asm.R1, 224, "pass"))
	if !loopback {
		c.add(asm.JEq.Imm(asm.R1, 127, "pass"))
	}
	c.add(
		asm.LoadMem(asm.R2, asm.RFP, stackIPv4+ipv4Source, asm.Word),
		asm.LoadMem(asm.R3, asm.RFP, stackIPv4+ipv4To, asm.Word),
	)
	for _, a := range []struct {
		at   int16
		from asm.Register
	}{{stackSource, asm.R2}, {stackTo, asm.R3}} {
		c.set(a.at, 0)
		c.add(
			asm.LoadImm(asm.R1, big32(0xffff), asm.DWord), asm.StoreMem(asm.RFP, a.at+8, asm.R1, asm.Word),
			asm.StoreMem(asm.RFP, a.at+12, a.from, asm.Word),
		)
	}
	words := [3]int64{
		big32(versionAndLen<<24 | ipv4Len + udpLen + ntp.HeaderLen), big32(dontFragment),
		big32(hopLimit<<24 | protocolUDP<<16),
	}
	for i, w := range words {
		c.add(asm.LoadImm(asm.R1, w, asm.DWord), asm.StoreMem(asm.RFP, stackIPv4+4*int16(i), asm.R1, asm.Word))
	}
	c.add(
		asm.StoreMem(asm.RFP, stackIPv4+ipv4Source, asm.R3, asm.Word),
		asm.StoreMem(asm.RFP, stackIPv4+ipv4To, asm.R2, asm.Word),
		asm.LoadImm(asm.R1, words[0]+words[1]+words[2], asm.DWord),
		asm.Add.Reg(asm.R1, asm.R2), asm.Add.Reg(asm.R1, asm.R3),
	)
	c.fold(asm.R1)
	c.add(
		asm.Xor.Imm(asm.R1, 0xffff), asm.StoreMem(asm.RFP, stackIPv4+ipv4Checksum, asm.R1, asm.Half),
	)
	c.set(stackIPv6, 0)
	c.set(stackDiff, 0)
}

// request checks the UDP header and the packet itself, and takes the time.
func (c *code) request(o Options) {
	const lastOctet = 7
	c.at("udp")
	c.unless(stackUDP+udpTo, asm.Half, big16(o.Address.Port()), "pass")
	c.unless(stackUDP+udpLength, asm.Half, big16(udpLen+ntp.HeaderLen), "pass")
	c.add(asm.LoadMem(asm.R1, asm.RFP, stackUDP, asm.Half), asm.JEq.Imm(asm.R1, 0, "pass"))
	c.add(asm.LoadMem(asm.R1, asm.RFP, stackUDP+udpChecksum, asm.Half), asm.JEq.Imm(asm.R1, 0, "pass"))
	c.swap(stackUDP, stackUDP+udpTo, asm.Half)
	c.add(
		asm.LoadMem(asm.R1, asm.RFP, stackPayload, asm.Byte),
		asm.Mov.Reg(asm.R2, asm.R1), asm.And.Imm(asm.R2, 7), asm.JNE.Imm(asm.R2, int32(ntp.Client), "pass"),
		asm.RSh.Imm(asm.R1, 3), asm.And.Imm(asm.R1, 7), asm.JEq.Imm(asm.R1, 0, "pass"), asm.JGT.Imm(asm.R1, 4, "pass"),
		asm.LoadMem(asm.R1, asm.RFP, stackPayload+ntpOrigin+lastOctet, asm.Byte),
		asm.And.Imm(asm.R1, 1), asm.JNE.Imm(asm.R1, 0, "pass"),
		asm.LoadMem(asm.R1, asm.RFP, stackPayload+ntpReference, asm.DWord),
		asm.LoadImm(asm.R2, big64(negotiation), asm.DWord), asm.JEq.Reg(asm.R1, asm.R2, "pass"),
		asm.FnKtimeGetBootNs.Call(), asm.Mov.Reg(asm.R7, asm.R0),
	)
}

// negotiation is "NTP5DRFT", by which a request of version 4 asks whether version 5 is spoken here
// (draft-ietf-ntp-ntpv5).
const negotiation = 0x4e54503544524654

// model finds the newest one, and passes everything on where it is over.
func (c *code) model(m maps) {
	c.add(
		asm.LoadMapValue(asm.R1, m.current, 0), asm.LoadMem(asm.R9, asm.R1, 0, asm.DWord),
		asm.Mov.Reg(asm.R1, asm.R9), asm.And.Imm(asm.R1, keptSlots-1), asm.StoreMem(asm.RFP, stackIndex, asm.R1, asm.Word),
	)
	c.lookup(m.slots, stackIndex)
	c.add(
		asm.JEq.Imm(asm.R0, 0, "pass"), asm.Mov.Reg(asm.R8, asm.R0),
		asm.LoadMem(asm.R1, asm.R8, slotNumber, asm.DWord), asm.JNE.Reg(asm.R1, asm.R9, "pass"),
		asm.Mov.Reg(asm.R1, asm.R7), asm.LoadMem(asm.R2, asm.R8, slotEpoch, asm.DWord), asm.Sub.Reg(asm.R1, asm.R2),
		asm.LoadMem(asm.R2, asm.R8, slotValid, asm.DWord), asm.JGE.Reg(asm.R1, asm.R2, "pass"), // unsigned: nor earlier
	)
}

// admit decides whether the address that was asked is ours, and whether the one that asks is answered: R9 is then 0, or 1
// for a kiss.
func (c *code) admit(o Options, m maps, index int) {
	c.lookup(m.local, stackTo)
	c.add(
		asm.JEq.Imm(asm.R0, 0, "pass"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.Word), asm.JEq.Imm(asm.R1, 0, "local"),
		asm.JNE.Imm(asm.R1, int32(index), "pass"),
	)
	// Who is known was allowed when he came first, and the list does not change.
	c.at("local")
	c.lookup(m.clients, stackSource)
	c.add(asm.JNE.Imm(asm.R0, 0, "known"), asm.StoreImm(asm.RFP, stackTrieKey, 128, asm.Word))
	c.lookup(m.access, stackTrieKey)
	c.add(
		asm.JEq.Imm(asm.R0, 0, "pass"), asm.LoadMem(asm.R1, asm.R0, 0, asm.Word), asm.JEq.Imm(asm.R1, 0, "pass"),
		asm.LoadImm(asm.R1, int64(o.RateInterval), asm.DWord), asm.Add.Reg(asm.R1, asm.R7),
		asm.StoreMem(asm.RFP, stackClient+clientDue, asm.R1, asm.DWord),
		asm.StoreMem(asm.RFP, stackClient+clientFirst, asm.R7, asm.DWord),
		asm.StoreMem(asm.RFP, stackClient+clientSeen, asm.R7, asm.DWord),
	)
	c.set(stackClient+clientKissed, 0)
	c.set(stackClient+clientAnswered, 1)
	c.set(stackClient+clientRefused, 0)
	c.add(asm.LoadMapPtr(asm.R1, m.clients))
	c.onStack(asm.R2, stackSource)
	c.onStack(asm.R3, stackClient)
	c.add(
		asm.Mov.Imm(asm.R4, 0), asm.FnMapUpdateElem.Call(),
		asm.JNE.Imm(asm.R0, 0, "pass"), // no room at the moment
		asm.Mov.Imm(asm.R9, 0), asm.Ja.Label("answer"),
	)
	// The generic cell rate algorithm, as at the sockets. Two processors that count the same address at once may let one
	// request more through.
	c.at("known")
	c.add(
		asm.Mov.Reg(asm.R9, asm.R0), asm.StoreMem(asm.R9, clientSeen, asm.R7, asm.DWord),
		asm.LoadMem(asm.R1, asm.R9, clientDue, asm.DWord), asm.JGE.Reg(asm.R7, asm.R1, "in-time"),
		asm.Mov.Reg(asm.R2, asm.R1), asm.Sub.Reg(asm.R2, asm.R7),
		asm.LoadImm(asm.R3, int64(o.RateBurst), asm.DWord), asm.JLE.Reg(asm.R2, asm.R3, "take"),
		asm.FnGetPrandomU32.Call(), asm.And.Imm(asm.R0, leakOneIn-1), asm.JEq.Imm(asm.R0, 0, "leak"),
		asm.Mov.Imm(asm.R1, 1), clientAdd(clientRefused),
	)
	if o.Kisses {
		c.add(
			asm.Mov.Reg(asm.R1, asm.R7), asm.LoadMem(asm.R2, asm.R9, clientKissed, asm.DWord), asm.Sub.Reg(asm.R1, asm.R2),
			asm.LoadImm(asm.R2, int64(kissEvery), asm.DWord), asm.JGE.Reg(asm.R1, asm.R2, "kiss"),
		)
	}
	c.count(m.counts, countRateLimited)
	c.at("out")
	c.add(asm.Mov.Imm(asm.R0, tcxDrop), asm.Return())
	if o.Kisses {
		c.at("kiss")
		c.add(asm.StoreMem(asm.R9, clientKissed, asm.R7, asm.DWord), asm.Mov.Imm(asm.R9, 1), asm.Ja.Label("answer"))
	}
	c.at("in-time")
	c.add(asm.Mov.Reg(asm.R1, asm.R7))
	c.at("take")
	c.add(
		asm.LoadImm(asm.R2, int64(o.RateInterval), asm.DWord), asm.Add.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.R9, clientDue, asm.R1, asm.DWord),
	)
	c.at("leak")
	c.add(asm.Mov.Imm(asm.R1, 1), clientAdd(clientAnswered), asm.Mov.Imm(asm.R9, 0))
}

// clientAdd adds R1 to a count of the client in R9, whoever else does.
func clientAdd(at int16) asm.Instruction { return asm.AddAtomic.Mem(asm.R9, asm.R1, asm.DWord, at) }

// answer makes the packet that goes back (RFC 5905, section 7.3), and puts it in the place of the request.
func (c *code) answer() {
	c.at("answer")
	copied := func(to int16, r asm.Register, from int16, size asm.Size) {
		c.add(asm.LoadMem(asm.R1, r, from, size), asm.StoreMem(asm.RFP, stackAnswer+to, asm.R1, size))
	}
	copied(0, asm.R8, slotHead, asm.DWord)
	copied(ntpReferenceID, asm.R8, slotRefID, asm.Word)
	copied(ntpReference, asm.R8, slotReference, asm.DWord)
	copied(ntpPoll, asm.RFP, stackPayload+ntpPoll, asm.Byte)
	copied(ntpOrigin, asm.RFP, stackPayload+ntpTransmit, asm.DWord)
	c.add(
		asm.LoadMem(asm.R2, asm.R8, slotHead, asm.Byte),
		asm.JEq.Imm(asm.R9, 0, "head"),
		asm.Mov.Imm(asm.R2, int32(ntp.LeapUnsynchronised)<<6|int32(ntp.Server)),
		asm.StoreImm(asm.RFP, stackAnswer+1, 0, asm.Byte), // stratum
		asm.LoadImm(asm.R1, big32('R'<<24|'A'<<16|'T'<<8|'E'), asm.DWord),
		asm.StoreMem(asm.RFP, stackAnswer+ntpReferenceID, asm.R1, asm.Word),
	)
	c.at("head")
	c.add(
		asm.LoadMem(asm.R1, asm.RFP, stackPayload, asm.Byte), asm.And.Imm(asm.R1, 7<<3), asm.Or.Reg(asm.R1, asm.R2),
		asm.StoreMem(asm.RFP, stackAnswer, asm.R1, asm.Byte),

		asm.Mov.Reg(asm.R2, asm.R7), asm.LoadMem(asm.R1, asm.R8, slotEpoch, asm.DWord), asm.Sub.Reg(asm.R2, asm.R1),
		asm.LoadMem(asm.R1, asm.R8, slotGrowth, asm.DWord), asm.Mul.Reg(asm.R2, asm.R1),
		asm.LoadMem(asm.R1, asm.R8, slotDispersion, asm.DWord), asm.Add.Reg(asm.R2, asm.R1),
		asm.RSh.Imm(asm.R2, dispersionBits), asm.HostTo(asm.BE, asm.R2, asm.Word),
		asm.StoreMem(asm.RFP, stackAnswer+ntpDispersion, asm.R2, asm.Word),
	)
	// A receive timestamp has its last bit set, any other has it clear and is not zero.
	c.timestamp(asm.R7)
	c.add(asm.Or.Imm(asm.R7, 1), asm.HostTo(asm.BE, asm.R7, asm.DWord),
		asm.StoreMem(asm.RFP, stackAnswer+ntpReceive, asm.R7, asm.DWord))
	c.add(asm.FnKtimeGetBootNs.Call())
	c.timestamp(asm.R0)
	c.add(asm.Or.Imm(asm.R0, 3), asm.Xor.Imm(asm.R0, 1), asm.HostTo(asm.BE, asm.R0, asm.DWord),
		asm.StoreMem(asm.RFP, stackAnswer+ntpTransmit, asm.R0, asm.DWord))
	c.onStack(asm.R1, stackPayload)
	c.onStack(asm.R3, stackAnswer)
	c.add(asm.Mov.Imm(asm.R2, ntp.HeaderLen), asm.Mov.Imm(asm.R4, ntp.HeaderLen), asm.Mov.Imm(asm.R5, 0),
		asm.FnCsumDiff.Call(), asm.Mov.Reg(asm.R7, asm.R0))
	for at := int16(0); at < ntp.HeaderLen; at += 8 {
		c.add(asm.LoadMem(asm.R1, asm.RFP, stackAnswer+at, asm.DWord),
			asm.StoreMem(asm.RFP, stackPayload+at, asm.R1, asm.DWord))
	}
}

// send writes the answer to the packet, corrects the checksum, and sends it back. Swapped addresses and ports do not
// change the checksum, which may also be one that the sender left to the hardware; the helper knows.
func (c *code) send(m maps, index int) {
	const neverZero = unix.BPF_F_MARK_MANGLED_0
	write := func(at, length, checksum int32) {
		c.add(asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Imm(asm.R2, 0))
		c.onStack(asm.R3, at)
		c.add(
			asm.Mov.Imm(asm.R4, length), asm.Mov.Imm(asm.R5, 0), asm.FnSkbStoreBytes.Call(),
			asm.JNE.Imm(asm.R0, 0, "pass"), // no memory; nothing is written
			asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Imm(asm.R2, checksum), asm.Mov.Imm(asm.R3, 0), asm.Mov.Reg(asm.R4, asm.R7),
			asm.Mov.Imm(asm.R5, neverZero), asm.FnL4CsumReplace.Call(), asm.JNE.Imm(asm.R0, 0, "out"),
		)
	}
	c.add(asm.LoadMem(asm.R1, asm.RFP, stackIPv6, asm.DWord), asm.JNE.Imm(asm.R1, 0, "write-ipv6"))
	write(stackPacket4, packet4Len, etherLen+ipv4Len+udpChecksum)
	c.add(asm.Ja.Label("written"))
	c.at("write-ipv6")
	write(stackPacket6, packet6Len, etherLen+ipv6Len+udpChecksum)
	c.add(asm.Mov.Reg(asm.R1, asm.R6), asm.LoadMem(asm.R2, asm.RFP, stackDiff, asm.DWord), asm.FnCsumUpdate.Call())
	c.at("written")
	c.add(asm.JNE.Imm(asm.R9, 0, "kissed"))
	c.count(m.counts, countAnswered)
	c.add(asm.Ja.Label("redirect"))
	c.at("kissed")
	c.count(m.counts, countRateLimited)
	c.add(asm.LoadMem(asm.R1, asm.R0, countKisses, asm.DWord), asm.Add.Imm(asm.R1, 1),
		asm.StoreMem(asm.R0, countKisses, asm.R1, asm.DWord))
	c.at("redirect")
	c.add(asm.Mov.Imm(asm.R1, int32(index)), asm.Mov.Imm(asm.R2, 0), asm.FnRedirect.Call(), asm.Return())
	c.at("pass")
	c.add(asm.Mov.Imm(asm.R0, tcxNext), asm.Return())
}
