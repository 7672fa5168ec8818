package unmount

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func podHolder(pod, entry string, namespace uint64, private bool) *correlate.Holder {
	return &correlate.Holder{Namespace: namespace, Private: private, Entry: entry,
		Owner: correlate.Owner{Type: correlate.OwnerPod, Namespace: "prod", Pod: pod, PodState: correlate.PodKnown, Container: "main"}}
}

// Who uses a volume of which a copy is leaked is not to be deleted for that, nor who
// receives the umount; who keeps two volumes is told once what to do.
func TestHoldersThatKeepDevices(t *testing.T) {
	keeps, receives := podHolder("keeps", "/host", 7, true), podHolder("receives", "/host", 8, false)
	root := podHolder("dead", "/host", 0, true)
	var out bytes.Buffer
	b := bufio.NewWriter(&out)
	holders(b, []correlate.Volume{
		{State: correlate.VolumeLeaked, Leaked: 1, Holders: []*correlate.Holder{root, keeps, receives}},
		{State: correlate.VolumeLeaked, Leaked: 1, Holders: []*correlate.Holder{keeps, podHolder("keeps", "/other", 7, true)}},
		{State: correlate.VolumeLive, Leaked: 1, Holders: []*correlate.Holder{podHolder("live", "/data", 9, true)}},
		{State: correlate.VolumeUnknown, Leaked: 1, Holders: []*correlate.Holder{podHolder("unknown", "/data", 10, true)}},
	})
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `
# In other mount namespaces, which an umount here does not reach:
#   prod/keeps, container main has 2 of these volumes at /host
#   prod/keeps, container main has 1 of these volumes at /other
#     if devices stay: kubectl delete pod -n prod keeps
`
	if out.String() != want {
		t.Errorf("got %s\nwant %s", out.String(), want)
	}
}

func TestNobodyHolds(t *testing.T) {
	var out bytes.Buffer
	b := bufio.NewWriter(&out)
	holders(b, []correlate.Volume{{State: correlate.VolumeLive, Leaked: 1, Holders: []*correlate.Holder{podHolder("live", "/data", 9, true)}}})
	if err := b.Flush(); err != nil || out.Len() > 0 {
		t.Errorf("got %v, %s", err, out.String())
	}
}

// A volume in use is none that nobody needs.
func TestOpeningTellsWholeVolumesFromParts(t *testing.T) {
	whole, part := correlate.Volume{State: correlate.VolumeLeaked, Leaked: 1}, correlate.Volume{State: correlate.VolumeLive, Leaked: 1}
	root, none := correlate.Volume{State: correlate.VolumeLeaked, Leaked: 9, Container: &correlate.Owner{}}, correlate.Volume{State: correlate.VolumeLive}
	for want, volumes := range map[string][]correlate.Volume{
		"# Unmounts 7 mounts that nobody needs any more on node n, by what was there at a time unknown.\n# Written":                                                                                     {root, none},
		"# Unmounts 7 mounts of 2 volumes that nobody needs any more on node n, by what was there at a time unknown.\n# Written":                                                                        {whole, root, whole, none},
		"# Unmounts 7 mounts that nobody needs any more on node n, by what was there at a time unknown.\n# Of 1 volume more, which may be in use, leaked mounts go and the others stay.\n":              {part, root},
		"# Unmounts 7 mounts of 1 volume that nobody needs any more on node n, by what was there at a time unknown.\n# Of 2 volumes more, which may be in use, leaked mounts go and the others stay.\n": {whole, part, part},
	} {
		var out bytes.Buffer
		b := bufio.NewWriter(&out)
		opening(b, Plan{Node: "n", Volumes: volumes}, 7)
		if err := b.Flush(); err != nil || !strings.HasPrefix(out.String(), "#!/bin/sh\n"+want) {
			t.Errorf("%v, got %s\nwant %s", err, out.String(), want)
		}
	}
}
