//go:build linux

package probe

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"golang.org/x/tools/txtar"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
)

// A node tree is a txtar archive with the directories proc, sys and root, and
// the kernel's log. An
// entry's name says what becomes of it; a later entry replaces an earlier one:
//
//	path                the content as it is
//	path -> target      a symbolic link
//	path (args)         a command line: every newline becomes NUL
//	path (escaped)      \xNN and the like as in Go
//	path (table)        a line that begins with "{10..49} " is there for each {n}
//	path (x1000)        the content, without its last newline, 1000 times
//	path (fifo)         a named pipe
//	path (dir)          an empty directory
//	path (absent)       removed again
//	# words             a remark, its content too
//	proc/17 (process)   what /proc/17 holds, see process_test.go
//	path (cgroup)       its files, one a line, "memory.stat anon 1; file 2"
//
// A range in a link's name, "fd/{10..4209} -> …", makes one link per number; in
// the target {n} is the number and {hex64} an id of its own.
//
// {O_DIRECTORY} and {O_TMPFILE} are these flags in the octal of this architecture.
//
// {id:NAME} is a container id, {uid:NAME} a pod's UID, {uid_:NAME} that UID as
// systemd's units have it, {hash:NAME} a static pod's config hash.
func plantFile(t testing.TB, name string) hostfs.FS {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return plant(t, string(b))
}

func plant(t testing.TB, archive string) hostfs.FS {
	t.Helper()
	tr := tree{t: t, dir: t.TempDir()}
	for _, d := range []string{"proc", "sys", "root"} {
		tr.mkdir(d)
	}
	for _, f := range txtar.Parse([]byte(nameIDs(archive))).Files {
		tr.add(f.Name, string(f.Data))
	}
	return hostfs.FS{Proc: tr.path("proc"), Sys: tr.path("sys"), Root: tr.path("root"), Log: tr.path("log")}
}

// hex64 is the container id that a tree calls {id:NAME}. A name of 12
// hexadecimal digits, as people quote ids, is how its id begins.
func hex64(name string) string {
	sum := sha256.Sum256([]byte(name))
	id := hex.EncodeToString(sum[:])
	if _, err := hex.DecodeString(name); err == nil && len(name) == 12 {
		return name + id[12:]
	}
	return id
}

