package fastpath

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"timestation/engine/status"
	"timestation/refclock"
)

const (
	// maxClients is how many addresses are remembered, as many as at the sockets. The kernel takes some 600 KiB for them
	// at once.
	maxClients = 4096
	// maxAddresses is how many addresses this machine may have; those beyond are answered by the sockets.
	maxAddresses = 1024
	// lookEvery is how often the machine's interfaces and addresses are read anew.
	lookEvery = time.Second
)

// Path is the fast path of one listener. Its methods may be called from several goroutines.
type Path struct {
	options Options
	slots   *ebpf.Map
	current *ebpf.Map
	local   *ebpf.Map
	access  *ebpf.Map
	clients *ebpf.Map
	counts  *ebpf.Map

	mu      sync.Mutex
	closed  bool
	number  uint64 // of the last publication
	looked  time.Time
	network network
	on      map[int]attached // by index of the interface
}

type attached struct {
	program *ebpf.Program
	link    link.Link
}

// Attach loads the program and puts it on the interfaces that have the address, and on loopback. It answers nothing
// before the first model. It needs the capabilities CAP_BPF and CAP_NET_ADMIN and Linux 6.6: its error says in one line
// what is missing. A Path is to be Closed.
func Attach(o Options) (*Path, error) {
	p := &Path{options: o, on: map[int]attached{}}
	err := p.makeMaps()
	if err == nil {
		err = p.look()
	}
	if err == nil && len(p.on) == 0 {
		err = fmt.Errorf("no interface with Ethernet's header has the address %v", o.Address.Addr())
	}
	if err != nil {
		p.Close()
		return nil, explain(err)
	}
	return p, nil
}

// explain says in one line why the kernel does not take the program, and the mend.
func explain(err error) error {
	const prefix = "fast_path: plain requests are answered by the program, not in the kernel: "
	switch {
	case errors.Is(err, os.ErrPermission):
		program, _ := os.Executable()
		return fmt.Errorf(prefix+"no permission for eBPF; run: sudo setcap cap_bpf,cap_net_admin,cap_net_bind_service=+ep %s "+
			"(%w)", program, unwrapped(err))
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, unix.ENOSYS):
		return fmt.Errorf(prefix+"this kernel has no TCX for eBPF; use Linux 6.6 or newer, or write fast_path = false (%w)",
			unwrapped(err))
	}
	return fmt.Errorf(prefix+"%w; write fast_path = false if it stays so", unwrapped(err))
}

// unwrapped is err on one line: the kernel's verdict on a program has many.
func unwrapped(err error) error {
	var verdict *ebpf.VerifierError
	if errors.As(err, &verdict) {
		return verdict.Cause
	}
	return err
}

func (p *Path) makeMaps() error {
	const noPreallocation = unix.BPF_F_NO_PREALLOC // which tries insist on
	for _, m := range []struct {
		to   **ebpf.Map
		spec ebpf.MapSpec
	}{
		{&p.slots, ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: slotLen, MaxEntries: keptSlots}},
		{&p.current, ebpf.MapSpec{Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: 1}},
		{&p.local, ebpf.MapSpec{Type: ebpf.Hash, KeySize: 16, ValueSize: 4, MaxEntries: maxAddresses}},
		{&p.access, ebpf.MapSpec{
			Type: ebpf.LPMTrie, KeySize: uint32(len(trieKey{})), ValueSize: 4, Flags: noPreallocation,
			MaxEntries: uint32(max(1, len(p.options.Allow)+len(p.options.Deny))),
		}},
		{&p.clients, ebpf.MapSpec{Type: ebpf.LRUHash, KeySize: 16, ValueSize: clientLen, MaxEntries: maxClients}},
		{&p.counts, ebpf.MapSpec{Type: ebpf.PerCPUArray, KeySize: 4, ValueSize: countsLen, MaxEntries: 1}},
	} {
		var err error
		if *m.to, err = ebpf.NewMap(&m.spec); err != nil {
			return err
		}
	}
	for key, verdict := range verdicts(p.options.Allow, p.options.Deny) {
		if err := p.access.Put(key, verdict); err != nil {
			return err
		}
	}
	return nil
}

// look takes in what the machine's interfaces and addresses are now.
func (p *Path) look() error {
	n, err := readNetwork(p.options)
	if err != nil {
		return err
	}
	p.looked = time.Now()
	for a := range p.network.addresses {
		if _, still := n.addresses[a]; !still {
			_ = p.local.Delete(a)
		}
	}
	for a, only := range n.addresses {
		if was, known := p.network.addresses[a]; known && was == only {
			continue
		}
		if err := p.local.Put(a, only); err != nil {
			delete(n.addresses, a) // so that it is tried again
		}
	}
	var failed []error
	for index, was := range p.on {
		if n.links[index] != p.network.links[index] { // gone, or its index is another's
			was.close()
			delete(p.on, index)
		}
	}
	for index, info := range n.links {
		if _, already := p.on[index]; already {
			continue
		}
		a, err := p.attach(index, info.loopback)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", info.name, err))
			continue
		}
		p.on[index] = a
	}
	p.network = n
	return errors.Join(failed...)
}

