package debugpod

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestMutations(t *testing.T) {
	type c struct {
		edit           func(p *corev1.Pod, c *corev1.Container)
		fatal, notable string
	}
	for name, c := range map[string]c{
		"nothing": {},
		"what every server adds": {edit: func(p *corev1.Pod, c *corev1.Container) {
			p.UID, p.ResourceVersion = "u", "7"
			p.Labels["pod-template"] = "x"
			p.Spec.ServiceAccountName, p.Spec.SchedulerName = "default", "default-scheduler"
			p.Spec.SecurityContext = &corev1.PodSecurityContext{}
			p.Spec.Priority = new(int32(2000001000))
			p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{Key: "node.kubernetes.io/not-ready"})
			c.TerminationMessagePath = "/dev/termination-log"
			c.SecurityContext.ProcMount = new(corev1.DefaultProcMount)
		}},
		"image":     {edit: func(_ *corev1.Pod, c *corev1.Container) { c.Image = "mirror/busybox" }, fatal: `image changed from "docker.io/library/busybox:1.36" to "mirror/busybox"`},
		"command":   {edit: func(_ *corev1.Pod, c *corev1.Container) { c.Command = []string{"wrapper"} }, fatal: "command changed"},
		"arguments": {edit: func(_ *corev1.Pod, c *corev1.Container) { c.Args = []string{"x"} }, fatal: "command changed"},
		"sidecar": {edit: func(p *corev1.Pod, _ *corev1.Container) {
			p.Spec.Containers = append([]corev1.Container{{Name: "istio-proxy"}}, p.Spec.Containers...)
		}, fatal: `container "istio-proxy" added`},
		"init container": {edit: func(p *corev1.Pod, _ *corev1.Container) {
			p.Spec.InitContainers = []corev1.Container{{Name: "vault"}}
		}, fatal: `init container "vault" added`},
		"container replaced": {edit: func(p *corev1.Pod, c *corev1.Container) { c.Name = "other" }, fatal: "container nodedoc removed"},
		"hostPID dropped":    {edit: func(p *corev1.Pod, _ *corev1.Container) { p.Spec.HostPID = false }, fatal: "hostPID changed from true to false"},
		"hostNetwork dropped": {edit: func(p *corev1.Pod, _ *corev1.Container) { p.Spec.HostNetwork = false },
			fatal: `hostNetwork changed`},
		"sent elsewhere":            {edit: func(p *corev1.Pod, _ *corev1.Container) { p.Spec.NodeName = "" }, fatal: `nodeName changed from "worker-1" to ""`},
		"sandboxed runtime":         {edit: func(p *corev1.Pod, _ *corev1.Container) { p.Spec.RuntimeClassName = new("gvisor") }, fatal: `runtimeClassName changed from nothing to "gvisor"`},
		"label dropped":             {edit: func(p *corev1.Pod, _ *corev1.Container) { delete(p.Labels, labelSession) }, fatal: "label nodedoc.io/session changed"},
		"security context dropped":  {edit: func(_ *corev1.Pod, c *corev1.Container) { c.SecurityContext = nil }, fatal: "securityContext removed"},
		"privileged dropped":        {edit: func(_ *corev1.Pod, c *corev1.Container) { c.SecurityContext.Privileged = new(false) }, fatal: "privileged changed from true to false"},
		"another user":              {edit: func(_ *corev1.Pod, c *corev1.Container) { c.SecurityContext.RunAsUser = new(int64(65534)) }, fatal: "runAsUser changed from 0 to 65534"},
		"privilege escalation open": {edit: func(_ *corev1.Pod, c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = new(true) }},
		"capabilities dropped": {edit: func(_ *corev1.Pod, c *corev1.Container) {
			c.SecurityContext.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}
		}, fatal: `capabilities changed from nothing to {"drop":["ALL"]}`},
		"stdin closed":    {edit: func(_ *corev1.Pod, c *corev1.Container) { c.Stdin = false }, fatal: `stdin changed`},
		"tmpfs unmounted": {edit: func(_ *corev1.Pod, c *corev1.Container) { c.VolumeMounts = nil }, fatal: "mount of /nodedoc removed"},
		"AlwaysPullImages": {edit: func(_ *corev1.Pod, c *corev1.Container) { c.ImagePullPolicy = corev1.PullAlways },
			notable: `imagePullPolicy changed from "Never" to "Always"`},
		"less memory": {edit: func(_ *corev1.Pod, c *corev1.Container) {
			c.Resources.Limits[corev1.ResourceMemory] = resource.MustParse("8Mi")
		}, notable: `memory limit changed from "256Mi" to "8Mi"`},
		"memory spelt otherwise": {edit: func(_ *corev1.Pod, c *corev1.Container) {
			c.Resources.Limits[corev1.ResourceMemory] = resource.MustParse("262144Ki")
		}},
		"credentials injected": {edit: func(p *corev1.Pod, c *corev1.Container) {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: "aws-iam-token"})
			c.Env = []corev1.EnvVar{{Name: "AWS_ROLE_ARN"}}
		}, notable: `volume "aws-iam-token" added`},
		"tolerations replaced": {edit: func(p *corev1.Pod, _ *corev1.Container) { p.Spec.Tolerations = nil }, notable: "toleration of every taint removed"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := pod(testSpec(nil))
			got := asked.DeepCopy()
			if c.edit != nil {
				c.edit(got, &got.Spec.Containers[0])
			}
			fatal, notable := mutations(asked, got)
			for _, x := range []struct {
				kind string
				got  []string
				want string
			}{{"fatal", fatal, c.fatal}, {"notable", notable, c.notable}} {
				found := slices.ContainsFunc(x.got, func(s string) bool { return strings.Contains(s, x.want) })
				if x.want == "" && len(x.got) > 0 || x.want != "" && !found {
					t.Errorf("%s: got %q, want %q", x.kind, x.got, x.want)
				}
			}
		})
	}
}
