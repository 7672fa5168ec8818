package hostfs

import (
	"slices"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	const r = Redacted
	jwt := "eyJ" + strings.Repeat("h", 30) + ".eyJzdWIi.c2ln"
	for name, c := range map[string]struct{ in, want []string }{
		"nothing to hide":       {[]string{"java", "-Xmx1g", "-jar", "app.jar"}, []string{"java", "-Xmx1g", "-jar", "app.jar"}},
		"option with =":         {[]string{"x", "--password=hunter2"}, []string{"x", "--password=" + r}},
		"option and value":      {[]string{"x", "--db-token", "abc", "next"}, []string{"x", "--db-token", r, "next"}},
		"flag without value":    {[]string{"x", "--use-token", "--verbose"}, []string{"x", "--use-token", "--verbose"}},
		"environment":           {[]string{"env", "PGPASSWORD=a b", "psql"}, []string{"env", "PGPASSWORD=" + r, "psql"}},
		"system property":       {[]string{"java", "-Dssl.keyStorePassword=changeit"}, []string{"java", "-Dssl.keyStorePassword=" + r}},
		"JSON":                  {[]string{"x", `{"user": "a", "secret": "s3", "n": 1}`}, []string{"x", `{"user": "a", "secret": "` + r + `", "n": 1}`}},
		"header":                {[]string{"curl", "-H", "Authorization: Bearer abc.def"}, []string{"curl", "-H", "Authorization: " + r}},
		"URL":                   {[]string{"x", "postgres://app:pw@db:5432/x"}, []string{"x", "postgres://app:" + r + "@db:5432/x"}},
		"URL with an odd @":     {[]string{"x", "http://u:p@ss@h/"}, []string{"x", "http://u:" + r + "@h/"}},
		"URL without password":  {[]string{"x", "https://host:6443/x"}, []string{"x", "https://host:6443/x"}},
		"query":                 {[]string{"x", "http://h/?token=abc&x=1"}, []string{"x", "http://h/?token=" + r + "&x=1"}},
		"JSON web token":        {[]string{"x", jwt}, []string{"x", r}},
		"a file that is hidden": {[]string{"x", "--token-file", "/run/t"}, []string{"x", "--token-file", r}},
		"shell script":          {[]string{"sh", "-c", "export API_KEY=k; run"}, []string{"sh", "-c", "export API_KEY=" + r + "; run"}},
		"glued to its option":   {[]string{"/usr/bin/mysqldump", "-uroot", "-phunter2", "-p", "db"}, []string{"/usr/bin/mysqldump", "-uroot", "-p" + r, "-p", "db"}},
		"behind a short option": {[]string{"sshpass", "-p", "hunter2", "ssh", "h"}, []string{"sshpass", "-p", r, "ssh", "h"}},
		"another's short one":   {[]string{"nginx", "-p", "/etc/nginx"}, []string{"nginx", "-p", "/etc/nginx"}},
		"no arguments":          {nil, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Redact(c.in); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("--password=x", "http://a:b@c")
	f.Add("token:://=", "\"secret")
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := Redact([]string{a, b}); len(got) != 2 {
			t.Fatalf("got %q", got)
		}
		const secret = "hunter2hunter2"
		if got := Redact([]string{a + " --password=" + secret}); strings.Contains(got[0], secret) && !strings.Contains(a, "hunter2") {
			t.Fatalf("%q shows it: %q", a, got)
		}
	})
}
