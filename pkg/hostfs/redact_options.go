package hostfs

import (
	"path"
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

// secretOption is the one of the program that these arguments start.
func secretOption(args []string) (shortSecret, bool) {
	if len(args) == 0 {
		return shortSecret{}, false
	}
	name := path.Base(args[0])
	for pattern, s := range shortSecrets {
		if prefix, open := strings.CutSuffix(pattern, "*"); name == pattern || open && strings.HasPrefix(name, prefix) {
			return s, true
		}
	}
	return shortSecret{}, false
}

// redactShort hides the values of s in arguments that are otherwise done with.
func redactShort(args []string, s shortSecret) {
	for i, a := range args {
		switch {
		case i == 0 || !strings.HasPrefix(a, s.option) || strings.HasPrefix(a, "--"):
		case len(a) > len(s.option):
			args[i] = s.option + Redacted
		case !s.glued && i+1 < len(args):
			args[i+1] = Redacted
		}
	}
}
