module github.com/nodedoc/kubectl-nodedoc/test/bench

go 1.26.0

require (
	github.com/hanwen/go-fuse/v2 v2.9.0
	github.com/moby/sys/mountinfo v0.7.3
	github.com/nodedoc/kubectl-nodedoc v0.0.0
	github.com/prometheus/procfs v0.19.2
	k8s.io/mount-utils v0.37.2
)

require (
	github.com/go-logr/logr v1.4.3 // indirect
	golang.org/x/sys v0.49.0 // indirect
	k8s.io/klog/v2 v2.140.0 // indirect
	k8s.io/utils v0.0.0-20260626114624-be93311217bd // indirect
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730 // indirect
)

replace github.com/nodedoc/kubectl-nodedoc => ../..
