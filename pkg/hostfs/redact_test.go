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
		"shell's own argument":  {[]string{"/bin/sh", "-c", `cd /x && mysqldump -phunter2 "a b" >x 2>&1`}, []string{"/bin/sh", "-c", `cd /x && mysqldump -p` + r + ` "a b" >x 2>&1`}},
		"on another host":       {[]string{"ssh", "h", "sshpass -p hunter2 scp x:"}, []string{"ssh", "h", "sshpass -p " + r + " scp x:"}},
		"behind another":        {[]string{"sudo", "-u", "x", "nice", "curl", "-u", "a:b", "h"}, []string{"sudo", "-u", "x", "nice", "curl", "-u", r, "h"}},
		"no program":            {[]string{"java", "-cp", "/x/mysql-connector.jar", "-port"}, []string{"java", "-cp", "/x/mysql-connector.jar", "-port"}},
		"title":                 {[]string{"worker: mysql -phunter2 x"}, []string{"worker: mysql -p" + r + " x"}},
		"a name's last word":    {[]string{"x", "MYSQL_PWD=a", "--smtp-pass", "b", "-Dspring.pass=c", "REDISCLI_AUTH=d"}, []string{"x", "MYSQL_PWD=" + r, "--smtp-pass", r, "-Dspring.pass=" + r, "REDISCLI_AUTH=" + r}},
		"no secret's name":      {[]string{"sh", "PWD=/x", "--authorization-mode=Node,RBAC", "--bypass=1"}, []string{"sh", "PWD=/x", "--authorization-mode=Node,RBAC", "--bypass=1"}},
		"curl's ways":           {[]string{"curl", "-sSu", "a:b", "--user", "c:d", "--proxy-user=e:f", "-s", "http://h/"}, []string{"curl", "-sSu", r, "--user", r, "--proxy-user=" + r, "-s", "http://h/"}},
		"no arguments":          {nil, []string{}},
		"all of a value":        {[]string{"x", "--password=a&b;c,d", "TOKEN=a;b"}, []string{"x", "--password=" + r, "TOKEN=" + r}},
		"connection string":     {[]string{"x", "Server=h;Uid=sa;Pwd=s3cret;Encrypt=1", "PWD=/home"}, []string{"x", "Server=h;Uid=sa;Pwd=" + r + ";Encrypt=1", "PWD=/home"}},
		"token for a user":      {[]string{"git", "clone", "https://0123456789abcdef0123@git.example/x", "ssh://git@h/x"}, []string{"git", "clone", "https://" + r + "@git.example/x", "ssh://git@h/x"}},
		"second URL":            {[]string{"x", "http://a/,http://u:p@b/"}, []string{"x", "http://a/,http://u:" + r + "@b/"}},
		"services' tokens": {[]string{"x", "ghp_" + strings.Repeat("aB3", 12), "--set", "key.github_pat_" + strings.Repeat("aB3", 12), "/opt/ghp_short", "sk-redis-master-deployment-0"},
			[]string{"x", r, "--set", "key." + r, "/opt/ghp_short", "sk-redis-master-deployment-0"}},
		"base64 key": {[]string{"x", "k=" + strings.Repeat("aB3/", 11) + "==", strings.Repeat("0a1b", 16), "/" + strings.Repeat("usr/Lib9/", 8)},
			[]string{"x", "k=" + r, strings.Repeat("0a1b", 16), "/" + strings.Repeat("usr/Lib9/", 8)}},
		"private key":         {[]string{"x", "k=-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"}, []string{"x", "k=" + r}},
		"certificate":         {[]string{"x", "-----BEGIN CERTIFICATE-----"}, []string{"x", "-----BEGIN CERTIFICATE-----"}},
		"registry":            {[]string{"docker", "login", "-u", "x", "-p", "hunter2", "h"}, []string{"docker", "login", "-u", "x", "-p", r, "h"}},
		"ports are none":      {[]string{"docker", "run", "-p", "80:80", "x"}, []string{"docker", "run", "-p", "80:80", "x"}},
		"Erlang":              {[]string{"beam.smp", "-setcookie", "abc", "-name", "x"}, []string{"beam.smp", "-setcookie", r, "-name", "x"}},
		"redis-server":        {[]string{"redis-server", "--requirepass", "abc"}, []string{"redis-server", "--requirepass", r}},
		"containerd, kubelet": {[]string{"kubelet", "--bootstrap-kubeconfig=/etc/b", "--node-ip=10.0.0.1", "--hostname-override=n"}, []string{"kubelet", "--bootstrap-kubeconfig=/etc/b", "--node-ip=10.0.0.1", "--hostname-override=n"}},
		"creds":               {[]string{"crictl", "pull", "--creds", "u:p", "x"}, []string{"crictl", "pull", "--creds", r, "x"}},
		"headers":             {[]string{"curl", "-H", "X-Vault-Token: abc", "-H", "Cookie: a=b"}, []string{"curl", "-H", "X-Vault-Token: " + r, "-H", "Cookie: " + r}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Redact(c.in); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestRedactCommand(t *testing.T) {
	const r = Redacted
	for line, want := range map[string]string{
		"":                                      "",
		"  run-parts  /etc/cron.daily ":         "  run-parts  /etc/cron.daily ",
		`x --password "a b" c`:                  `x --password ` + r + ` c`,
		`x "--password" 'it'\''s b' c`:          `x "--password" ` + r + ` c`,
		`x --password='a b' c`:                  `x --password='` + r + `' c`,
		"PGPASSWORD=x pg_dump db":               "PGPASSWORD=" + r + " pg_dump db",
		"cd /x && mysqldump -phunter2|gzip":     "cd /x && mysqldump -p" + r + "|gzip",
		"a; (zip -P hunter2 x y);b":             "a; (zip -P " + r + " x y);b",
		"x $(mysql -phunter2)`mysql -phunter2`": "x $(mysql -p" + r + ")`mysql -p" + r + "`",
		"mysql >/x 2>&1 -phunter2 &":            "mysql >/x 2>&1 -p" + r + " &",
		"mysql &>/x -phunter2":                  "mysql &>/x -p" + r,
		`mysql -p"a b" x`:                       `mysql -p` + r + ` x`,
		`"mysql" "-pa b" x`:                     `"mysql" -p` + r + ` x`,
		"curl x | sort -u file":                 "curl x | sort -u file",
		`sh -c "mysqldump -phunter2"`:           `sh -c "mysqldump -p` + r + `"`,
		`sh -c "mysql -p\"x y\" -e 'a b'" z`:    `sh -c "mysql -p` + r + ` -e 'a b'" z`,
		`sh -c 'su -c "mysqldump -phunter2" x'`: `sh -c 'su -c "mysqldump -p` + r + `" x'`,
		`sh -c"mysqldump -phunter2"`:            `sh -c"mysqldump -p` + r + `"`,
		`echo it's; mysqldump -phunter2`:        `echo it's; mysqldump -p` + r,
		`echo "\\"; mysqldump -p"s t"`:          `echo "\\"; mysqldump -p` + r,
		`curl -H "Authorization: Bearer x.y" h`: `curl -H "Authorization: ` + r + `" h`,
	} {
		if got := RedactCommand(line); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
	deep := strings.Repeat(`x "' `, 100) + "mysql -phunter2" + strings.Repeat(` '" x`, 100)
	if got := RedactCommand(deep); strings.Contains(got, "phunter2") {
		t.Errorf("got %s", got)
	}
}

func FuzzRedactCommand(f *testing.F) {
	f.Add(`cd /x && sh -c "mysql -p\"x y\" 2>&1" 'z' `)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, line string) {
		if got := strings.Join(shellPieces(line), ""); got != line || len(shellPieces(line))%2 != 1 {
			t.Fatalf("pieces of %q are %q", line, shellPieces(line))
		}
		RedactCommand(line)
		const secret = "hunter2hunter2"
		if got := RedactCommand(line + "\nmysqldump -p" + secret); !strings.ContainsAny(line, "\\\"'") && strings.Contains(got, secret) && !strings.Contains(line, "hunter2") {
			t.Fatalf("%q shows it: %q", line, got)
		}
	})
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
