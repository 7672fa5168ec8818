//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	authv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/nodedoc/kubectl-nodedoc/pkg/printer"
)

// rightsNamespace is that of docs/rbac.
const rightsNamespace = "nodedoc"

// nodedocAs runs the plugin as somebody of whom docs/rbac knows the group only.
func nodedocAs(t *testing.T, group string, args ...string) result {
	t.Helper()
	namespace := "--pod-namespace"
	if args[0] == "cleanup" { // which has no other one
		namespace = "-n"
	}
	return run(t, plugin(append(slices.Clone(args), "--as", "jane", "--as-group", group, namespace, rightsNamespace)...))
}

// applyManifests makes what files of docs/rbac have, and removes it again.
func applyManifests(t *testing.T, files ...string) {
	t.Helper()
	namespace(t, rightsNamespace)
	for _, file := range files {
		text, err := os.ReadFile("../../docs/rbac/" + file)
		if err != nil {
			t.Fatal(err)
		}
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil {
				err = applyOne(t, document)
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
	}
}

func applyOne(t *testing.T, document []byte) error {
	t.Helper()
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return err
	}
	rbac, o := cluster.Client.RbacV1(), metav1.CreateOptions{}
	switch x := object.(type) {
	case *corev1.Namespace: // made already, but for its labels
		made, getErr := cluster.Client.CoreV1().Namespaces().Get(t.Context(), x.Name, metav1.GetOptions{})
		if getErr != nil {
			return getErr
		}
		made.Labels = x.Labels
		_, err = cluster.Client.CoreV1().Namespaces().Update(t.Context(), made, metav1.UpdateOptions{})
	case *rbacv1.Role:
		_, err = rbac.Roles(x.Namespace).Create(t.Context(), x, o)
	case *rbacv1.RoleBinding:
		_, err = rbac.RoleBindings(x.Namespace).Create(t.Context(), x, o)
	case *rbacv1.ClusterRole:
		t.Cleanup(func() { _ = rbac.ClusterRoles().Delete(context.Background(), x.Name, metav1.DeleteOptions{}) })
		_, err = rbac.ClusterRoles().Create(t.Context(), x, o)
	case *rbacv1.ClusterRoleBinding:
		t.Cleanup(func() { _ = rbac.ClusterRoleBindings().Delete(context.Background(), x.Name, metav1.DeleteOptions{}) })
		_, err = rbac.ClusterRoleBindings().Create(t.Context(), x, o)
	default:
		return errors.New("what is this?")
	}
	return err
}

// preflightAs waits for the API server to know of changed rights.
func preflightAs(t *testing.T, group, what string, ok func(printer.Preflight, result) bool) {
	t.Helper()
	eventually(t, what, 20*time.Second, func() bool {
		r := nodedocAs(t, group, "preflight", node, "-o", "json")
		var p printer.Preflight
		decode(t, result{stdout: r.stdout}, &p)
		return ok(p, r)
	})
}

func missingRights(p printer.Preflight) (missing []string) {
	for _, r := range p.Rights {
		missing = append(missing, r.Missing...)
	}
	return missing
}

