package hostfs

import (
	"slices"
	"strings"
)

// Redacted stands where a secret was.
const Redacted = "‹redacted›"

// secretWords are parts of the names under which secrets are passed.
var secretWords = []string{"password", "passwd", "passphrase", "secret", "token", "apikey", "api-key", "api_key",
	"accesskey", "access-key", "access_key", "privatekey", "private-key", "private_key", "credential",
	"authkey", "auth-key", "auth_key", "accountkey", "account-key", "account_key", "masterkey", "master-key", "master_key", "sharedkey",
	"encryption-key", "encryption_key", "encryptionkey", "signing-key", "signing_key", "signingkey", "cookie", "requirepass", "masterauth"}

// secretEnds are what such a name may end in, behind '-', '_' or '.':
// MYSQL_PWD, --smtp-pass, REDISCLI_AUTH, Authorization.
var secretEnds = []string{"pass", "pwd", "pw", "auth", "bindpw", "authorization", "bearer",
	"creds", "psk", "passin", "passout", "pswd", "passcode", "sas"}

// Redact hides likely secrets in the arguments of a process: values of options
// and assignments whose name speaks of a secret, passwords in URLs, JSON web
// tokens, and the short options of well-known programs, also in the commands
// that stand in an argument. It errs on the side of hiding.
//
//	--password=x  --db-token x  PGPASSWORD=x  "secret": "x"  https://user:x@host  eyJ….….…
func Redact(args []string) []string { return redact(args, maxNesting) }

func redact(args []string, depth int) []string {
	out := make([]string, len(args))
	hideNext := false
	for i, a := range args {
		bare := strings.TrimLeft(a, `"'`)
		switch {
		case hideNext && !strings.HasPrefix(a, "-"):
			out[i], hideNext = Redacted, false
			continue
		case strings.HasPrefix(bare, "-") && !strings.ContainsAny(a, "=: "):
			hideNext = namesSecret(a)
			out[i] = a
			continue
		}
		hideNext = false
		out[i] = redactInside(redactURL(redactTokens(redactAssignments(a))), depth)
	}
	redactShort(out, args)
	return out
}

func namesSecret(name string) bool {
	name = strings.Trim(strings.ToLower(name), "\"'=: ")
	if slices.Contains(secretEnds, name[strings.LastIndexAny(name, "-_.")+1:]) && name != "pwd" { // the working directory
		return true
	}
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// namesPassword: PWD is the working directory, or in a connection string the password.
func namesPassword(name, value string) bool {
	return strings.EqualFold(strings.Trim(name, `"'=: `), "pwd") && !strings.HasPrefix(strings.TrimLeft(value, `"'`), "/")
}

// redactAssignments hides the value behind every "name=", "name:" or "Bearer "
// in an argument, up to the next separator.
func redactAssignments(a string) string {
	if !strings.ContainsAny(a, "=:") {
		return a
	}
	var b strings.Builder
	for rest := a; rest != ""; {
		sep := strings.IndexAny(rest, "=:")
		if sep < 0 || strings.HasPrefix(rest[sep:], "://") {
			cut := max(sep+3, 0)
			if sep < 0 {
				cut = len(rest)
			}
			b.WriteString(rest[:cut])
			rest = rest[cut:]
			continue
		}
		name, value := rest[:sep+1], rest[sep+1:]
		b.WriteString(name)
		last := strings.LastIndexAny(name, " ,&;{?")
		if !namesSecret(name[last+1:]) && !namesPassword(name[last+1:], value) {
			rest = value
			continue
		}
		start := len(value) - len(strings.TrimLeft(value, ` "'\`))
		end := strings.IndexAny(value[start:], `"',&;}`)
		if end < 0 || last < 0 && len(name) < len(rest) && b.Len() == len(name) && start == 0 { // all of an argument is one value
			end = len(value) - start
		}
		b.WriteString(value[:start])
		if end > 0 {
			b.WriteString(Redacted)
		}
		rest = value[start+end:]
	}
	return b.String()
}