// spec is the program for an interface.
func (p *Path) spec(index int, loopback bool) *ebpf.ProgramSpec {
	return &ebpf.ProgramSpec{
		Name:         "timestation_ntp",
		Type:         ebpf.SchedCLS,
		Instructions: program(p.options, p.descriptors(), index, loopback),
		License:      "Apache-2.0", // the helpers it calls are for everyone
	}
}

func (p *Path) attach(index int, loopback bool) (a attached, err error) {
	if a.program, err = ebpf.NewProgram(p.spec(index, loopback)); err != nil {
		return a, err
	}
	// The link holds the program, and the process holds the link: it goes when the process does.
	a.link, err = link.AttachTCX(link.TCXOptions{Interface: index, Program: a.program, Attach: ebpf.AttachTCXIngress})
	if err != nil {
		a.program.Close()
	}
	return a, err
}

func (a attached) close() error { return errors.Join(a.link.Close(), a.program.Close()) }

func (p *Path) descriptors() maps {
	return maps{
		slots: p.slots.FD(), current: p.current.FD(), local: p.local.FD(),
		access: p.access.FD(), clients: p.clients.FD(), counts: p.counts.FD(),
	}
}

// Interfaces are the names of those that the program sits on, sorted.
func (p *Path) Interfaces() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var names []string
	for index := range p.on {
		names = append(names, p.network.links[index].name)
	}
	slices.Sort(names)
	return names
}

// Publish makes m what is answered from now on; the zero Model leaves everything to the sockets. Once a second it also
// looks which interfaces and addresses there are. An error is not the model's: that is published, or the last one, which
// runs out.
func (p *Path) Publish(m Model) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	p.number++
	epoch, err := bootTime(m.At)
	if err == nil {
		s := m.encode(p.number, epoch)
		err = p.slots.Put(uint32(p.number%keptSlots), s[:])
	}
	if err == nil {
		err = p.current.Put(uint32(0), p.number)
	}
	if time.Since(p.looked) >= lookEvery {
		err = errors.Join(err, p.look())
	}
	return err
}

// bootTime is a moment, with Go's monotonic reading, by CLOCK_BOOTTIME. Both clocks run alike but for suspends: of a few
// readings of one between two of the other the tightest is the best.
func bootTime(at time.Time) (time.Duration, error) {
	var best time.Duration
	tightest := time.Duration(1 << 62)
	for range 5 {
		var boot unix.Timespec
		before := time.Since(at)
		if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
			return 0, os.NewSyscallError("clock_gettime", err)
		}
		after := time.Since(at)
		if width := after - before; width < tightest {
			tightest, best = width, time.Duration(boot.Nano())-before-width/2
		}
	}
	return best, nil
}

// Counters sums what all processors counted.
func (p *Path) Counters() (c Counters) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var each []counts
	if p.closed || p.counts.Lookup(uint32(0), &each) != nil {
		return c
	}
	for _, n := range each {
		c.Answered += n.Answered
		c.RateLimited += n.RateLimited
		c.Kisses += n.Kisses
	}
	return c
}

// Clients gives what is remembered of the addresses that were answered here, or refused for asking too often, in no order.
// Link-local addresses have no zone.
func (p *Path) Clients() (all []status.Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	now := time.Now()
	boot, err := bootTime(now)
	if err != nil {
		return nil
	}
	var key [16]byte
	var c client
	for i := p.clients.Iterate(); i.Next(&key, &c); {
		local := func(at uint64) refclock.Stamp { return refclock.Stamp(now.UnixNano() - int64(boot) + int64(at)) }
		seen := status.Client{
			Address:   netip.AddrFrom16(key).Unmap(),
			Requests:  c.Answered + c.Refused,
			Answered:  c.Answered,
			Refused:   c.Refused,
			FirstSeen: local(c.First),
			LastSeen:  local(c.Seen),
		}
		if c.Refused > 0 {
			seen.LastRefused = "rate-limited" // there is no other reason here
		}
		all = append(all, seen)
	}
	return all
}

// Close takes the program away; packets under way are still answered.
func (p *Path) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	var all []error
	for _, a := range p.on {
		all = append(all, a.close())
	}
	for _, m := range []*ebpf.Map{p.slots, p.current, p.local, p.access, p.clients, p.counts} {
		if m != nil {
			all = append(all, m.Close())
		}
	}
	return errors.Join(all...)
}
