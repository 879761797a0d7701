# Shared by the scripts of this folder: they source it and then stand in the repository's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What is fetched or built once and kept: outside the tree, so that neither `make clean` nor a fresh clone loses it.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/timestation

# Every line of results ends up here, one "passed failed" pair a line; `make test` gives one file to all its parts.
tally=${TIMESTATION_TALLY:-}
if [ -z "$tally" ]; then
	tally=$(mktemp)
	trap 'rm -f "$tally"' EXIT
fi
tally_before=$(wc -l <"$tally")
part=$(basename "$0")
part_began=$SECONDS

# step NAME COMMAND…: runs it and says how long it took. A failure is remembered, and the next step still runs: one run
# shows everything that is wrong.
step() {
	local name=$1 began=$SECONDS code
	shift
	echo "── $part: $name"
	# Not in a condition: there the shell would forget about -e within the command.
	set +e
	(
		set -e
		"$@"
	)
	code=$?
	set -e
	if [ $code = 0 ]; then
		echo "1 0" >>"$tally"
		echo "   $name: $((SECONDS - began)) s"
	else
		echo "0 1" >>"$tally"
		echo "   $name: FAILED after $((SECONDS - began)) s"
	fi
}

# tests NAME ARGUMENTS…: go test with these arguments. Every test counts, and one that is skipped is a failure.
tests() {
	local name=$1 began=$SECONDS counted
	counted=$(wc -l <"$tally")
	shift
	echo "── $part: $name"
	go run .ci/gotest.go -tally "$tally" "$@" || true
	[ "$(wc -l <"$tally")" -gt "$counted" ] || echo "0 1" >>"$tally" # it fell over before it could count
	echo "   $name: $((SECONDS - began)) s"
}

# finish ends a part: what came out, how long it took, and the exit code.
finish() {
	local passed failed
	read -r passed failed < <(tail -n "+$((tally_before + 1))" "$tally" | awk '{p += $1; f += $2} END {print p+0, f+0}')
	if [ "$failed" = 0 ]; then
		echo "══ make $part: all of $passed passed, $((SECONDS - part_began)) s"
	else
		echo "══ make $part: $failed of $((passed + failed)) FAILED, $((SECONDS - part_began)) s"
		exit 1
	fi
}

# as_root COMMAND…: with sudo where that is needed.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "This needs root, and there is no sudo here: run as root: $*" >&2
		return 1
	fi
}

# debian_sources prints where this machine gets Debian from, as apt's one-line sources, so that a folder made here comes
# from the same mirror.
debian_sources() {
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
		sort -u
}

# debian_release is its code name.
debian_release() { (. /etc/os-release && echo "$VERSION_CODENAME"); }
