package debugpod

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// maxName is a DNS label's length: as a pod's default hostname the name would
// otherwise be cut.
const maxName = 63

// newNonce names one session: in its pod's name and label, in the first line
// of its stdin, and in each message.
func newNonce() (string, error) {
	b := make([]byte, 8)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("failed to make a session's nonce: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// podName is nodedoc-<node>-<nonce>. It is known before the pod exists, so a
// pod whose creation was never confirmed can be found again.
func podName(node, nonce string) string {
	short := strings.ReplaceAll(node, ".", "-")
	short = short[:min(len(short), maxName-len(appName)-len(nonce)-2)]
	return appName + "-" + strings.Trim(short, "-") + "-" + nonce
}
