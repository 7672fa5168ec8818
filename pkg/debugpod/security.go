package debugpod

import (
	corev1 "k8s.io/api/core/v1"
)

// securityContext of the debug container. A privileged container already runs
// without seccomp, AppArmor and SELinux confinement; the minimal one must ask.
func securityContext(p Profile, server serverVersion) *corev1.SecurityContext {
	sc := &corev1.SecurityContext{
		RunAsUser:              new(int64(0)),
		RunAsNonRoot:           new(false),
		ReadOnlyRootFilesystem: new(true),
	}
	if p != ProfileMinimal {
		sc.Privileged = new(true)
		return sc
	}
	sc.Privileged = new(false)
	sc.AllowPrivilegeEscalation = new(false)
	sc.Capabilities = &corev1.Capabilities{
		Drop: []corev1.Capability{"ALL"},
		// SYS_PTRACE opens /proc/PID/{fd,root,environ,…} of other users,
		// DAC_READ_SEARCH their directories, SYSLOG the kernel's log.
		Add: []corev1.Capability{"SYS_PTRACE", "DAC_READ_SEARCH", "SYSLOG"},
	}
	sc.SELinuxOptions = &corev1.SELinuxOptions{Type: "spc_t"}
	// The default profiles of older runtimes answer openat2 and pidfd_open
	// with EPERM. Servers before 1.19 drop the field, and confine nothing
	// unless an annotation asks for it.
	if server.atLeast(1, 19) {
		sc.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	}
	if server.atLeast(1, 30) {
		sc.AppArmorProfile = &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
	}
	return sc
}
