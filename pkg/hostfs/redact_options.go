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
	// long are the same by their names.
	long []string
}

// shortSecrets by the program's name, a trailing '*' standing for the rest of it.
var shortSecrets = map[string]shortSecret{
	"mysql*":    {option: "-p", glued: true},
	"mariadb*":  {option: "-p", glued: true},
	"mongo*":    {option: "-p"},
	"sshpass":   {option: "-p"},
	"curl":      {option: "-u", long: []string{"--user", "--proxy-user"}},
	"redis-cli": {option: "-a"},
	"ldap*":     {option: "-w"},
	"7z*":       {option: "-p", glued: true},
	"zip":       {option: "-P"},
	"unzip":     {option: "-P"},
	"sqlcmd":    {option: "-P"},
	// docker, podman, nerdctl, helm registry, az, oc
	"login":     {option: "-p"},
	"cqlsh":     {option: "-p"},
	"ctr":       {option: "-u", long: []string{"--user"}},
	"etcdctl":   {option: "-u", long: []string{"--user"}},
	"lftp":      {option: "-u", long: []string{"--user"}},
	"smbclient": {option: "-U", long: []string{"--user"}},
	"ipmitool":  {option: "-P"},
	"mosq*":     {option: "-P", long: []string{"--pw"}},
	"http":      {option: "-a"},
	"https":     {option: "-a"},
	"useradd":   {option: "-p"},
	"usermod":   {option: "-p"},
	"openssl":   {option: "-k"},
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
			if !slices.ContainsFunc(known, func(k shortSecret) bool { return k.option == s.option && k.glued == s.glued }) {
				known = append(known, s)
			}
			continue
		}
		a = strings.TrimLeft(a, `"'`)
		for _, s := range known {
			name, _, assigned := strings.Cut(a, "=")
			switch {
			case slices.Contains(s.long, name) && assigned:
				out[i] = name + "=" + Redacted
			case i+1 < len(args) && (slices.Contains(s.long, a) || !s.glued && bundles(a, s.option)):
				out[i+1] = Redacted
			case !strings.HasPrefix(a, s.option) || strings.HasPrefix(a, "--"):
			case len(a) > len(s.option):
				out[i] = s.option + Redacted
			case !s.glued && i+1 < len(args):
				out[i+1] = Redacted
			}
		}
	}
}

// bundles: an option that takes a value may end a bundle of letters, curl -sSu.
func bundles(a, option string) bool {
	return len(a) > len(option) && a[0] == '-' && a[1] != '-' && a[len(a)-1] == option[1] && !strings.ContainsAny(a, "=.:/@,")
}
