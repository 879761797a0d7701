package fastpath

import "github.com/cilium/ebpf/asm"

// code is a program that is being written. Registers: R6 the packet's context, R7 when it arrived, R8 the model, R9 the
// client and then whether the answer is a kiss; R0 to R5 do not survive a call.
type code struct {
	asm.Instructions
	label string
}

func (c *code) add(all ...asm.Instruction) {
	for _, i := range all {
		if c.label != "" {
			i, c.label = i.WithSymbol(c.label), ""
		}
		c.Instructions = append(c.Instructions, i)
	}
}

// at labels what is added next.
func (c *code) at(label string) { c.label = label }

// onStack puts the address of a place on the stack into a register.
func (c *code) onStack(r asm.Register, at int32) {
	c.add(asm.Mov.Reg(r, asm.RFP), asm.Add.Imm(r, at))
}

// unless goes to a label unless the place on the stack has that value.
func (c *code) unless(at int16, size asm.Size, value int32, label string) {
	c.add(asm.LoadMem(asm.R1, asm.RFP, at, size), asm.JNE.Imm32(asm.R1, value, label))
}

// set puts a number on the stack; it needs R1. (The kernel has an instruction for it, the assembler not.)
func (c *code) set(at int16, value int32) {
	c.add(asm.Mov.Imm(asm.R1, value), asm.StoreMem(asm.RFP, at, asm.R1, asm.DWord))
}

// swap exchanges two places on the stack.
func (c *code) swap(a, b int16, size asm.Size) {
	c.add(
		asm.LoadMem(asm.R1, asm.RFP, a, size), asm.LoadMem(asm.R2, asm.RFP, b, size),
		asm.StoreMem(asm.RFP, a, asm.R2, size), asm.StoreMem(asm.RFP, b, asm.R1, size),
	)
}

// lookup puts the address of an entry into R0, 0 if there is none.
func (c *code) lookup(fd int, keyAt int32) {
	c.add(asm.LoadMapPtr(asm.R1, fd))
	c.onStack(asm.R2, keyAt)
	c.add(asm.FnMapLookupElem.Call())
}

// fold makes a ones' complement sum in r of up to 2⁴⁸ one of 16 bits; it needs R0.
func (c *code) fold(r asm.Register) {
	for range 3 {
		c.add(asm.Mov.Reg(asm.R0, r), asm.RSh.Imm(asm.R0, 16), asm.And.Imm(r, 0xffff), asm.Add.Reg(r, asm.R0))
	}
}

// timestamp makes CLOCK_BOOTTIME in r the model's NTP timestamp; it needs R1.
func (c *code) timestamp(r asm.Register) {
	c.add(
		asm.LoadMem(asm.R1, asm.R8, slotEpoch, asm.DWord), asm.Sub.Reg(r, asm.R1),
		asm.LoadMem(asm.R1, asm.R8, slotScale, asm.DWord), asm.Mul.Reg(r, asm.R1), asm.RSh.Imm(r, scaleBits),
		asm.LoadMem(asm.R1, asm.R8, slotBase, asm.DWord), asm.Add.Reg(r, asm.R1),
	)
}

// count adds one to a count; it needs R0 to R5.
func (c *code) count(fd int, at int16) {
	c.add(asm.StoreImm(asm.RFP, stackIndex, 0, asm.Word))
	c.lookup(fd, stackIndex)
	c.add(
		asm.JEq.Imm(asm.R0, 0, "out"), // cannot be, but has to be said
		asm.LoadMem(asm.R1, asm.R0, at, asm.DWord), asm.Add.Imm(asm.R1, 1), asm.StoreMem(asm.R0, at, asm.R1, asm.DWord),
	)
}
