//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
	registration "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/nodedoc/kubectl-nodedoc/test/incidents"
)

const webhookName = "faults.nodedoc.test"

// webhookFor limits a webhook to one namespace: other tests run beside it.
func webhookFor(p place) (registration.RuleWithOperations, *metav1.LabelSelector) {
	return registration.RuleWithOperations{
		Operations: []registration.OperationType{registration.Create},
		Rule:       registration.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
	}, &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: p.namespace}}
}

func validatingWebhook(t *testing.T, p place, url string, timeoutSeconds int32) {
	t.Helper()
	rule, namespaces := webhookFor(p)
	hooks := cluster.Client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	_, err := hooks.Create(t.Context(), &registration.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: p.namespace},
		Webhooks: []registration.ValidatingWebhook{{
			Name: webhookName, ClientConfig: registration.WebhookClientConfig{URL: &url}, Rules: []registration.RuleWithOperations{rule},
			FailurePolicy: new(registration.Fail), NamespaceSelector: namespaces, SideEffects: new(registration.SideEffectClassNone),
			TimeoutSeconds: &timeoutSeconds, AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hooks.Delete(context.Background(), p.namespace, metav1.DeleteOptions{}) })
	awaitWebhook(t, p, func(err error) bool { return err != nil && strings.Contains(err.Error(), webhookName) })
}

// mutatingWebhook serves one that patches pods of the place, also those of a
// dry run or only the others.
func mutatingWebhook(t *testing.T, p place, patch string, dryRunToo bool) {
	t.Helper()
	var called atomic.Bool
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		called.Store(true)
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if dryRunToo || review.Request.DryRun == nil || !*review.Request.DryRun {
			review.Response.Patch, review.Response.PatchType = []byte("["+patch+"]"), new(admissionv1.PatchTypeJSONPatch)
		}
		review.Request = nil
		_ = json.NewEncoder(w).Encode(review)
	}))
	t.Cleanup(server.Close)
	rule, namespaces := webhookFor(p)
	hooks := cluster.Client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	_, err := hooks.Create(t.Context(), &registration.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: p.namespace},
		Webhooks: []registration.MutatingWebhook{{
			Name: webhookName, Rules: []registration.RuleWithOperations{rule},
			ClientConfig: registration.WebhookClientConfig{URL: &server.URL,
				CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})},
			FailurePolicy: new(registration.Fail), NamespaceSelector: namespaces, SideEffects: new(registration.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hooks.Delete(context.Background(), p.namespace, metav1.DeleteOptions{}) })
	awaitWebhook(t, p, func(error) bool { return called.Load() })
}

// awaitWebhook waits for the API server to know of a webhook.
func awaitWebhook(t *testing.T, p place, effective func(error) bool) {
	t.Helper()
	trial := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "trial"}, Spec: incidents.PodSpec(p.node, incidents.Container("main", "/actor"))}
	eventually(t, "webhook works", time.Minute, func() bool {
		_, err := cluster.Client.CoreV1().Pods(p.namespace).Create(t.Context(), trial, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return effective(err)
	})
}

// blackHole takes connections and never says anything.
func blackHole(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func quota(t *testing.T, p place, spec corev1.ResourceQuotaSpec) {
	t.Helper()
	quotas := cluster.Client.CoreV1().ResourceQuotas(p.namespace)
	if _, err := quotas.Create(t.Context(), &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "full-of-faults"}, Spec: spec}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "quota is counted", 30*time.Second, func() bool {
		q, err := quotas.Get(t.Context(), "full-of-faults", metav1.GetOptions{})
		return err == nil && len(q.Status.Hard) == len(spec.Hard)
	})
}

// withoutCritical forbids critical pods in a place.
func withoutCritical(t *testing.T, p place) {
	t.Helper()
	quota(t, p, corev1.ResourceQuotaSpec{Hard: resources("pods", "0"), ScopeSelector: &corev1.ScopeSelector{
		MatchExpressions: []corev1.ScopedResourceSelectorRequirement{{
			ScopeName: corev1.ResourceQuotaScopePriorityClass, Operator: corev1.ScopeSelectorOpIn, Values: []string{"system-node-critical"},
		}}}})
}

// resources from name, quantity, name, quantity, ….
func resources(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}
