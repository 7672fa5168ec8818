package hostfs

import (
	"slices"
	"strings"
	"testing"
)

func TestK3sValues(t *testing.T) {
	for name, c := range map[string]struct {
		files []string
		want  string // with blanks between
	}{
		"none":                      {[]string{"", "token: kubelet-arg\nkubelet-args: x\n"}, ""},
		"one line":                  {[]string{"kubelet-arg: \"root-dir=/x\" # why\n"}, "root-dir=/x"},
		"one line, bare":            {[]string{"kubelet-arg: root-dir=/x\r\ntoken: y\r\n"}, "root-dir=/x"},
		"nothing yet":               {[]string{"kubelet-arg:\ntoken: y"}, ""},
		"a list":                    {[]string{"a: b\nkubelet-arg:\n  - \"a=1,2\"\n\n  # - b=2\n  - 'c=3'\n  - --d=4\nnode-label:\n  - e=5\n"}, "a=1,2 c=3 --d=4"},
		"a list below its key":      {[]string{"kubelet-arg:\n- a=1\n- b=2\nnode-label:\n- e=5"}, "a=1 b=2"},
		"in brackets":               {[]string{"kubelet-arg: [\"a=1,2\", b=2, 'c=3']\nx: [y]"}, "a=1,2 b=2 c=3"},
		"in brackets over lines":    {[]string{"kubelet-arg: [ # why\n  a=1,\n  \"b=2\"\n]\nx: y"}, "a=1 b=2"},
		"empty brackets":            {[]string{"kubelet-arg: []"}, ""},
		"quoted key":                {[]string{"\"kubelet-arg\":\n- a=1"}, "a=1"},
		"a later file replaces":     {[]string{"kubelet-arg: [a=1]", "kubelet-arg:\n- b=2"}, "b=2"},
		"a later file adds":         {[]string{"kubelet-arg: [a=1]", "kubelet-arg+: b=2", "x: y", "\"kubelet-arg+\":\n- c=3"}, "a=1 b=2 c=3"},
		"the only one adds":         {[]string{"kubelet-arg+:\n- a=1"}, "a=1"},
		"a file without it changes": {[]string{"kubelet-arg: a=1", "token: x"}, "a=1"},
		"below another key":         {[]string{"other:\n  kubelet-arg: a=1"}, ""},
		"second document's start":   {[]string{"---\nkubelet-arg:\n- a=1\n"}, "a=1"},
		"a percent sign, a colon":   {[]string{"kubelet-arg:\n- eviction-hard=memory.available<5%\n- x=http://y:1"}, "eviction-hard=memory.available<5% x=http://y:1"},
	} {
		if got := strings.Join(k3sValues("kubelet-arg", c.files), " "); got != c.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestK3sUnit(t *testing.T) {
	k, _ := ParseKubelet("k3s-server", []string{"/usr/local/bin/k3s server"})
	if !k.Hidden || k.ConfigDir() != "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d" {
		t.Errorf("got %+v", k)
	}
	k.K3sUnit(`/usr/local/bin/k3s  server '--kubelet-arg=root-dir=/my data/k' "--kubelet-arg" max-pods=7 -d /data/k3s --config="/data/a b.yaml" `)
	if k.Hidden || k.RootDir != "/my data/k" || k.Flags()["max-pods"] != "7" || k.File != "/data/a b.yaml" || k.ConfigDir() != "/data/k3s/agent/etc/kubelet.conf.d" {
		t.Errorf("got %+v", k)
	}
	// The command line's come last, and count.
	k = withFiles(k, "kubelet-arg: [root-dir=/file, max-pods=8, cgroup-root=/x]\ndata-dir: /file")
	if k.RootDir != "/my data/k" || k.Flags()["max-pods"] != "7" || k.Flags()["cgroup-root"] != "/x" || k.ConfigDir() != "/data/k3s/agent/etc/kubelet.conf.d" {
		t.Errorf("got %+v", k)
	}
	k, _ = ParseKubelet("k3s-agent", []string{"k3s", "agent"})
	if k = withFiles(k, "data-dir: /file\nkubelet-arg: root-dir=/b"); k.RootDir != "/b" || k.ConfigDir() != "/file/agent/etc/kubelet.conf.d" {
		t.Errorf("got %+v", k)
	}
}

func TestQuotedWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                      nil,
		"  ":                    nil,
		"a b":                   {"a", "b"},
		`"a b"'c d' e`:          {"a bc d", "e"},
		`'' x`:                  {"", "x"},
		`"a 'b" c 'never ends `: {"a b", "c"},
	} {
		if got := quotedWords(text, " "); !slices.Equal(got, want) {
			t.Errorf("%q: got %q", text, got)
		}
	}
}
