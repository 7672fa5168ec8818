package correlate

import (
	"fmt"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// summary is "name count" of each row.
func summary(rows []FDRow) []string {
	var list []string
	for _, r := range rows {
		list = append(list, fmt.Sprintf("%s %d", r.Owner.Name(), r.Descriptors))
	}
	return list
}

func TestSort(t *testing.T) {
	n := Join(testNode(), testInventory())
	byGrowth := n.Rank(RankOptions{By: ByProcess, Sort: SortGrowth})
	got := summary(byGrowth.Rows[:2])
	if want := []string{"prod/hub-1 1000", "init.scope 100"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// containerd lost two, and cron was not there at the first count.
	got = summary(byGrowth.Rows[len(byGrowth.Rows)-2:])
	if want := []string{"containerd.service 200", "cron.service 9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFilter(t *testing.T) {
	inv := testInventory()
	inv.Pods[0].Labels = map[string]string{"app": "hub", "tier": "web"}
	selector := func(s string) labels.Selector {
		l, err := labels.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for name, c := range map[string]struct {
		by      By
		filter  Filter
		rows    []string
		matched string
	}{
		"a namespace":              {ByPod, Filter{Namespace: "kube-system"}, []string{"kube-system/etcd-n1 80"}, "1 of 5 -n kube-system 80"},
		"a label":                  {ByPod, Filter{Selector: selector("app=hub")}, []string{"prod/hub-1 1057"}, "1 of 5 -l app=hub 1057"},
		"without a label":          {ByPod, Filter{Selector: selector("!app")}, []string{"kube-system/etcd-n1 80"}, "1 of 5 -l !app 80"},
		"both, which exclude":      {ByPod, Filter{Namespace: "kube-system", Selector: selector("app=hub")}, nil, "0 of 5 -n kube-system -l app=hub 0"},
		"of processes":             {ByProcess, Filter{Namespace: "prod"}, []string{"prod/hub-1 1000", "prod/hub-1 50", "prod/hub-1 7"}, "3 of 8 -n prod 1057"},
		"of users, none was read":  {ByUser, Filter{Namespace: "prod"}, []string{"unknown 1057"}, "1 of 5 -n prod 1057"},
		"of a workload":            {ByWorkload, Filter{Selector: selector("tier in (web,db)")}, []string{"prod/Deployment/hub 1057"}, "1 of 5 -l tier in (db,web) 1057"},
		"the host is no namespace": {ByUnit, Filter{Namespace: "prod"}, []string{"cgroup kubepods 1057"}, "1 of 4 -n prod 1057"},
	} {
		t.Run(name, func(t *testing.T) {
			all := Join(testNode(), inv).RankFDs(c.by)
			r := Join(testNode(), inv).Rank(RankOptions{By: c.by, Filter: c.filter})
			if got := summary(r.Rows); !slices.Equal(got, c.rows) {
				t.Errorf("got %q, want %q", got, c.rows)
			}
			if got := fmt.Sprintf("%d of %d %s %d", r.Filter.Matched, r.Filter.Of, r.Filter, r.Filter.Descriptors); got != c.matched {
				t.Errorf("got %q, want %q", got, c.matched)
			}
			if r.Descriptors != all.Descriptors || r.Unread != all.Unread || all.Filter != nil {
				t.Errorf("the node's own numbers change: %+v", r)
			}
		})
	}
}

func TestByUser(t *testing.T) {
	r := testNode()
	for i, uid := range map[int]int{0: 0, 1: 0, 3: 999, 4: 999, 8: 70} {
		r.Processes.List[i].UID = new(uid)
	}
	r.Processes.Users = []report.User{{UID: 0, Name: "root"}, {UID: 70, Name: "root"}} // of one name
	ranking := Join(r, testInventory()).RankFDs(ByUser)
	var got []string
	for _, row := range ranking.Rows {
		line := fmt.Sprintf("%s %d", row.Owner.Name(), row.Descriptors)
		if row.UID != nil {
			line += fmt.Sprintf(" uid %d", *row.UID)
		}
		got = append(got, line+" "+row.HeldMostBy.Name())
	}
	want := []string{"999 1050 uid 999 prod/hub-1", "root 300 uid 0 containerd.service", "root 80 uid 70 kube-system/etcd-n1", "unknown 28 containerd.service"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// One cgroup's processes may be of two users: each is measured by itself.
	if *ranking.Rows[0].PerSecond != 50 {
		t.Errorf("got %v/s, want 50", *ranking.Rows[0].PerSecond)
	}
}

func TestByKind(t *testing.T) {
	r := testNode()
	r.Processes.List[3].FDs.Kinds = []report.Counted{{Name: "FIFO", Count: 900}, {Name: "file", Count: 100}}
	r.Processes.List[3].FDs.Targets = []report.Target{{Kind: "FIFO", Pattern: "/run/…-std*", Count: 890}, {Kind: "FIFO", Pattern: "/tmp/f", Count: 10}}
	r.Processes.List[1].FDs.Kinds = []report.Counted{{Name: "file", Count: 120}, {Name: "TCP", Count: 80}}
	ranking := Join(r, testInventory()).RankFDs(ByKind)
	var got []string
	for _, row := range ranking.Rows {
		got = append(got, fmt.Sprintf("%s %d, %d in %s", row.Owner.Name(), row.Descriptors, row.Heaviest.PID, row.HeldMostBy.Name()))
		if row.PerSecond != nil {
			t.Errorf("%s: kinds are looked up once, and have no growth", row.Owner.Name())
		}
	}
	want := []string{"FIFO 900, 21 in prod/hub-1", "not looked into 258, 1 in init.scope", "file 220, 10 in containerd.service", "TCP 80, 10 in containerd.service"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if m := ranking.Rows[0].Mostly; m == nil || m.Count != 890 {
		t.Errorf("got %+v", m)
	}
}

func TestInNoTable(t *testing.T) {
	for name, c := range map[string]struct {
		used, held uint64
		kernel     int
		want       InNoTable
	}{
		"more files than descriptors": {1000, 600, 90, InNoTable{AtLeast: 400, Percent: 40}},
		"forks share files":           {1000, 5000, 90, InNoTable{}},
		"a part of the kernel":        {1000, 600, 0, InNoTable{AtLeast: 400, Percent: 40, Partial: true}},
		"no files":                    {0, 600, 90, InNoTable{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &report.NodeReport{OpenFiles: &report.OpenFiles{Max: new(uint64(2000)), Samples: []report.FileSample{{Allocated: c.used}}},
				Processes: &report.Processes{FDMethod: "st_size", KernelThreads: c.kernel, List: []report.Process{{PID: 1, FDs: &report.FDs{Count: int(c.held)}}}}}
			if got := Join(r, nil).RankFDs(ByPod).Files.InNoTable; got == nil || *got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestFullest(t *testing.T) {
	r := testNode()
	limit := func(soft uint64) *report.FDLimit { return &report.FDLimit{Soft: &soft} }
	r.Processes.List[3].FDs.Limit = limit(100_000)
	r.Processes.List[4].FDs.Limit = limit(60)
	r.Processes.List[0].FDs.Limit = &report.FDLimit{}
	ranking := Join(r, testInventory()).RankFDs(ByPod)
	if f := ranking.Rows[0].Fullest; f == nil || f.PID != 22 || *f.Soft != 60 {
		t.Errorf("got %+v, want the one that is nearest to its limit", f)
	}
	for _, row := range ranking.Rows {
		if row.Owner.Unit == "init.scope" && (row.Fullest == nil || row.Fullest.Soft != nil || row.Fullest.Percent != 0) {
			t.Errorf("got %+v, want unlimited", row.Fullest)
		}
	}
}
