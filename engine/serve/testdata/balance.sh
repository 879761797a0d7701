#!/bin/bash
# balance VIRTUAL STATION...: asks every station once and spreads the NTP requests for the virtual address over those that
# know the time. A client keeps its station while the pool stays the same; answers bear the virtual address. Run it every
# few seconds, as root, on the router before the stations; their way back to the clients must lead through it.
virtual=$1
shift
request="\\x23$(printf '\\0%.0s' {1..47})"

# healthy STATION: it answers with a leap indicator other than 3 and a stratum from 1 to 15.
healthy() {
	local first stratum
	read -r first stratum < <(
		exec 3<>"/dev/udp/$1/123" && printf "$request" >&3 && timeout 1 dd bs=48 count=1 <&3 2>/dev/null | od -An -tu1 -N2
	)
	[ -n "$stratum" ] && [ $((first >> 6)) != 3 ] && [ "$stratum" -ge 1 ] && [ "$stratum" -le 15 ]
}

pool='' n=0
for station; do
	healthy "$station" && pool+="${pool:+, }$n : $station" && n=$((n + 1))
done
all=$(printf '%s, ' "$@")
if [ $n = 0 ]; then to=drop; else to="notrack ip daddr set jhash ip saddr mod $n seed 0x4e5450 map { $pool }"; fi
nft -f - <<-END # one transaction: no request meets half a table
	table ip ntp_balance
	delete table ip ntp_balance
	table ip ntp_balance {
		chain requests {
			type filter hook prerouting priority raw
			ip daddr $virtual udp dport 123 $to
		}
		chain answers {
			type filter hook postrouting priority raw
			ip saddr { ${all%, } } udp sport 123 ip saddr set $virtual
		}
	}
END
