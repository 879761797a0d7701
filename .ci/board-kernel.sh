# The virtual board's kernel: Debian's, and the modules that Debian does not build. Sourced by board.sh. Nothing is
# installed here: kernel, headers and source are unpacked into the cache, into a folder named after the kernel's version.

# fetch_board unpacks the kernel and builds the modules that Debian does not ship, once for each version: $board has
# vmlinuz and modules/*.ko afterwards.
fetch_board() {
	local image version abi packages work
	image=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ {print $2; exit}')
	[ -n "$image" ] || {
		as_root apt-get -qq update
		image=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ {print $2; exit}')
	}
	version=$(apt-cache show --no-all-versions "$image" | awk '/^Version:/ {print $2}')
	abi=${image#linux-image-}
	board=$cache/board-$version-$(cat .ci/board-kernel.sh .ci/board-glue.c | sha256sum | cut -c 1-8)
	[ -d "$board" ] && return
	echo "   Linux $abi ($version): fetching about 220 MB, once"
	work=$board.new
	rm -rf "$work"
	mkdir -p "$work/modules" "$work/build" "$work/fetched"
	# Modules fit one kernel only: all packages are of one version.
	packages=("$image=$version" "linux-headers-$abi=$version" "linux-headers-${abi%-amd64}-common=$version"
		"linux-kbuild-6.1=$version" "linux-compiler-gcc-12-x86=$version" "linux-source-6.1=$version")
	(cd "$work/fetched" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}")
	for deb in "$work"/fetched/*.deb; do dpkg -x "$deb" "$work/tree"; done
	tar -C "$work/build" --strip-components=1 -xJf "$work/tree/usr/src/linux-source-6.1.tar.xz" \
		linux-source-6.1/drivers/gpio/gpio-sim.c linux-source-6.1/drivers/gpio/gpiolib.h \
		linux-source-6.1/kernel/irq/irq_sim.c linux-source-6.1/drivers/pps/clients
	build_modules
	cp "$work/tree/boot/vmlinuz-$abi" "$work/vmlinuz"
	for module in fs/configfs/configfs drivers/usb/common/usb-common drivers/usb/core/usbcore \
		drivers/usb/host/xhci-hcd drivers/usb/host/xhci-pci drivers/usb/serial/usbserial drivers/usb/serial/ftdi_sio; do
		cp "$work/tree/lib/modules/$abi/kernel/$module.ko" "$work/modules/"
	done
	cp "$work"/build/*.ko "$work/modules/"
	rm -rf "$work/tree" "$work/build" "$work/fetched"
	mv "$work" "$board"
}

# build_modules builds gpio-sim with the interrupt simulator in one module, and the two pulse drivers.
build_modules() {
	local headers=$work/tree/usr/src/linux-headers-$abi
	# Debian's headers name each other by where they would be installed.
	sed -i "s,/usr/src/,$work/tree/usr/src/," "$headers/Makefile"
	mkdir -p "$work/tree/usr/src/build"
	cd "$work/build"
	mv drivers/gpio/gpio-sim.c sim.c
	mv drivers/gpio/gpiolib.h drivers/pps/clients/pps-gpio.c drivers/pps/clients/pps-ktimer.c .
	# irq_to_desc is not exported; this is the same descriptor.
	sed 's/irq_to_desc(irqnum)/irq_data_to_desc(irq_get_irq_data(irqnum))/' kernel/irq/irq_sim.c >irq_sim.c
	cp "$OLDPWD/.ci/board-glue.c" .
	printf '%s\n' 'obj-m := gpio-sim.o pps-gpio.o pps-ktimer.o board-glue.o' 'gpio-sim-y := sim.o irq_sim.o' >Makefile
	make -s -C "$headers" M="$work/build" modules >make.log 2>&1 || {
		cat make.log
		return 1
	}
	cd "$OLDPWD"
}
