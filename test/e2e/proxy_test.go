//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"k8s.io/client-go/rest"
)

// proxy stands before the API server and does to requests what networks, load
// balancers and API servers in trouble do. Everybody who comes through it is
// the administrator; impersonation works.
type proxy struct {
	server   *httptest.Server
	upstream *url.URL
	tls      *tls.Config
	plain    *httputil.ReverseProxy

	mu    sync.Mutex
	fault fault
	seen  []string // requests, as "METHOD path?query", in order

	dark  atomic.Bool  // nothing passes any more, and nobody is told
	limit atomic.Int64 // of bytes of upgraded streams, both ways; 0: none
	limitAction
	carried   atomic.Int64 // bytes of upgraded streams so far
	delivered atomic.Int64 // how many these were when the client had sent much for the last time
	closed    chan struct{}
}

// limitAction is what happens to a stream at the limit.
type limitAction int

const (
	cutStream    limitAction = iota // both sides see its end
	resetStream                     // the client sees a reset
	freezeStream                    // half open: nobody sees anything
)

// fault handles a request, or passes it on.
type fault func(w http.ResponseWriter, r *http.Request, pass http.Handler)

func newProxy(t *testing.T, f fault) *proxy {
	t.Helper()
	upstream, err := url.Parse(cluster.REST.Host)
	if err != nil {
		t.Fatal(err)
	}
	config, err := rest.TLSConfigFor(cluster.REST)
	if err != nil {
		t.Fatal(err)
	}
	config.NextProtos = []string{"http/1.1"}
	x := &proxy{upstream: upstream, tls: config, fault: f, closed: make(chan struct{})}
	x.plain = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(upstream); r.Out.Header.Del("Authorization") },
		Transport:     &http.Transport{TLSClientConfig: config},
		FlushInterval: -1, // a watch is read as it is written
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	x.server = httptest.NewUnstartedServer(x)
	x.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	x.server.StartTLS()
	t.Cleanup(func() {
		close(x.closed)
		x.server.CloseClientConnections()
		x.server.Close()
	})
	return x
}

// kubeconfig for a user with these credentials, in YAML.
func (x *proxy) kubeconfig(t *testing.T, user string) string {
	t.Helper()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.server.Certificate().Raw})
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: %q, certificate-authority-data: %s}}], users: [{name: u, user: {%s}}]}`,
		x.server.URL, base64.StdEncoding.EncodeToString(authority), user)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (x *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	x.seen = append(x.seen, r.Method+" "+r.URL.String())
	f := x.fault
	x.mu.Unlock()
	if r.Header.Get("Upgrade") == "" {
		// Only when the body is read does net/http notice that a client leaves.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	switch {
	case x.dark.Load():
		x.hang(r)
	case f != nil:
		f(w, r, http.HandlerFunc(x.pass))
	default:
		x.pass(w, r)
	}
}

func (x *proxy) setFault(f fault) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.fault = f
}

// requests are those so far that contain all parts.
func (x *proxy) requests(parts ...string) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found []string
	for _, r := range x.seen {
		ok := true
		for _, part := range parts {
			ok = ok && strings.Contains(r, part)
		}
		if ok {
			found = append(found, r)
		}
	}
	return found
}

// hang answers nothing until the client or the test is gone.
func (x *proxy) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-x.closed:
	}
}

// lose drops the client's connection without an answer.
func lose() { panic(http.ErrAbortHandler) }

func (x *proxy) pass(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		x.plain.ServeHTTP(w, r)
		return
	}
	server, err := tls.Dial("tcp", x.upstream.Host, x.tls)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer server.Close()
	r.Header.Del("Authorization")
	if err := r.Write(server); err != nil {
		return
	}
	client, early, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	x.splice(client, early.Reader, server)
}

// splice carries bytes both ways until one side ends or the limit is reached.
func (x *proxy) splice(client net.Conn, fromClient *bufio.Reader, server net.Conn) {
	ended := make(chan bool, 2)
	carry := func(to net.Conn, from interface{ Read([]byte) (int, error) }) {
		buffer := make([]byte, 16<<10)
		for {
			n, err := from.Read(buffer)
			if x.dark.Load() {
				return // and nobody is told
			}
			total := x.carried.Add(int64(n))
			if to == server && n > 4<<10 {
				x.delivered.Store(total)
			}
			over := int64(0)
			if limit := x.limit.Load(); limit > 0 {
				over = min(max(0, total-limit), int64(n))
			}
			if _, failed := to.Write(buffer[:int64(n)-over]); failed != nil || err != nil {
				ended <- false
				return
			}
			if over > 0 {
				if x.limitAction != freezeStream {
					ended <- true
				}
				return
			}
		}
	}
	go carry(server, fromClient)
	go carry(client, server)
	select {
	case limited := <-ended:
		if raw, ok := client.(*tls.Conn); limited && ok && x.limitAction == resetStream {
			_ = raw.NetConn().(*net.TCPConn).SetLinger(0)
			_ = raw.NetConn().Close()
		}
	case <-x.closed:
	}
}

// isPod tells requests for pods of a name or for their collection.
func isPod(r *http.Request, method string) bool {
	return r.Method == method && strings.Contains(r.URL.Path, "/pods")
}

// isCreate tells the pod's creation, dry runs apart.
func isCreate(r *http.Request) bool {
	return isPod(r, http.MethodPost) && strings.HasSuffix(r.URL.Path, "/pods") && r.URL.Query().Get("dryRun") == ""
}

func isDryRun(r *http.Request) bool {
	return isPod(r, http.MethodPost) && r.URL.Query().Get("dryRun") != ""
}
func isAttach(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/attach") }
func isDelete(r *http.Request) bool { return isPod(r, http.MethodDelete) }

// status answers as the API server does.
func status(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":%q,"reason":%q,"code":%d}`, message, reason, code)
}
