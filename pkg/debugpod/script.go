package debugpod

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// maxProbeBytes is the size of the tmpfs that the probe is delivered to.
const maxProbeBytes = 16 << 20

// attachSeconds is how long the shell waits for the client's first line,
// deliverySeconds how long for the probe: where stdin outlives its client, as a
// recorder's does, nothing else says that no more will come.
const attachSeconds, deliverySeconds = "120", "900"

// script receives the probe on stdin and becomes it. $1 is the nonce, $2 the
// probe's length, $3 its SHA-256. It says nothing before the client's first
// line, since output before an attach gets lost, and read(1) takes single
// bytes from a pipe, so that head finds the probe's first byte. head may read
// ahead: the client sends nothing more until the probe has said hello. A cut
// probe has another hash, so length needs no check of its own. PID namespaces
// are the host's, so the shell dies of SIGTERM like any other process: also of
// its own, where no client comes, since one that was killed before it attached
// leaves nobody to wait for. Its own pid is ${$}: the kubelet makes one dollar
// of two in a command.
const script = `fail() { echo "nodedoc: $1" >&2; exit 1; }
within() { { trap 'kill $nap; exit' TERM; sleep "$1" & nap=$!; wait $nap && kill ${$}; } >/dev/null 2>&1 & }
within ` + attachSeconds + `
IFS= read -r line
got=$?
kill $! 2>/dev/null
[ $got = 0 ] || fail "the client left before it sent anything"
[ "$line" = "$1" ] || fail "another client is attached"
for tool in head sha256sum chmod; do
  command -v "$tool" >/dev/null || fail "there is no $tool here: choose another image with --image"
done
umask 077
probe=` + probeDir + `/probe
within ` + deliverySeconds + `
head -c "$2" >"$probe" || fail "failed to write the probe"
kill $! 2>/dev/null
sum=$(sha256sum "$probe") || fail "failed to read the probe back"
[ "${sum%% *}" = "$3" ] || fail "the probe arrived cut short or damaged"
chmod 0700 "$probe" || fail "failed to make the probe executable"
exec "$probe" serve "$1"`

// probeInImage is where an image that holds the probe has it.
const probeInImage = "/nodedoc-probe"

// command is what the container runs in one session.
func command(by starter, nonce string, probe []byte) []string {
	sum := sha256.Sum256(probe)
	sh := []string{"sh", "-c", script, appName, nonce, strconv.Itoa(len(probe)), hex.EncodeToString(sum[:])}
	switch by {
	case byHostShell:
		return underHostShell(sh)
	case byItself:
		return []string{probeInImage, "await", nonce}
	}
	return sh
}
