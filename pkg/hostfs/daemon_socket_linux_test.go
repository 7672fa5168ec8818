package hostfs

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen serves a socket: each connection is given to serve, nil: nobody accepts.
func listen(t *testing.T, path string, serve func(net.Conn)) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	if serve == nil {
		return
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
}

// TestGreet: only an answer counts, and nothing but a socket is touched.
func TestGreet(t *testing.T) {
	dir, err := os.MkdirTemp("", "greet") // the test's own may be longer than a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	at := func(name string) string { return filepath.Join(dir, name) }
	answer := func(c net.Conn) {
		_, _ = c.Read(make([]byte, 64))
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n"))
		c.Close()
	}
	listen(t, at("answers"), answer)
	listen(t, at("closes"), func(c net.Conn) { c.Close() })
	listen(t, at("silent"), nil)
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: at("dead"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	long := strings.Repeat("l", 200)
	for _, err := range []error{unix.Mkfifo(at("fifo"), 0o600), os.Mkdir(at(long), 0o700), os.WriteFile(at("file"), nil, 0o600),
		os.Symlink("/answers", at("link")), os.Symlink("loop", at("loop")), os.Symlink("../../../answers", at(long)+"/up"),
		os.Rename(at("answers"), at(long)+"/moved"), os.Symlink("/"+long+"/moved", at("answers"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := OpenRoot(FS{Root: dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for name, want := range map[string]string{
		"/answers": "", "/link": "", "/" + long + "/up": "", "/" + long + "/moved": "",
		"/closes": "without an answer", "/silent": "no answer", "/dead": "nobody listens",
		"/fifo": "not a socket", "/file": "not a socket", "/" + long: "not a socket", "/loop": "too many symbolic links",
		"/none": "no such file",
	} {
		took, err := root.Greet(name, true, 100*time.Millisecond)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v %v, want %q", name, took, err, want)
		case name == "/none" && !Gone(err):
			t.Errorf("%s: %v is not told from one that fails", name, err)
		}
	}
}
