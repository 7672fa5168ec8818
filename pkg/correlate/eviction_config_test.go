package correlate

import (
	"maps"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func file(text string) report.KubeletConfigFile {
	return report.KubeletConfigFile{Path: "/etc/kubelet.yaml", Text: report.Escape(text)}
}

func dropIn(text string) report.KubeletConfigFile {
	return report.KubeletConfigFile{Path: "/etc/kubelet.d/x.conf", DropIn: true, Text: report.Escape(text)}
}

func TestHardThresholdInForce(t *testing.T) {
	const nodefs = "nodefs.available: 5%"
	for name, c := range map[string]struct {
		files []report.KubeletConfigFile
		flags map[string]string
		want  string // of memory.available
	}{
		"nothing is set":                    {nil, nil, "100Mi"},
		"a file without":                    {[]report.KubeletConfigFile{file("maxPods: 7\n")}, nil, "100Mi"},
		"an empty file":                     {[]report.KubeletConfigFile{file("")}, nil, "100Mi"},
		"a file":                            {[]report.KubeletConfigFile{file("evictionHard:\n  memory.available: 500Mi\n")}, nil, "500Mi"},
		"JSON":                              {[]report.KubeletConfigFile{file(`{"evictionHard":{"memory.available":"1Gi"}}`)}, nil, "1Gi"},
		"a map without memory has none":     {[]report.KubeletConfigFile{file("evictionHard:\n  " + nodefs)}, nil, ""},
		"an empty map has none":             {[]report.KubeletConfigFile{file("evictionHard: {}\n"), dropIn("maxPods: 9")}, nil, ""},
		"but merged with the defaults":      {[]report.KubeletConfigFile{file("mergeDefaultEvictionSettings: true\nevictionHard:\n  " + nodefs)}, nil, "100Mi"},
		"a drop-in merges":                  {[]report.KubeletConfigFile{file("evictionHard:\n  memory.available: 1Gi"), dropIn("evictionHard:\n  " + nodefs)}, nil, "1Gi"},
		"the last drop-in counts":           {[]report.KubeletConfigFile{file("maxPods: 9"), dropIn("evictionHard: {memory.available: 1Gi}"), dropIn("evictionHard: {memory.available: 2Gi}")}, nil, "2Gi"},
		"a drop-in merges into defaults":    {[]report.KubeletConfigFile{dropIn("evictionHard:\n  " + nodefs)}, nil, "100Mi"},
		"a drop-in removes it":              {[]report.KubeletConfigFile{file("maxPods: 9"), dropIn("evictionHard: null")}, nil, ""},
		"flags replace":                     {[]report.KubeletConfigFile{file("evictionHard:\n  memory.available: 1Gi")}, map[string]string{"eviction-hard": "memory.available<3Gi, nodefs.available<1%"}, "3Gi"},
		"flags without it":                  {[]report.KubeletConfigFile{file("evictionHard:\n  memory.available: 1Gi")}, map[string]string{"eviction-hard": "nodefs.available<1%"}, ""},
		"an empty flag turns it off":        {nil, map[string]string{"eviction-hard": ""}, ""},
		"another flag leaves it":            {nil, map[string]string{"max-pods": "9"}, "100Mi"},
		"a name that tries to be a control": {[]report.KubeletConfigFile{file("evictionHard: {memory.available: \"\\x1b[2J\"}")}, nil, `\x1b[2J`},
	} {
		n := Join(&report.NodeReport{Kubelet: &report.Kubelet{Configs: c.files, Flags: c.flags}}, nil)
		got, source, failed := n.kubeletConfig()
		if got.EvictionHard["memory.available"] != c.want || source != FromFiles || len(failed) > 0 {
			t.Errorf("%s: got %v, %s, %v", name, got.EvictionHard, source, failed)
		}
	}
}

func TestConfigurationByFlags(t *testing.T) {
	n := Join(&report.NodeReport{Kubelet: &report.Kubelet{
		Configs: []report.KubeletConfigFile{file("systemReserved: {memory: 1Gi}\nkubeReserved: {cpu: \"1\"}\ncgroupRoot: /x\nenforceNodeAllocatable: []\n")},
		Flags: map[string]string{"eviction-soft": "memory.available<12%", "eviction-soft-grace-period": "memory.available=1m", "kube-reserved": "memory=2Gi",
			"enforce-node-allocatable": "pods,kube-reserved", "kernel-memcg-notification": "true", "kube-reserved-cgroup": "/kube"}}}, nil)
	c, _, _ := n.kubeletConfig()
	if c.EvictionSoft["memory.available"] != "12%" || c.EvictionSoftGracePeriod["memory.available"] != "1m" || c.SystemReserved["memory"] != "1Gi" ||
		!maps.Equal(c.KubeReserved, map[string]string{"memory": "2Gi"}) || len(c.EnforceNodeAllocatable) != 2 || !c.KernelMemcgNotification ||
		c.KubeReservedCgroup != "/kube" || c.CgroupRoot != "/x" {
		t.Errorf("got %+v", c)
	}
}

// configz is what is in force; it leaves out what is empty.
func TestConfigzCountsMoreThanFiles(t *testing.T) {
	r := &report.NodeReport{Kubelet: &report.Kubelet{Flags: map[string]string{"eviction-hard": "memory.available<3Gi"}}}
	c, source, _ := Join(r, &inventory.Inventory{Memory: &inventory.Memory{Config: &inventory.KubeletConfig{}}}).kubeletConfig()
	if source != FromConfigz || c.EvictionHard != nil {
		t.Errorf("got %v, %s", c.EvictionHard, source)
	}
	c, source, _ = Join(&report.NodeReport{}, &inventory.Inventory{Memory: &inventory.Memory{ConfigError: "no"}}).kubeletConfig()
	if source != FromDefaults || c.EvictionHard["memory.available"] != "100Mi" {
		t.Errorf("got %v, %s", c.EvictionHard, source)
	}
}

func TestFilesThatAreNoConfiguration(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML": "evictionHard: [", "a list": "- a\n- b\n", "of another type": "evictionHard: 7\n", "a bomb": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nevictionHard: *b\n",
	} {
		r := &report.NodeReport{Memory: &report.Memory{}, Kubelet: &report.Kubelet{Configs: []report.KubeletConfigFile{file(text), dropIn("evictionHard: {memory.available: 2Gi}")}}}
		n := Join(r, nil)
		if c, _, failed := n.kubeletConfig(); len(failed) != 1 || c.EvictionHard["memory.available"] != "2Gi" {
			t.Errorf("%s: got %+v, %v", name, c, failed)
		}
		if gaps := n.Gaps(); len(gaps) != 1 || gaps[0].What != "/etc/kubelet.yaml" {
			t.Errorf("%s: got %v", name, gaps)
		}
	}
}

func TestWhatTheKubeletWouldNotSayIsAGap(t *testing.T) {
	n := Join(&report.NodeReport{}, &inventory.Inventory{Memory: &inventory.Memory{ConfigError: "a", SummaryError: "b", EventsError: "c", NodeError: "d"}})
	if gaps := n.Gaps(); len(gaps) != 4 {
		t.Errorf("got %v", gaps)
	}
}

// FuzzKubeletFiles: a node may claim any configuration.
func FuzzKubeletFiles(f *testing.F) {
	f.Add("evictionHard: {memory.available: 5%}", "evictionHard: {memory.available: 1Gi}", "memory.available<1e9")
	f.Add("- a", "null", "")
	f.Add("{}", `{"evictionHard":null}`, "a=b<c")
	f.Fuzz(func(t *testing.T, text, drop, flag string) {
		r := nightly()
		r.Kubelet.Flags["eviction-hard"] = flag
		r.Kubelet.Configs = []report.KubeletConfigFile{file(text), dropIn(drop)}
		e := Join(r, nil).Eviction()
		for _, threshold := range e.Thresholds {
			if threshold.Bytes > 1<<62 || threshold.Grace < 0 {
				t.Errorf("got %+v", threshold)
			}
		}
	})
}
