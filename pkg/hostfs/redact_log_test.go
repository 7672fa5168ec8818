package hostfs

import (
	"strings"
	"testing"
)

func TestRedactLog(t *testing.T) {
	for name, c := range map[string][2]string{
		"a container's environment": {
			`E1122 06:59:00.1 1 kuberuntime_manager.go:1256] container &Container{Name:app,Env:[]EnvVar{EnvVar{Name:DB,Value:hunter2,ValueFrom:nil,},EnvVar{Name:X,Value:,ValueFrom:&EnvVarSource{},},EnvVar{Name:DSN,Value:a, b,ValueFrom:hunter2,ValueFrom:nil,},},}`,
			`E1122 06:59:00.1 1 kuberuntime_manager.go:1256] container &Container{Name:app,Env:[]EnvVar{EnvVar{Name:DB,Value:‹redacted›,ValueFrom:nil,},EnvVar{Name:X,Value:,ValueFrom:&EnvVarSource{},},EnvVar{Name:DSN,Value:‹redacted›,ValueFrom:nil,},},}`},
		"one that is cut":   {`Env:[]EnvVar{EnvVar{Name:DB,Value:hunt`, `Env:[]EnvVar{EnvVar{Name:DB,Value:‹redacted›`},
		"a registry's user": {`failed to pull image "r/x": https://u:hunter2@r.example/v2/: EOF`, `failed to pull image "r/x": https://u:‹redacted›@r.example/v2/: EOF`},
		"an ordinary line":  {`"SyncLoop (PLEG): event for pod" pod="prod/web-1"`, `"SyncLoop (PLEG): event for pod" pod="prod/web-1"`},
	} {
		if got := RedactLog(c[0]); got != c[1] {
			t.Errorf("%s: got %s\nwant %s", name, got, c[1])
		}
	}
}

func FuzzRedactLog(f *testing.F) {
	f.Add("container &Container{Env:[]EnvVar{EnvVar{Name:", "A", ",ValueFrom:nil,},}")
	f.Add("", "EnvVar{Name:", ",Value:")
	f.Fuzz(func(t *testing.T, before, name, after string) {
		const secret = "hunter2hunter2"
		if strings.Contains(before+name+after, "hunter2") || strings.Contains(name, "EnvVar{") {
			return
		}
		if got := RedactLog(before + "EnvVar{Name:" + name + ",Value:" + secret + after); strings.Contains(got, secret) {
			t.Errorf("shown: %q", got)
		}
	})
}
