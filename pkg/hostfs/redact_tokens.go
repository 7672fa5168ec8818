package hostfs

import "strings"

// tokenStarts are how tokens of well-known services begin, by their makers' own
// documentation, so that they can be found: GitHub, GitLab, Slack, Stripe, OpenAI and
// the like, Google, Hugging Face, npm, PyPI, Docker, HashiCorp Vault, DigitalOcean, Grafana.
var tokenStarts = []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "xoxb-", "xoxp-", "xoxa-", "xapp-", "sk_live_", "rk_live_", "sk-",
	"AIza", "ya29.", "hf_", "npm_", "pypi-", "dckr_pat_", "hvs.", "hvb.", "dop_v1_", "glsa_", "glc_"}

const (
	leastToken  = 16 // characters behind a start
	leastBase64 = 40 // a key of 30 bytes
)

// redactTokens hides what is a secret by its own form, whatever stands before it: JSON
// web tokens (RFC 7519: their header begins with {"), tokens of well-known services,
// keys in padded base64, private keys in PEM (RFC 7468).
func redactTokens(a string) string {
	if at := strings.Index(a, "-----BEGIN "); at >= 0 && strings.Contains(a[at:], "PRIVATE KEY") {
		a = a[:at] + Redacted
	}
	if len(a) < leastToken {
		return a
	}
	var b strings.Builder
	from := 0 // of what is not written yet
	for at := 0; at < len(a); {
		end := at
		for end < len(a) && inToken(a[end]) {
			end++
		}
		if end == at {
			at++
			continue
		}
		if cut, to := secretIn(a, at, end); cut >= 0 {
			b.WriteString(a[from:cut] + Redacted)
			from, end = to, max(end, to)
		}
		at = end
	}
	return b.String() + a[from:]
}

func inToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-.+/~", c) >= 0
}

// secretIn says where in a run of a[at:end] a secret is; cut < 0: nowhere.
func secretIn(a string, at, end int) (cut, to int) {
	run := a[at:end]
	if i := strings.Index(run, "eyJ"); i >= 0 && len(run)-i > leastBase64 && strings.Count(run[i:], ".") >= 2 {
		return at + i, end
	}
	for _, start := range tokenStarts {
		i := strings.Index(run, start)
		if i >= 0 && start == "sk-" && !mixed(run[i:]) { // a short one, which names may begin with, too
			continue
		}
		if i >= 0 && len(run)-i-len(start) >= leastToken && (i == 0 || strings.IndexByte("-_.+/~", run[i-1]) >= 0) && !strings.Contains(run[i+len(start):], "/") {
			return at + i, end
		}
	}
	if len(run) >= leastBase64 && end < len(a) && a[end] == '=' && !strings.ContainsAny(run, "_-.~") && mixed(run) {
		for end < len(a) && a[end] == '=' {
			end++
		}
		return at, end
	}
	return -1, 0
}

// mixed: no path or word has capitals, small letters and digits all over.
func mixed(text string) bool {
	return strings.ContainsAny(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && strings.ContainsAny(text, "abcdefghijklmnopqrstuvwxyz") && strings.ContainsAny(text, "0123456789")
}

// leastUser characters in place of a user's name in a URL are a token:
// https://TOKEN@github.com/.
const leastUser = 20

// redactURL hides the password of scheme://user:password@host, and a token in place
// of both.
func redactURL(a string) string {
	scheme := strings.Index(a, "://")
	if scheme < 0 {
		return a
	}
	authority := a[scheme+3:]
	if end := strings.IndexAny(authority, "/?# "); end >= 0 {
		authority = authority[:end]
	}
	at, colon := strings.LastIndexByte(authority, '@'), strings.IndexByte(authority, ':')
	from := scheme + 3
	switch {
	case at >= leastUser && (colon < 0 || at < colon):
		return a[:from] + Redacted + redactURL(a[from+at:])
	case colon < 0 || at < colon:
		return a[:from] + redactURL(a[from:])
	}
	return a[:from+colon+1] + Redacted + redactURL(a[from+at:])
}

// RedactSource hides the password in what is mounted: davfs, rclone and the like are
// given a URL.
func RedactSource(source string) string { return redactTokens(redactURL(source)) }
