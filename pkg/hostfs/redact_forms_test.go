package hostfs

import (
	"strings"
	"testing"
)

// forms are ways in which a secret is passed: %s stands for it.
var forms = [][]string{
	{"--password=%s"}, {"--password", "%s"}, {"PGPASSWORD=%s"}, {"--db-token", "%s"}, {"postgres://app:%s@db/x"}, {"Authorization: Bearer %s"},
	{"-Dspring.pass=%s"}, {`{"secret": "%s"}`}, {"mysql", "-p%s"}, {"sshpass", "-p", "%s"}, {"curl", "-u", "a:%s"}, {"login", "-p", "%s"},
	{"-setcookie", "%s"}, {"https://%s%s@git.example/"}, {"ghp_%s%s"}, {"sh", "-c", "mysqldump -p%s x"}, {"sh", "-c", "export API_KEY=%s; x"},
	{"su", "-c", `sh -c "curl -u a:%s h"`}, {"--set", "db.password=%s"}, {"Server=h;Pwd=%s"}, {"-----BEGIN PRIVATE KEY-----%s"},
}

// Whatever stands before it, a secret in one of these forms does not leave the node.
func FuzzSecretsStay(f *testing.F) {
	for i := range forms {
		f.Add("java", "-Xmx1g", uint8(i))
		f.Add("sh -c 'x", "--flag", uint8(i))
		f.Add("http://h/?a=b", "=", uint8(i))
	}
	const secret = "hunter2hunter2"
	f.Fuzz(func(t *testing.T, first, second string, n uint8) {
		if strings.Contains(first+second, "hunter2") {
			return
		}
		args := []string{first, second}
		for _, a := range forms[int(n)%len(forms)] {
			args = append(args, strings.ReplaceAll(a, "%s", secret))
		}
		got := Redact(args)
		if len(got) != len(args) || strings.Contains(strings.Join(got, " "), secret) {
			t.Fatalf("%q shows it: %q", args, got)
		}
	})
}

// What has been redacted once is not made worse.
func TestRedactTwice(t *testing.T) {
	for _, form := range forms {
		var args []string
		for _, a := range form {
			args = append(args, strings.ReplaceAll(a, "%s", "hunter2hunter2"))
		}
		once := Redact(args)
		if twice := Redact(once); strings.Join(twice, "|") != strings.Join(once, "|") {
			t.Errorf("%q, then %q", once, twice)
		}
	}
}

func TestRedactSource(t *testing.T) {
	for source, want := range map[string]string{"https://u:p@h/dav": "https://u:" + Redacted + "@h/dav", "/dev/sda1": "/dev/sda1", "10.0.0.1:/export": "10.0.0.1:/export", "//h/share": "//h/share"} {
		if got := RedactSource(source); got != want {
			t.Errorf("%s: got %s, want %s", source, got, want)
		}
	}
}
