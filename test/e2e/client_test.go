//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestCredentialPluginHangs: refused in time, nothing created.
func TestCredentialPluginHangs(t *testing.T) {
	t.Parallel()
	p, x := newPlace(t, node, nil), newProxy(t, nil)
	p.kubeconfig = x.kubeconfig(t, `exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ["70"], interactiveMode: Never}`)
	r := p.fd(t, time.Minute)
	refused(t, r, "credential plugin", "did not answer within 45s")
	p.nothingCreated(t)
}

// tokens is a server's side of bearer tokens: one is valid at a time.
type tokens struct {
	mu       sync.Mutex
	valid    string
	refusals int
}

func (k *tokens) check(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	k.mu.Lock()
	ok := r.Header.Get("Authorization") == "Bearer "+k.valid
	if !ok {
		k.refusals++
	}
	k.mu.Unlock()
	if ok {
		pass.ServeHTTP(w, r)
		return
	}
	status(w, http.StatusUnauthorized, "Unauthorized", "Unauthorized")
}

// rotate writes a new token to a file and makes it the valid one.
func (k *tokens) rotate(t *testing.T, file, token string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := os.WriteFile(file+".new", []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	k.valid = token
}

// TestTokenExpiresMidRun: the plugin is asked for a new one, and the
// pod is removed with that.
func TestTokenExpiresMidRun(t *testing.T) {
	t.Parallel()
	p, k := newPlace(t, node, nil), &tokens{}
	x := newProxy(t, k.check)
	file := filepath.Join(t.TempDir(), "token")
	k.rotate(t, file, "first")
	credential := `printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}' $(cat ` + file + `)`
	p.kubeconfig = x.kubeconfig(t, fmt.Sprintf(`exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: ["-c", %q], interactiveMode: Never}`, credential))
	b := p.start(t, "fd", node, "--interval", "4s")
	p.samples(t)
	k.rotate(t, file, "second")
	r := b.end(t, time.Minute)
	answered(t, r)
	if k.refusals == 0 {
		t.Error("the old token was never refused: nothing was tested")
	}
	p.clean(t)
}

// TestStormOf429And503: Retry-After is honoured, the answer comes.
func TestStormOf429And503(t *testing.T) {
	t.Parallel()
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			refusedAt := map[string]time.Time{}
			x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				what := r.Method + " " + r.URL.Path
				mu.Lock()
				at, again := refusedAt[what]
				if !again {
					refusedAt[what] = time.Now()
				}
				mu.Unlock()
				switch {
				case !again && r.Header.Get("Upgrade") == "": // an upgrade is not tried again by client-go
					w.Header().Set("Retry-After", "1")
					status(w, code, "TooManyRequests", "come again")
					return
				case time.Since(at) < time.Second && !strings.Contains(what, "selfsubjectaccessreviews"): // six at once
					t.Errorf("%s came again after %s", what, time.Since(at))
				}
				mu.Lock()
				refusedAt[what] = time.Time{}
				mu.Unlock()
				pass.ServeHTTP(w, r)
			})
			answered(t, newPlace(t, node, nil).through(t, x).fd(t, 45*time.Second))
		})
	}
}

// TestStormThatDoesNotEnd: bounded, and the cause is named.
func TestStormThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	x := newProxy(t, func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Retry-After", "1")
		status(w, http.StatusTooManyRequests, "TooManyRequests", "the server has received too many requests")
	})
	p := newPlace(t, node, nil).through(t, x)
	refused(t, p.fd(t, time.Minute), "too many requests")
	p.nothingCreated(t)
}

