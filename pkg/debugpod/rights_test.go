package debugpod

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// granted are the rights of a file in docs/rbac, as "namespace verb group/resource".
func granted(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/rbac/" + file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	documents := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var role rbacv1.Role // a ClusterRole has rules, too
		if err := documents.Decode(&role); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		for _, rule := range role.Rules {
			for _, verb := range rule.Verbs {
				for _, resource := range rule.Resources {
					found[role.Namespace+" "+verb+" "+rule.APIGroups[0]+"/"+resource] = true
				}
			}
		}
	}
}

// What the manifests grant is what preflight asks for, neither more nor less.
func TestManifestsGrantWhatIsUsed(t *testing.T) {
	given := granted(t, "operator.yaml")
	for r := range granted(t, "standby.yaml") {
		given[r] = true
	}
	used := map[string]bool{}
	for _, r := range rights("nodedoc") {
		if r.Namespace == corev1.NamespaceNodeLease { // granted for all namespaces
			r.Namespace = ""
		}
		for _, verb := range r.Verbs {
			for _, resource := range r.Resources {
				used[r.Namespace+" "+verb+" "+r.Group+"/"+resource] = true
			}
		}
	}
	for r := range used {
		if !given[r] {
			t.Errorf("%s is used and not granted", r)
		}
	}
	for r := range given {
		if !used[r] {
			t.Errorf("%s is granted and not used", r)
		}
	}
}

// A reader has nothing by which something could be made, and nothing that an operator has not.
func TestReaderMakesNothing(t *testing.T) {
	all := granted(t, "operator.yaml")
	for r := range granted(t, "reader.yaml") {
		if !all[r] {
			t.Errorf("an operator has not %q", r)
		}
		if verb := strings.Fields(r); !slices.Contains([]string{"get", "list"}, verb[len(verb)-2]) && !strings.HasSuffix(r, " create /pods/attach") {
			t.Errorf("a reader may %q", r)
		}
	}
}

// What sessions demand is marked as required.
func TestWhatSessionsDemandIsRequired(t *testing.T) {
	required := map[string]bool{}
	for _, r := range rights("default") {
		for _, verb := range r.Verbs {
			for _, resource := range r.Resources {
				required[verb+" "+resource] = required[verb+" "+resource] || r.Required
			}
		}
	}
	for _, v := range verbs() {
		if what := v.verb + " " + v.resourceName(); required[what] == v.optional {
			t.Errorf("%s: optional %v, required %v", what, v.optional, required[what])
		}
	}
}

func TestMissingRights(t *testing.T) {
	c := newFakeCluster(t)
	c.denied["watch pods"], c.denied["get nodes/proxy"] = true, true
	var missing []string
	for _, r := range AskRights(t.Context(), c, "ops") {
		missing = append(missing, r.Missing...)
	}
	if want := []string{"watch pods", "get nodes/proxy"}; !slices.Equal(missing, want) {
		t.Errorf("got %v, want %v", missing, want)
	}
}
