package hostfs

import (
	"errors"
	"os"
	"strconv"
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

// errClosed: it hung up, before or after it was greeted.
var errClosed = errors.New("it closed the connection without an answer")

// errNobodyListens: the file is there, the daemon is not.
var errNobodyListens = errors.New("nobody listens: it does not run")

// errNoSocket: a file, a FIFO or a directory in the socket's place.
var errNoSocket = errors.New("not a socket")

// Greet connects to a daemon's socket on the node, through symbolic links as the node
// follows them, and says how long the first byte of its answer took.
func (r *Root) Greet(socket string, docker bool, patience time.Duration) (time.Duration, error) {
	at, err := r.Resolve(socket)
	if err != nil {
		return 0, err
	}
	inside, err := r.inside(at)
	if err != nil {
		return 0, err
	}
	file, err := r.root.OpenFile(inside, unix.O_PATH, 0) // opens nothing but the path
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	if info.Mode().Type() != os.ModeSocket {
		return 0, errNoSocket
	}
	// By its descriptor: a socket's own path has 108 bytes at most, unix(7).
	return greet("/proc/self/fd/"+strconv.Itoa(int(file.Fd())), docker, patience)
}

func greet(address string, docker bool, patience time.Duration) (time.Duration, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, os.NewSyscallError("socket", err)
	}
	defer unix.Close(fd)
	began := time.Now()
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: address}); err != nil {
		switch {
		case errors.Is(err, unix.EAGAIN): // its backlog is full: nobody accepts
			err = errNoAnswer
		case errors.Is(err, unix.ECONNREFUSED):
			err = errNobodyListens
		}
		return 0, err
	}
	greeting := greetHTTP2
	if docker {
		greeting = greetDocker
	}
	if _, err := unix.SendmsgN(fd, greeting, nil, nil, unix.MSG_NOSIGNAL); errors.Is(err, unix.EPIPE) {
		return 0, errClosed
	} else if err != nil {
		return 0, os.NewSyscallError("sendmsg", err)
	}
	return awaitByte(fd, began, patience)
}

// awaitByte is how long after began the first byte came.
func awaitByte(fd int, began time.Time, patience time.Duration) (time.Duration, error) {
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
		if n, err = unix.Read(fd, make([]byte, 16)); err == nil && n == 0 || errors.Is(err, unix.ECONNRESET) {
			err = errClosed
		}
		return time.Since(began), err
	}
}