// TestWatchIsClosedOrGone: the pod is read instead.
func TestWatchIsClosedOrGone(t *testing.T) {
	t.Parallel()
	isWatch := func(r *http.Request) bool { return r.URL.Query().Get("watch") != "" }
	for name, f := range map[string]http.HandlerFunc{
		"closed at once": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) },
		"410": func(w http.ResponseWriter, _ *http.Request) {
			status(w, http.StatusGone, "Expired", "too old resource version")
		},
		"410 in the stream": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintln(w, `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410}}`)
		},
		"reply lost": func(http.ResponseWriter, *http.Request) { lose() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				if isWatch(r) {
					f(w, r)
					return
				}
				pass.ServeHTTP(w, r)
			})
			answered(t, newPlace(t, node, nil).through(t, x).fd(t, 30*time.Second))
			if len(x.requests("watch=true")) == 0 {
				t.Error("no watch was tried: nothing was tested")
			}
		})
	}
}

// TestReplyOfCreateIsLost: the pod, which may come late, is found by
// its name and nonce, and removed.
func TestReplyOfCreateIsLost(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]time.Duration{"created at once": 0, "created late": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
				if !isCreate(r) {
					pass.ServeHTTP(w, r)
					return
				}
				again, body := cloneRequest(t, r)
				create := func() { pass.ServeHTTP(discard{}, again(body)) }
				if late == 0 {
					create()
				} else {
					time.AfterFunc(late, create)
				}
				lose()
			})
			p := newPlace(t, node, nil).through(t, x)
			refused(t, p.fd(t, time.Minute), "failed to create pod")
			if len(seen.of(p.namespace)) != 1 {
				t.Error("the pod never came to be: nothing was tested")
			}
		})
	}
}

// TestNodeThatIsNoLinuxMachine: refused, and why.
func TestNodeThatIsNoLinuxMachine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		node corev1.Node
		says string
	}{
		"fault-windows": {corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelOSStable: "windows"}},
			Status: corev1.NodeStatus{NodeInfo: corev1.NodeSystemInfo{OperatingSystem: "windows"}}}, "only Linux nodes"},
		"fault-virtual": {corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"type": "virtual-kubelet"}}}, "is virtual"},
		"fault-fargate": {corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"eks.amazonaws.com/compute-type": "fargate"}}}, "Fargate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fakeNode(t, name, c.node)
			p := newPlace(t, node, nil)
			refused(t, p.run(t, 20*time.Second, "fd", name), name, c.says)
			p.nothingCreated(t)
		})
	}
}

// TestManyPods: pods of other nodes are not asked for, the node's
// come from the watch cache, and what is answered is small.
func TestManyPods(t *testing.T) {
	t.Parallel()
	const pods, mostBytes = 10_000, 2 << 20 // a pod alone is more than 1 KiB
	var carried atomic.Int64
	x := newProxy(t, func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
		r.Header.Del("Accept-Encoding") // plain text can be counted
		if r.Header.Get("Upgrade") == "" {
			w = &counter{w, &carried}
		}
		pass.ServeHTTP(w, r)
	})
	p := newPlace(t, node, nil)
	manyPods(t, p.namespace, pods)
	answered(t, p.through(t, x).fd(t, 30*time.Second))
	if n := carried.Load(); n > mostBytes {
		t.Errorf("the API server answered %d bytes", n)
	}
	lists := append(x.requests("GET /api/v1/pods"), x.requests("GET /api/v1/namespaces/"+p.namespace+"/pods?")...)
	for _, list := range lists {
		ofNode := strings.Contains(list, "fieldSelector=spec.nodeName%3D"+node) && strings.Contains(list, "resourceVersion=0")
		if ours := strings.Contains(list, "labelSelector=") || strings.Contains(list, "fieldSelector=metadata.name%3D"); !ofNode && !ours {
			t.Errorf("%s asks for more than the node's pods, or not the watch cache", list)
		}
	}
	if len(x.requests("GET /api/v1/pods", "fieldSelector=spec.nodeName")) == 0 {
		t.Error("the node's pods were not listed: nothing was tested")
	}
}

// counter counts what is answered.
type counter struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// Unwrap lets net/http flush what it is.
func (c *counter) Unwrap() http.ResponseWriter { return c.ResponseWriter }
