package hostfs

import "testing"

func TestInPod(t *testing.T) {
	const uid = "93e182b4-1f00-4c6e-9d51-0242ac120002"
	for path, want := range map[string]bool{
		"/kubepods/burstable/pod" + uid + "/" + cid:                                                 true,
		"/kubepods.slice/kubepods-podx.slice/cri-containerd-" + cid + ".scope":                      true,
		"/kubepods.slice/kubepods-podx.slice/cri-containerd-" + cid + ".scope (deleted)":            true,
		"/kubepods.slice/kubepods-podx.slice/crio-" + cid + ".scope/container":                      true,
		"/kubepods.slice/kubepods-podx.slice/crio-" + cid + ".scope/crio-conmon-" + exec + ".scope": true, // made inside
		"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podx.slice/cri-containerd-" + cid:   true,
		"/docker/" + exec + "/kubelet/kubepods/podx/" + cid:                                         true,
		"/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:" + cid:                true,
		"/../../pod" + uid + "/" + cid:                                                              true,
		"/../" + cid:                                                                                true,
		"/kubepods.slice/kubepods-podx.slice/crio-conmon-" + cid + ".scope":                         false, // the host's
		"/../crio-conmon-" + cid + ".scope":                                                         false,
		"/kubepods/besteffort/pod" + uid:                                                            false,
		"/kubepods/besteffort/pod" + uid + "/kata_" + cid:                                           false, // Kata's shim lives there
		"/docker/" + cid + "/system.slice/containerd.service":                                       false, // a node in a container
		"/../../../system.slice/containerd.service":                                                 false,
		"/system.slice/containerd.service":                                                          false,
		"/machine.slice/libpod-conmon-" + cid + ".scope":                                            false,
		"/kubepods/podx/" + cid[1:]:                                                                 false,
		"/":                                                                                         false,
		"":                                                                                          false,
	} {
		if got := InPod(path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
}