// With exactly the rights of docs/rbac/operator.yaml all ways by a pod work, and no
// answer lacks what a right would have told.
func TestOperatorsRights(t *testing.T) {
	applyManifests(t, "operator.yaml", "standby.yaml")
	preflightAs(t, "nodedoc-operators", "an operator lacks nothing", func(p printer.Preflight, r result) bool {
		return p.OK && r.code == 0 && len(missingRights(p)) == 0
	})
	before := traces(t)
	for _, args := range [][]string{
		{"fd", node}, {"checkup", node}, {"mounts", node}, {"memory", node, "--interval", "200ms"},
		{"record", node, "--for", "5m", "--every", "1s"}, {"history", node}, {"record", "--stop", node}, {"cleanup"},
	} {
		r := nodedocAs(t, "nodedoc-operators", args...)
		if said := r.stdout + r.stderr; r.code != 0 || r.stdout == "" || strings.Contains(said, "forbidden") || strings.Contains(said, "may not") {
			t.Errorf("%v: exit code %d: %s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	noNewTraces(t, before)
	t.Run("one taken away", operatorWithout)
}

// operatorWithout takes rights away, one after another: preflight names each.
func operatorWithout(t *testing.T) {
	roles := cluster.Client.RbacV1().Roles(rightsNamespace)
	whole, err := roles.Get(t.Context(), "nodedoc-operator", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		verb, resource string
		required       bool
	}{{"delete", "pods", true}, {"create", "pods/attach", true}, {"get", "pods/log", false}} {
		less := whole.DeepCopy()
		less.ResourceVersion = ""
		for i, rule := range less.Rules {
			if rule.Resources[0] == c.resource {
				less.Rules[i].Verbs = slices.DeleteFunc(rule.Verbs, func(v string) bool { return v == c.verb })
			}
		}
		less.Rules = slices.DeleteFunc(less.Rules, func(r rbacv1.PolicyRule) bool { return len(r.Verbs) == 0 })
		if _, err := roles.Update(t.Context(), less, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		what := c.verb + " " + c.resource
		preflightAs(t, "nodedoc-operators", what+" is named", func(p printer.Preflight, r result) bool {
			return slices.Equal(missingRights(p), []string{what}) && p.OK == !c.required && (r.code == 0) == p.OK
		})
	}
}

// A shell completes nodes and namespaces: kubectl calls it so, see docs/usage.md.
func TestCompletionAsksTheCluster(t *testing.T) {
	for words, want := range map[string]string{
		"fd nd-node-":             node + "\n",
		"checkup " + node + " nd": *sickNode + "\n",
		"fd x --pod-namespace k":  "kube-system\n",
	} {
		r := run(t, plugin(append([]string{"__complete"}, strings.Fields(words)...)...))
		if r.code != 0 || !strings.Contains("\n"+r.stdout, "\n"+want) || !strings.HasSuffix(r.stdout, ":4\n") {
			t.Errorf("%s: %+v", words, r)
		}
	}
}

// A reader is answered by a standby, and can make nothing anywhere.
func TestReadersRights(t *testing.T) {
	applyManifests(t, "operator.yaml", "standby.yaml", "reader.yaml")
	preflightAs(t, "nodedoc-operators", "an operator lacks nothing", func(p printer.Preflight, _ result) bool { return len(missingRights(p)) == 0 })
	t.Cleanup(func() {
		if r := run(t, plugin("standby", "uninstall", "--pod-namespace", rightsNamespace)); r.code != 0 {
			t.Errorf("uninstall: %+v", r)
		}
	})
	r := nodedocAs(t, "nodedoc-operators", "standby", "install", "-l", "kubernetes.io/hostname="+node)
	if r.code != 0 || !strings.Contains(r.stdout, "a standby runs on 1 of 1 nodes") {
		t.Fatalf("install as operator: %+v", r)
	}
	preflightAs(t, "nodedoc-readers", "preflight points a reader to the standby", func(p printer.Preflight, r result) bool {
		return p.OK && r.code == 0 && strings.Contains(p.Verdict, "by its standby only")
	})
	for _, args := range [][]string{{"fd", node}, {"tasks", node}} {
		r := nodedocAs(t, "nodedoc-readers", append(args, "--standby")...)
		if r.code != 0 || !strings.Contains(r.stdout, "kubelet.service") || strings.Contains(r.stdout+r.stderr, "forbidden") {
			t.Errorf("%v: exit code %d: %s%s", args, r.code, r.stdout, r.stderr)
		}
	}
	before := traces(t)
	r = nodedocAs(t, "nodedoc-readers", "fd", node) // finds its way by itself
	if r.code != 0 || !strings.Contains(r.stderr, "you may not create pods") || !strings.Contains(r.stderr, "the answer comes from the standby") {
		t.Errorf("without --standby: %+v", r)
	}
	noNewTraces(t, before)
	readersMakeNothing(t)
}

func readersMakeNothing(t *testing.T) {
	t.Helper()
	config := rest.CopyConfig(cluster.REST)
	config.Impersonate = rest.ImpersonationConfig{UserName: "jane", Groups: []string{"nodedoc-readers"}}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	for _, namespace := range []string{rightsNamespace, "default", "kube-system"} {
		review, err := client.AuthorizationV1().SelfSubjectRulesReviews().Create(t.Context(),
			&authv1.SelfSubjectRulesReview{Spec: authv1.SelfSubjectRulesReviewSpec{Namespace: namespace}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range review.Status.ResourceRules {
			asking := slices.Equal(rule.Resources, []string{"pods/attach"}) && namespace == rightsNamespace ||
				strings.HasPrefix(rule.Resources[0], "self") // everybody may review the own rights
			harmless := !slices.ContainsFunc(rule.Verbs, func(v string) bool { return v != "get" && v != "list" })
			if !asking && !harmless {
				t.Errorf("in %s a reader may %v", namespace, rule)
			}
		}
	}
}
