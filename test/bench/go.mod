module github.com/nodedoc/kubectl-nodedoc/test/bench

go 1.26.0

require (
	github.com/hanwen/go-fuse/v2 v2.9.0
	github.com/nodedoc/kubectl-nodedoc v0.0.0
	github.com/prometheus/procfs v0.19.2
)

require (
	golang.org/x/sys v0.49.0 // indirect
	sigs.k8s.io/json v0.0.0-20250730193827-2d320260d730 // indirect
)

replace github.com/nodedoc/kubectl-nodedoc => ../..
