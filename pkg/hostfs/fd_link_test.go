package hostfs

import (
	"strings"
	"testing"
)

var (
	cid  = "82414f376d1f" + strings.Repeat("0a1b", 13)
	exec = "5e1f" + strings.Repeat("c0de", 15)
)

func TestParseFDLink(t *testing.T) {
	for link, want := range map[string]FDLink{
		"socket:[40231]":                              {Kind: "socket", Pattern: "socket:[…]"},
		"pipe:[40231]":                                {Kind: "pipe", Pattern: "pipe:[…]"},
		"anon_inode:[eventpoll]":                      {Kind: "epoll", Pattern: "anon_inode:[eventpoll]"},
		"anon_inode:inotify":                          {Kind: "inotify", Pattern: "anon_inode:inotify"},
		"anon_inode:bpf-map":                          {Kind: "BPF", Pattern: "anon_inode:bpf-map"},
		"anon_inode:[io_uring]":                       {Kind: "io_uring", Pattern: "anon_inode:[io_uring]"},
		"anon_inode:bpf_link":                         {Kind: "BPF", Pattern: "anon_inode:bpf_link"},
		"anon_inode:btf":                              {Kind: "BPF", Pattern: "anon_inode:btf"},
		"anon_inode:[perf_event]":                     {Kind: "perf", Pattern: "anon_inode:[perf_event]"},
		"anon_inode:[eventfd]":                        {Kind: "eventfd", Pattern: "anon_inode:[eventfd]"},
		"anon_inode:[timerfd]":                        {Kind: "timerfd", Pattern: "anon_inode:[timerfd]"},
		"anon_inode:[signalfd]":                       {Kind: "signalfd", Pattern: "anon_inode:[signalfd]"},
		"anon_inode:[fanotify]":                       {Kind: "fanotify", Pattern: "anon_inode:[fanotify]"},
		"anon_inode:[userfaultfd]":                    {Kind: "userfaultfd", Pattern: "anon_inode:[userfaultfd]"},
		"anon_inode:[pidfd]":                          {Kind: "pidfd", Pattern: "anon_inode:[pidfd]"}, // before 6.9
		"anon_inode:seccomp notify":                   {Kind: "seccomp notify", Pattern: "anon_inode:seccomp notify"},
		"anon_inode:kvm-vcpu:3":                       {Kind: "KVM", Pattern: "anon_inode:kvm-vcpu:…"},
		"anon_inode:kvm-vm":                           {Kind: "KVM", Pattern: "anon_inode:kvm-vm"},
		"/dmabuf:":                                    {Kind: "dmabuf", Pattern: "/dmabuf:"},
		"/run/netns/cni-1":                            {Kind: "namespace", Pattern: "/run/netns/cni-1"},
		"/var/run/docker/netns/1a2b3c4d5e6f":          {Kind: "namespace", Pattern: "/var/run/docker/netns/…"},
		"/run/systemd/sessions/c1.ref":                {Kind: "FIFO", Pattern: "/run/systemd/sessions/c1.ref"},
		"/dev/pts/3 (deleted)":                        {Kind: "device", Pattern: "/dev/pts/3 (deleted)"},
		"/dev/shm/db (deleted)":                       {Kind: "deleted file", Pattern: "/dev/shm/db"},
		"/":                                           {Kind: "file", Pattern: "/"},
		"/\x00\x04":                                   {Kind: "directory", Pattern: "/"},
		"/etc\x00\x04":                                {Kind: "directory", Pattern: "/etc"},
		"/gone (deleted)\x00\x04":                     {Kind: "directory", Pattern: "/gone (deleted)"},
		"/app/in\x00\x01":                             {Kind: "FIFO", Pattern: "/app/in"},
		"/app/in (deleted)\x00\x01":                   {Kind: "FIFO", Pattern: "/app/in (deleted)"},
		"/app/log (deleted)\x00\x08":                  {Kind: "deleted file", Pattern: "/app/log"},
		"/dev/sda1\x00\x06":                           {Kind: "block device", Pattern: "/dev/sda1"},
		"/dev/null\x00\x02":                           {Kind: "character device", Pattern: "/dev/null"},
		"/dev/notes\x00\x08":                          {Kind: "file", Pattern: "/dev/notes"},
		"/run/x.sock\x00\x0c":                         {Kind: "socket file", Pattern: "/run/x.sock"},
		"/run/netns/cni-2\x00\x08":                    {Kind: "namespace", Pattern: "/run/netns/cni-2"},
		"/memfd:x (deleted)\x00\x08":                  {Kind: "memfd", Pattern: "/memfd:x"},
		"/type/yet/to/come\x00\x0f":                   {Kind: "file", Pattern: "/type/yet/to/come"},
		"/no/type\x00":                                {Kind: "file", Pattern: "/no/type"},
		"/secretmem (deleted)":                        {Kind: "secretmem", Pattern: "/secretmem"},
		"/secretmem":                                  {Kind: "file", Pattern: "/secretmem"},
		"/data/.nfs000000000a1b2c3d00000012":          {Kind: "file", Pattern: "/data/.nfs…"},
		"/data/.nfs00000000000000000000001g":          {Kind: "file", Pattern: "/data/.nfs00000000000000000000001g"},
		"/x (deleted) (deleted)":                      {Kind: "deleted file", Pattern: "/x (deleted)"}, // its name says so, too
		"/memfd:runc_cloned:/proc/self/exe (deleted)": {Kind: "memfd", Pattern: "/memfd:runc_cloned:/proc/self/exe"},
		"anon_inode:kvm-vcpu-stats:0":                 {Kind: "KVM", Pattern: "anon_inode:kvm-vcpu-stats:…"},
		"anon_inode:[kvm-gmem]":                       {Kind: "KVM", Pattern: "anon_inode:[kvm-gmem]"},
		"anon_inode:sync_file":                        {Kind: "sync_file", Pattern: "anon_inode:sync_file"},
		"/dmabuf:system":                              {Kind: "dmabuf", Pattern: "/dmabuf:system"},
		"(unreachable)/x":                             {Kind: "other", Pattern: "(unreachable)/x"},
		"/run/containerd/io.containerd.runtime.v2.task/k8s.io/." + cid + "/log (deleted)": {Kind: "deleted file", Pattern: "/run/containerd/io.containerd.runtime.v2.task/k8s.io/.…/log"},
		"anon_inode:":                        {Kind: "anon_inode", Pattern: "anon_inode:"},
		"net:[4026531840]":                   {Kind: "namespace", Pattern: "net:[…]"},
		"pidfd:[17]":                         {Kind: "pidfd", Pattern: "pidfd:[…]"},
		"/memfd:x (deleted)":                 {Kind: "memfd", Pattern: "/memfd:x"},
		"/dev/null":                          {Kind: "device", Pattern: "/dev/null"},
		"/dev/pts/3":                         {Kind: "device", Pattern: "/dev/pts/3"},
		"/dev/shm/db":                        {Kind: "file", Pattern: "/dev/shm/db"},
		"/var/log/app.log":                   {Kind: "file", Pattern: "/var/log/app.log"},
		"/var/log/app.log (deleted)":         {Kind: "deleted file", Pattern: "/var/log/app.log"},
		"/data/seg-000123.log":               {Kind: "file", Pattern: "/data/seg-….log"},
		"/run/docker/containerd/x/exec-file": {Kind: "file", Pattern: "/run/docker/containerd/x/exec-file"},
		"":                                   {Kind: "other", Pattern: ""},
		":[1]":                               {Kind: "other", Pattern: ":[1]"},
	} {
		t.Run(link, func(t *testing.T) {
			got := ParseFDLink(link)
			if short := ParseFDLink(string(WithoutInode([]byte(link)))); short != got {
				t.Errorf("%+v without the inode, %+v with it", short, got)
			}
			if got.Kind != want.Kind || got.Pattern != want.Pattern || got.FIFO != nil {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestSocketInode(t *testing.T) {
	for link, want := range map[string]uint32{"socket:[40231]": 40231, "socket:[4294967295]": 1<<32 - 1,
		"socket:[0]": 0, "socket:[4294967296]": 0, "socket:[]": 0, "socket:[7": 0, "socket:[-7]": 0, "pipe:[7]": 0, "": 0} {
		if got, ok := SocketInode([]byte(link)); ok != (want != 0) || ok && got != want {
			t.Errorf("%q: got %d %v, want %d", link, got, ok, want)
		}
	}
}

func TestParseStdioFIFO(t *testing.T) {
	for name, c := range map[string]struct {
		path string
		want StdioFIFO
	}{
		"docker exec":                {"/run/docker/containerd/" + cid + "/" + exec + "-stdout", StdioFIFO{ContainerID: cid, Exec: true}},
		"docker exec via /var/run":   {"/var/run/docker/containerd/" + cid + "/" + exec + "-stderr", StdioFIFO{ContainerID: cid, Exec: true}},
		"docker's container itself":  {"/run/docker/containerd/" + cid + "/init-stdout", StdioFIFO{ContainerID: cid, Init: true}},
		"docker before 17.12":        {"/run/docker/libcontainerd/" + cid + "/" + exec + "-stdin", StdioFIFO{ContainerID: cid, Exec: true}},
		"docker with userns-remap":   {"/var/run/docker.231072.231072/libcontainerd.231072.231072/" + cid + "/init-stdin", StdioFIFO{ContainerID: cid, Init: true}},
		"docker without root":        {"/run/user/1000/docker/containerd/" + cid + "/" + exec + "-stdout", StdioFIFO{ContainerID: cid, Exec: true}},
		"containerd's CRI":           {"/run/containerd/io.containerd.grpc.v1.cri/containers/" + cid + "/io/1234567/" + cid + "-stdout", StdioFIFO{ContainerID: cid}},
		"k3s":                        {"/run/k3s/containerd/io.containerd.grpc.v1.cri/containers/" + cid + "/io/99/" + cid + "-stderr", StdioFIFO{ContainerID: cid}},
		"another client, no id told": {"/run/containerd/fifo/345/build-7-stdout", StdioFIFO{}},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := ParseStdioFIFO(c.path)
			if !ok || got.Session == "" {
				t.Fatalf("not recognized: %+v", got)
			}
			if got.Session = ""; got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
	for _, no := range []string{"", "-stdout", "/tmp/x-stdout", "/run/docker/containerd/" + cid + "/-stdout", "/run/docker/containerd/" + cid + "/x-stdlog", "/containerd/x"} {
		if f, ok := ParseStdioFIFO(no); ok {
			t.Errorf("%q is none, got %+v", no, f)
		}
	}
}

func TestFold(t *testing.T) {
	const uid = "93e182b4-1f00-4c6e-9d51-0242ac120002"
	for in, want := range map[string]string{
		"/run/docker/containerd/" + cid + "/" + exec + "-stdout":                  "/run/docker/containerd/…-stdout",
		"/var/lib/kubelet/pods/" + uid + "/volumes/kubernetes.io~csi/pvc-1/mount": "/var/lib/kubelet/pods/…/volumes/kubernetes.io~csi/pvc-1/mount",
		"/lib/x86_64-linux-gnu/libc-2.36.so":                                      "/lib/x86_64-linux-gnu/libc-2.36.so",
		"/data/" + uid + "/" + uid + "/x":                                         "/data/…/x",
		"/data/" + strings.ToUpper(uid):                                           "/data/…",
		"/tmp/feedface":                                                           "/tmp/feedface", // a word, no digit
		"/größe/日本/12":                                                            "/größe/日本/12",
		"/log.2024":                                                               "/log.…",
		"":                                                                        "",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseFDLink(f *testing.F) {
	f.Add("/run/docker/containerd/" + cid + "/" + exec + "-stdout")
	f.Add("pipe:[1]")
	f.Add("/…/…/\xff123")
	f.Add("/a/.nfs000000000a1b2c3d00000012 (deleted)")
	f.Add("anon_inode:kvm-vcpu-stats:0")
	f.Add("/app/in (deleted)\x00\x01")
	f.Fuzz(func(t *testing.T, link string) {
		l := ParseFDLink(link)
		if l.Kind == "" {
			t.Fatalf("%q has no kind", link)
		}
		if short := ParseFDLink(string(WithoutInode([]byte(link)))); short.Kind != l.Kind || short.Pattern != l.Pattern {
			t.Fatalf("%q is %+v, without its inode %+v", link, l, short)
		}
		if l.FIFO != nil && l.FIFO.Init && l.FIFO.Exec {
			t.Fatalf("%q is both the container's and an exec's", link)
		}
	})
}
