package cmd

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/debugpod"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// sickServer is an API server with a standby on node-43 to which no stream leads; kept
// is what the node's kubelet serves, nil: nothing.
func sickServer(t *testing.T, kept []byte) *cluster {
	t.Helper()
	send := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "standby-1", Annotations: map[string]string{"nodedoc.io/version": "v0"}}, Spec: corev1.PodSpec{NodeName: "node-43", HostPID: true,
		Volumes: []corev1.Volume{{Name: "kept", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: report.KeptDir}}}}}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/selfsubjectaccessreviews"):
			send(w, authv1.SelfSubjectAccessReview{TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
				Status: authv1.SubjectAccessReviewStatus{Allowed: true}})
		case r.URL.Path == "/api/v1/pods":
			send(w, corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: []corev1.Pod{pod}})
		case strings.HasSuffix(r.URL.Path, "/attach"):
			http.Error(w, "the runtime does not answer", http.StatusInternalServerError)
		case strings.HasSuffix(r.URL.Path, "/proxy/logs/nodedoc/report.gz") && kept != nil:
			w.Header().Set("Date", "Sun, 22 Nov 2026 04:01:30 GMT")
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 04:00:00 GMT")
			_, _ = w.Write(kept)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	config := &rest.Config{Host: server.URL}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{clients: debugpod.Clients{Kube: client, REST: config}, namespace: "default"}
}

func waysOf(at *cluster, noPod error) (w *standbyWay, said *[]string) {
	said = &[]string{}
	p := newProgress(io.Discard)
	p.warned = func(s string) { *said = append(*said, s) }
	s := &source{flags: newSourceFlags(), env: env{version: "v0", kube: genericclioptions.NewConfigFlags(true)}, progress: p}
	return &standbyWay{source: s, at: at, node: "node-43", noPod: noPod}, said
}

// No pod, no stream: what was kept answers, once, and it is said why, and how old it is.
func TestKeptReportAnswersWhereNoStreamLeads(t *testing.T) {
	packed, err := report.EncodeReport(&report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind,
		Probe: report.Probe{Version: "v0", Standby: &report.Standby{Sick: []string{"containerd.sock: no answer"}}}, Node: report.Node{Hostname: "node-43"}})
	if err != nil {
		t.Fatal(err)
	}
	w, said := waysOf(sickServer(t, packed), &debugpod.ElsewhereError{Why: io.ErrNoProgress})
	r, err := w.collect(t.Context(), report.NewRequest())
	if err != nil || r.Node.Hostname != "node-43" || len(*said) != 1 {
		t.Fatalf("got %+v, %v, said %q", r, err, *said)
	}
	for _, want := range []string{io.ErrNoProgress.Error() + "; the standby in pod kube-system/standby-1 does not answer: ", "the runtime does not answer", "1m30s old (kept as the node looked sick: containerd.sock: no answer)"} {
		if !strings.Contains((*said)[0], want) {
			t.Errorf("said %q, want %q", (*said)[0], want)
		}
	}
	if _, err := w.collect(t.Context(), report.NewRequest()); err == nil || !strings.Contains(err.Error(), "that is one sample") {
		t.Errorf("a second time: %v", err)
	}
}

// Nothing answers: each way and why it fails, and the one that is left.
func TestScriptIsNamedWhereNothingAnswers(t *testing.T) {
	w, said := waysOf(sickServer(t, nil), io.ErrNoProgress)
	_, err := w.collect(t.Context(), report.NewRequest())
	if err == nil || len(*said) > 0 {
		t.Fatalf("got %v, said %q", err, *said)
	}
	for _, want := range []string{io.ErrNoProgress.Error(), "the standby in pod kube-system/standby-1 does not answer", `node "node-43" has no report of a standby`, "kubectl nodedoc script node-43"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
