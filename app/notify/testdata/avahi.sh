#!/usr/bin/env bash
# avahi.sh FOLDER: Debian's avahi-daemon, unpacked in the folder, listens beside a message bus of its own, in a mount
# namespace where /run and the users are the script's. avahi-browse says what there is, again and again.
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/avahi-daemon /run/dbus
cp /etc/passwd /etc/group /run/
echo 'avahi:x:65533:65533::/:/bin/false' >>/run/passwd
echo 'avahi:x:65533:' >>/run/group
mount --bind /run/passwd /etc/passwd
mount --bind /run/group /etc/group
cat >/run/dbus.conf <<'END'
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="method_return"/>
    <allow send_type="signal"/>
    <allow send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="signal"/>
    <allow receive_type="error"/>
  </policy>
</busconfig>
END
printf '[server]\nuse-ipv6=no\nhost-name=listener\n[publish]\n[reflector]\n[rlimits]\n' >/run/avahi.conf
"$1/usr/bin/dbus-daemon" --config-file=/run/dbus.conf --nofork &
sleep 0.3
"$1/usr/sbin/avahi-daemon" -f /run/avahi.conf --no-drop-root --no-chroot --no-rlimits &
for _ in {1..60}; do
	sleep 0.5
	echo '== look'
	timeout 5 "$1/usr/bin/avahi-browse" -a -k -p -r -t 2>/dev/null || true
done
