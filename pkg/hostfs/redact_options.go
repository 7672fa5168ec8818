package hostfs

import (
	"path"
	"slices"
	"strings"
)

// shortSecret is a short option whose value is a secret although no name says
// so.
type shortSecret struct {
	option string
	// glued: the value may only follow the option's letter itself, as mysql's
	// -psecret; what comes next is something else.
	glued bool
}

// shortSecrets by the program's name, a trailing '*' standing for the rest of it.
var shortSecrets = map[string]shortSecret{
	"mysql*":    {"-p", true},
	"mariadb*":  {"-p", true},
	"mongo*":    {"-p", false},
	"sshpass":   {"-p", false},
	"curl":      {"-u", false},
	"redis-cli": {"-a", false},
	"ldap*":     {"-w", false},
	"7z*":       {"-p", true},
	"zip":       {"-P", false},
	"unzip":     {"-P", false},
	"sqlcmd":    {"-P", false},
}

// secretOption is that of the program that a word names. Behind the first word,
// as behind sudo or docker exec, only a plain name is one: no jar, no host:port.
func secretOption(word string, first bool) (shortSecret, bool) {
	name := path.Base(strings.Trim(word, `"'`))
	if !first && strings.ContainsAny(name, ".:,=@") {
		return shortSecret{}, false
	}
	for pattern, s := range shortSecrets {
		if prefix, open := strings.CutSuffix(pattern, "*"); name == pattern || open && strings.HasPrefix(name, prefix) {
			return s, true
		}
	}
	return shortSecret{}, false
}

// redactShort hides the values of short options in out, which is what is left
// of the arguments, behind the programs that have them.
func redactShort(out, args []string) {
	var known []shortSecret
	for i, a := range args {
		if s, ok := secretOption(a, i == 0); ok {
			if !slices.Contains(known, s) {
				known = append(known, s)
			}
			continue
		}
		a = strings.TrimLeft(a, `"'`)
		for _, s := range known {
			switch {
			case !strings.HasPrefix(a, s.option) || strings.HasPrefix(a, "--"):
			case len(a) > len(s.option):
				out[i] = s.option + Redacted
			case !s.glued && i+1 < len(args):
				out[i+1] = Redacted
			}
		}
	}
}
