# The virtual board: Debian's kernel in QEMU, with GPIO lines, pulses and serial ports behind real drivers. Sourced by the
# scripts board*, after lib.sh.
. .ci/board-kernel.sh

# fetch_chrony unpacks Debian's chronyd: $chronyd is its path. (It is never installed, for it would steer this machine.)
fetch_chrony() {
	local version
	version=$(apt-cache show --no-all-versions chrony | awk '/^Version:/ {print $2}')
	chronyd=$cache/chrony-$version/usr/sbin/chronyd
	[ -x "$chronyd" ] && return
	rm -rf "$cache/chrony-$version"
	mkdir -p "$cache/chrony-$version"
	(cd "$cache/chrony-$version" && apt-get -qq -o APT::Sandbox::User=root download chrony && dpkg -x chrony_*.deb .)
}

# pack_board FILE: the root file system, with the programs that are built now.
pack_board() {
	local root=$1.root
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,etc/timestation,lib/modules,proc,sys,tmp,run,root,usr/bin,usr/lib/timestation,var/lib/timestation}
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp .ci/board-init "$root/init"
	cp "$board"/modules/*.ko "$root/lib/modules/"
	CGO_ENABLED=0 go build -tags headless -ldflags '-s -w' -o "$root/usr/bin/timestation" ./app
	CGO_ENABLED=0 go build -tags headless,board -ldflags '-s -w' -o "$root/usr/bin/world" ./app/board
	mkdir -p "$root/etc/systemd"
	cp assets/systemd/*.service assets/systemd/*.conf "$root/etc/systemd/"
	mkdir -p "$root/usr/sbin" "$root/lib64"
	cp "$chronyd" "$root/usr/sbin/"
	ldd "$chronyd" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
	(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$1"
	rm -rf "$root"
}

# add_to_board FOLDER INITRD: more files; the kernel unpacks one archive after the other.
add_to_board() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0) >>"$2"; }

# start_board INITRD WORDS…: runs it, with the words on the kernel's command line; its console is this one's.
# Serial ports: ttyS0 the console, ttyS1 for a receiver whose other end is ttyS2, and ttyS3 speaks to QEMU's monitor, so
# that the guest itself can pull out and plug in the USB adapter, whose other end is ttyS4.
start_board() {
	local initrd=$1 sockets code=0 first=()
	shift
	# Real time is emulated: whatever else this machine does, the board's clock ticks on, and needs its part of it.
	# Linux shares the processors among sessions first, where it groups them.
	if [ "$(id -u)" = 0 ]; then
		first=(nice -n -10)
		echo -10 2>/dev/null >/proc/self/autogroup || true
	fi
	sockets=$(mktemp -d)
	pair() { echo "-chardev socket,id=$1a,path=$sockets/$1,server=on,wait=off -chardev socket,id=$1b,path=$sockets/$1"; }
	"${first[@]}" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -display none -vga none -nic none -no-reboot \
		-kernel "$board/vmlinuz" -initrd "$initrd" -rtc base=1970-01-01T00:00:00 \
		-append "console=ttyS0 quiet panic=-1 8250.nr_uarts=8 tsc=reliable timestation.board $*" \
		-serial stdio \
		$(pair uart) -serial chardev:uarta -serial chardev:uartb \
		$(pair monitor) -mon chardev=monitora,mode=control -serial chardev:monitorb \
		$(pair usb) -device pci-serial,chardev=usbb -device qemu-xhci,id=xhci -device usb-serial,id=adapter,chardev=usba || code=$?
	if [ ${#first[@]} != 0 ]; then echo 0 2>/dev/null >/proc/self/autogroup || true; fi
	rm -rf "$sockets"
	return $code
}
