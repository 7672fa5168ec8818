package hostfs

import "strings"

// RedactLog is RedactCommand for a line of a log. The kubelet writes down the whole of
// a container that does not start (kuberuntime_manager.go); what its environment holds
// is hidden, whatever the names:
//
//	container &Container{Name:app,Env:[]EnvVar{EnvVar{Name:DB,Value:x,ValueFrom:nil,},},…
func RedactLog(line string) string {
	parts := strings.Split(line, "EnvVar{Name:")
	for i := 1; i < len(parts); i++ {
		name, value, found := strings.Cut(parts[i], ",Value:")
		if !found || strings.HasPrefix(value, ",ValueFrom:") { // it has none, or one from elsewhere
			continue
		}
		rest := ""
		if end := strings.LastIndex(value, ",ValueFrom:"); end >= 0 {
			rest = value[end:]
		}
		parts[i] = name + ",Value:" + Redacted + rest
	}
	return RedactCommand(strings.Join(parts, "EnvVar{Name:"))
}
