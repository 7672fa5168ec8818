//go:build e2e

package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// TestHTTPSProxy: client-go's WebSocket cannot pass a proxy that is
// spoken to by TLS; SPDY can.
func TestHTTPSProxy(t *testing.T) {
	t.Parallel()
	var tunnels atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tunnels.Add(1)
		tunnel(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	p := newPlace(t, node, nil)
	// The kubeconfig's authority is asked about the proxy as well.
	authorities := slices.Concat(bytes.TrimSpace(cluster.REST.CAData), []byte("\n"),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	encode := base64.StdEncoding.EncodeToString
	p.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
clusters: [{name: c, cluster: {server: %q, proxy-url: %q, certificate-authority-data: %s}}],
users: [{name: u, user: {client-certificate-data: %s, client-key-data: %s}}]}`,
		cluster.REST.Host, server.URL, encode(authorities), encode(cluster.REST.CertData), encode(cluster.REST.KeyData))
	if err := os.WriteFile(p.kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	answered(t, p.fd(t, 30*time.Second))
	if tunnels.Load() == 0 {
		t.Error("the proxy was never used: nothing was tested")
	}
}

// tunnel serves CONNECT.
func tunnel(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	ended := make(chan error, 2)
	go func() { _, err := io.Copy(there, here); ended <- err }()
	go func() { _, err := io.Copy(here, there); ended <- err }()
	<-ended
}
