package hostfs

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// What a daemon's socket is greeted with. A stopped daemon's kernel still accepts
// connections, until its backlog is full; only an answer says that it lives. Neither
// greeting asks for anything.
var (
	// greetHTTP2 is the preface of an HTTP/2 client (RFC 9113, 3.4) with empty settings,
	// which a gRPC server answers with its own.
	greetHTTP2 = []byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	// greetDocker is the Docker Engine API's ping.
	greetDocker = []byte("GET /_ping HTTP/1.0\r\n\r\n")
)

// errNoAnswer: connected, or not even that, and nothing came back.
var errNoAnswer = errors.New("no answer")

// Greet connects to a daemon's socket on the node and says how long the first byte of
// its answer took.
func (f FS) Greet(socket string, docker bool, patience time.Duration) (time.Duration, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	began := time.Now()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: f.Root + socket}); err != nil {
		if errors.Is(err, unix.EAGAIN) { // its backlog is full: nobody accepts
			err = errNoAnswer
		}
		return 0, err
	}
	greeting := greetHTTP2
	if docker {
		greeting = greetDocker
	}
	if _, err := unix.SendmsgN(fd, greeting, nil, nil, unix.MSG_NOSIGNAL); err != nil {
		return 0, os.NewSyscallError("sendmsg", err)
	}
	for {
		left := patience - time.Since(began)
		if left <= 0 {
			return 0, errNoAnswer
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1)
		switch {
		case errors.Is(err, unix.EINTR) || err == nil && n == 0:
			continue
		case err != nil:
			return 0, os.NewSyscallError("poll", err)
		}
		if n, err = unix.Read(fd, make([]byte, 16)); err == nil && n == 0 {
			err = errors.New("it closed the connection without an answer")
		}
		return time.Since(began), err
	}
}
