//go:build e2e

package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestNodeThatDoesNotExist(t *testing.T) {
	r := nodedoc(t, "fd", "nd-node-43")
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, `"nd-node-43"`) || !strings.Contains(r.stderr, "not found") && !strings.Contains(r.stderr, "no node") {
		t.Errorf("got %+v", r)
	}
}

func TestPIDThatDoesNotExist(t *testing.T) {
	r := nodedoc(t, "whois-pid", node, "4194000", "1")
	if r.code != 1 || !strings.Contains(r.stderr, "4194000") || !strings.Contains(r.stdout, "node-init(1)") {
		t.Errorf("got %+v: the missing one is an error, the other is answered", r)
	}
}

// rights are what a user needs in the pod's namespace, verb by verb.
var rights = []struct{ verb, resource string }{
	{"create", "pods"}, {"get", "pods"}, {"delete", "pods"}, {"create", "pods/attach"},
}

// TestForbiddenVerbs: each missing right is refused before anything is created,
// and named.
func TestForbiddenVerbs(t *testing.T) {
	namespace(t, "ops")
	for _, missing := range rights {
		t.Run(missing.verb+" "+missing.resource, func(t *testing.T) {
			user := "without-" + missing.verb + "-" + strings.ReplaceAll(missing.resource, "/", "-")
			grantAllBut(t, user, missing.verb, missing.resource)
			r := nodedoc(t, "fd", node, "--pod-namespace", "ops", "--as", user)
			if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, missing.verb) || !strings.Contains(r.stderr, missing.resource) {
				t.Errorf("exit code %d, stderr %q: want 1 and the missing right named", r.code, r.stderr)
			}
		})
	}
}

// TestLeastRights: with exactly these it works, and says what it cannot know.
func TestLeastRights(t *testing.T) {
	namespace(t, "ops")
	grantAllBut(t, "operator", "", "")
	r := nodedoc(t, "fd", node, "--pod-namespace", "ops", "--as", "operator", "--interval", "200ms")
	if r.code != 0 || !strings.Contains(r.stdout, "kubelet.service") {
		t.Errorf("got %+v", r)
	}
	if !strings.Contains(r.stderr, "named by the node's own files only") {
		t.Errorf("stderr %q does not say that pods of the node could not be listed", r.stderr)
	}
}

// grantAllBut gives a user all rights in namespace ops, one excepted, and to
// get nodes.
func grantAllBut(t *testing.T, user, verb, resource string) {
	t.Helper()
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: user}}
	for _, r := range rights {
		if r.verb != verb || r.resource != resource {
			role.Rules = append(role.Rules, rbacv1.PolicyRule{Verbs: []string{r.verb}, APIGroups: []string{""}, Resources: []string{r.resource}})
		}
	}
	nodes := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "e2e-" + user},
		Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"nodes"}}}}
	subjects := []rbacv1.Subject{{Kind: rbacv1.UserKind, Name: user, APIGroup: rbacv1.GroupName}}
	rbac := cluster.Client.RbacV1()
	_, err1 := rbac.Roles("ops").Create(t.Context(), role, metav1.CreateOptions{})
	_, err2 := rbac.RoleBindings("ops").Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user}, Subjects: subjects}, metav1.CreateOptions{})
	_, err3 := rbac.ClusterRoles().Create(t.Context(), nodes, metav1.CreateOptions{})
	_, err4 := rbac.ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: nodes.Name},
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: nodes.Name}, Subjects: subjects}, metav1.CreateOptions{})
	t.Cleanup(func() {
		_ = rbac.ClusterRoleBindings().Delete(context.Background(), nodes.Name, metav1.DeleteOptions{})
		_ = rbac.ClusterRoles().Delete(context.Background(), nodes.Name, metav1.DeleteOptions{})
	})
	if i := slices.IndexFunc([]error{err1, err2, err3, err4}, func(err error) bool { return err != nil }); i >= 0 {
		t.Fatal([]error{err1, err2, err3, err4}[i])
	}
}
