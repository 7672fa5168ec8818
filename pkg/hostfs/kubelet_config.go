package hostfs

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// MaxKubeletConfig bounds a configuration file of the kubelet.
const MaxKubeletConfig = 64 << 10

var errFlowStyle = errors.New("all in one pair of braces, but no JSON")

// wantedKey says of a field of KubeletConfiguration whether it sets thresholds,
// reservations or limits.
func wantedKey(key string) bool {
	const wanted = " evictionHard evictionSoft evictionSoftGracePeriod evictionMinimumReclaim" +
		" evictionMaxPodGracePeriod evictionPressureTransitionPeriod mergeDefaultEvictionSettings" +
		" kubeReserved systemReserved kubeReservedCgroup systemReservedCgroup enforceNodeAllocatable" +
		" kernelMemcgNotification failSwapOn cgroupDriver cgroupRoot maxPods podPidsLimit "
	return isWordOf(wanted, key)
}

// isWordOf: a list of words with blanks around each is smaller than a switch.
func isWordOf(words, word string) bool { return strings.Contains(words, " "+word+" ") }

// CutKubeletConfig leaves of a KubeletConfiguration, YAML or JSON, what sets
// thresholds, reservations and limits: other fields may hold secrets, and comments
// anything.
//
//	apiVersion: kubelet.config.k8s.io/v1beta1
//	evictionHard:
//	  memory.available: 500Mi
//	enforceNodeAllocatable:
//	- pods
func CutKubeletConfig(b []byte) (string, error) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if first := bytes.TrimSpace(b); len(first) > 0 && first[0] == '{' {
		return cutJSON(first)
	}
	var out strings.Builder
	base, keep := -1, false
	for _, line := range strings.Split(string(b), "\n") {
		line, _, _ = strings.Cut(strings.TrimRight(line, "\r"), " #")
		text := strings.TrimLeft(line, " ")
		if text == "" || text[0] == '#' {
			continue
		}
		if strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...") {
			if base >= 0 { // the kubelet reads the first document
				break
			}
			continue
		}
		indent := len(line) - len(text)
		if base < 0 {
			base = indent
		}
		// The elements of a list may stand below their key, and closing brackets do.
		if indent <= base && strings.IndexByte("-}]", text[0]) < 0 {
			key, _, _ := strings.Cut(text, ":")
			keep = wantedKey(strings.Trim(key, `"' `))
		}
		if keep {
			out.WriteString(line + "\n")
		}
	}
	return out.String(), nil
}

func cutJSON(b []byte) (string, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(b, &fields) != nil {
		return "", errFlowStyle
	}
	for key := range fields {
		if !wantedKey(key) {
			delete(fields, key)
		}
	}
	b, err := json.Marshal(fields)
	return string(b), err
}