func uidOf(name string) string {
	h := hex64("pod " + name)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

var idPattern = regexp.MustCompile(`\{(id|uid|uid_|hash):([^}]+)\}`)

func nameIDs(s string) string {
	s = strings.ReplaceAll(s, "{O_DIRECTORY}", strconv.FormatInt(unix.O_DIRECTORY, 8))
	s = strings.ReplaceAll(s, "{O_TMPFILE}", strconv.FormatInt(unix.O_TMPFILE, 8))
	return idPattern.ReplaceAllStringFunc(s, func(m string) string {
		f := idPattern.FindStringSubmatch(m)
		switch f[1] {
		case "id":
			return hex64(f[2])
		case "uid":
			return uidOf(f[2])
		case "uid_":
			return strings.ReplaceAll(uidOf(f[2]), "-", "_")
		}
		return hex64("hash " + f[2])[:32]
	})
}

type tree struct {
	t   testing.TB
	dir string
}

var kindPattern = regexp.MustCompile(`^(.*) \((args|escaped|fifo|dir|absent|process|cgroup|table|x\d+)\)$`)

func (tr tree) add(name, content string) {
	tr.t.Helper()
	if strings.HasPrefix(name, "#") {
		return
	}
	if link, target, ok := strings.Cut(name, " -> "); ok {
		tr.links(link, target)
		return
	}
	kind := ""
	if m := kindPattern.FindStringSubmatch(name); m != nil {
		name, kind = m[1], m[2]
	}
	name = unquote(tr.t, name)
	switch kind {
	case "":
		tr.write(name, content)
	case "args":
		tr.write(name, unquote(tr.t, strings.ReplaceAll(content, "\n", `\x00`)))
	case "escaped":
		tr.write(name, unquote(tr.t, strings.TrimSuffix(content, "\n")))
	case "table":
		tr.write(name, expandTable(content))
	case "fifo":
		tr.check(syscall.Mkfifo(tr.fresh(name), 0o600))
	case "dir":
		tr.mkdir(name)
	case "absent":
		tr.check(os.RemoveAll(tr.path(name)))
	case "process":
		tr.process(name, content)
	case "cgroup":
		tr.mkdir(name)
		for line := range strings.Lines(content) {
			file, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			if !ok {
				continue
			}
			tr.write(name+"/"+file, strings.ReplaceAll(text, "; ", "\n")+"\n")
		}
	default:
		n, _ := strconv.Atoi(kind[1:])
		tr.write(name, strings.Repeat(strings.TrimSuffix(content, "\n"), n))
	}
}

var tablePattern = regexp.MustCompile(`^\{(\d+)\.\.(\d+)\} `)

func expandTable(content string) string {
	var b strings.Builder
	for line := range strings.Lines(content) {
		m := tablePattern.FindStringSubmatch(line)
		if m == nil {
			b.WriteString(line)
			continue
		}
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		for n := from; n <= to; n++ {
			b.WriteString(strings.ReplaceAll(line[len(m[0]):], "{n}", strconv.Itoa(n)))
		}
	}
	return b.String()
}

var rangePattern = regexp.MustCompile(`^(.*)\{(\d+)\.\.(\d+)\}(.*)$`)

func (tr tree) links(name, target string) {
	m := rangePattern.FindStringSubmatch(name)
	if m == nil {
		tr.check(os.Symlink(target, tr.fresh(name)))
		return
	}
	from, _ := strconv.Atoi(m[2])
	to, _ := strconv.Atoi(m[3])
	tr.mkdir(filepath.Dir(name))
	for i := from; i <= to; i++ {
		n := strconv.Itoa(i)
		each := strings.NewReplacer("{n}", n, "{hex64}", hex64(target+n)).Replace(target)
		tr.check(os.Symlink(each, tr.path(m[1]+n+m[4])))
	}
}

func (tr tree) path(name string) string { return filepath.Join(tr.dir, name) }

func (tr tree) mkdir(name string) { tr.check(os.MkdirAll(tr.path(name), 0o755)) }

// fresh is a path where nothing is yet, in a directory that is there.
func (tr tree) fresh(name string) string {
	tr.mkdir(filepath.Dir(name))
	tr.check(os.RemoveAll(tr.path(name)))
	return tr.path(name)
}

func (tr tree) write(name, content string) {
	tr.t.Helper()
	tr.check(os.WriteFile(tr.fresh(name), []byte(content), 0o644))
}

func (tr tree) check(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}

func unquote(t testing.TB, s string) string {
	t.Helper()
	if !strings.Contains(s, `\`) {
		return s
	}
	q, err := strconv.Unquote(`"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(s) + `"`)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return q
}

func TestTreeFormat(t *testing.T) {
	fs := plant(t, `
-- root/a/{id:x} --
{uid:y} {uid_:y}
-- root/a/link -> ../{id:x} --
-- root/many/{7..9} -> /x/{n}/{hex64} --
-- root/args (args) --
java
-Dx=a\x0ab
-- root/huge (x3) --
ab
-- root/gone --
-- root/gone (absent) --
`)
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(fs.Root, name))
		if err != nil {
			t.Error(err)
		}
		return string(b)
	}
	link, _ := os.Readlink(filepath.Join(fs.Root, "many/8"))
	if id := hex64("82414f376d1f"); id[:12] != "82414f376d1f" || !hostfs.IsContainerID(id) {
		t.Errorf("got %q", id)
	}
	for got, want := range map[string]string{
		read("a/" + hex64("x")): uidOf("y") + " " + strings.ReplaceAll(uidOf("y"), "-", "_") + "\n",
		read("args"):            "java\x00-Dx=a\nb\x00",
		read("huge"):            "ababab",
		link:                    "/x/8/" + hex64("/x/{n}/{hex64}8"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(fs.Root, "gone")); err == nil {
		t.Error("still there")
	}
}
