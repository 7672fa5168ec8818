package incidents

import (
	"context"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// NFSServer is a program on a node that serves a directory to it by NFSv3, with one
// file, "shared".
type NFSServer struct {
	cluster   *Cluster
	node, pid string
}

const (
	nfsServerProgram = "/opt/nfsserver"
	nfsServerPort    = "20490"
)

// StartNFS starts one, the only one of its node. What is mounted of it is to be
// unmounted by steps of u that are added later: they find it alive.
func (c *Cluster) StartNFS(ctx context.Context, u *Undo, node string) (*NFSServer, error) {
	s := &NFSServer{cluster: c, node: node}
	u.onNode(c, node, "rm -f "+nfsServerProgram)
	if err := c.CopyToNode(ctx, node, filepath.Join(c.Tools, "nfsserver"), nfsServerProgram); err != nil {
		return nil, err
	}
	u.Add(func(ctx context.Context) error { return s.signal(ctx, "KILL") })
	out, err := c.OnNode(ctx, node, "sh", "-ec", `modprobe nfsv3
: >/run/nfsserver.$$
setsid "$1" 127.0.0.1:"$2" >>/run/nfsserver.$$ 2>&1 </dev/null &
until grep -q ready /run/nfsserver.$$; do kill -0 $!; sleep 0.1; done
rm /run/nfsserver.$$
echo $!`, "sh", nfsServerProgram, nfsServerPort)
	s.pid = strings.TrimSpace(out)
	return s, err
}

// Hang has it accept connections from now on, and answer nothing. Whoever asks it
// waits.
func (s *NFSServer) Hang(ctx context.Context) error { return s.signal(ctx, "STOP") }

// Answer ends that, and all who wait go on.
func (s *NFSServer) Answer(ctx context.Context) error { return s.signal(ctx, "CONT") }

func (s *NFSServer) signal(ctx context.Context, name string) error {
	if s.pid == "" {
		return nil
	}
	_, err := s.cluster.OnNode(ctx, s.node, "kill", "-"+name, s.pid)
	return err
}

// mountOptionsNFS are for a node without rpcbind, and without mount.nfs, which would
// find out the addresses.
func mountOptionsNFS() []string {
	return []string{"vers=3", "proto=tcp", "nolock", "addr=127.0.0.1", "port=" + nfsServerPort, "mountproto=tcp", "mountaddr=127.0.0.1", "mountport=" + nfsServerPort}
}

// Volume is its directory as a PersistentVolume that the kubelet mounts. Nothing of
// it is remembered on the node, and the kernel says after two seconds that the server
// does not answer.
func (s *NFSServer) Volume() corev1.PersistentVolumeSpec {
	return corev1.PersistentVolumeSpec{
		PersistentVolumeSource: corev1.PersistentVolumeSource{NFS: &corev1.NFSVolumeSource{Server: "127.0.0.1", Path: "/"}},
		MountOptions:           append(mountOptionsNFS(), "hard", "noac", "lookupcache=none", "timeo=10", "retrans=1"),
	}
}

// SharedNFS starts pods that share a server's volume, each of which reads the
// file there again and again, in a process that has it as its working directory.
// Claim and volume have one name.
func (c *Cluster) SharedNFS(ctx context.Context, u *Undo, s *NFSServer, node, namespace, name string, pods ...string) error {
	if err := c.Volume(ctx, u, namespace, name, s.Volume()); err != nil {
		return err
	}
	u.Add(func(ctx context.Context) error { return c.forgetPods(ctx, node, namespace) })
	u.Add(s.Answer) // who waits is released, and the kubelet unmounts
	starting := map[string]corev1.PodSpec{}
	for _, pod := range pods {
		starting[pod] = WithClaim(PodSpec(node, Container("main", "sh", "-c", `cd "$0" && while read -r line <shared; do sleep 0.2; done`, "/"+name)), name)
	}
	return c.startPods(ctx, namespace, starting)
}
