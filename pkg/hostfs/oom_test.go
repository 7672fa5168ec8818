package hostfs

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	podA = "/kubepods/burstable/podfe3f7a38-b3f7-48aa-8997-a697ae3d0741"
	podB = "/kubepods/besteffort/pod11111111-b3f7-48aa-8997-a697ae3d0741"
	idA  = "c7ebf4d756b284f6226cce820771afcf706a4e37afb77f052c61ece86d3b61f0"
)

func oomKills(log string) *OOMLog {
	o := &OOMLog{PageBytes: 4096, MaxKills: 1000, MaxTasks: 2}
	EachKernelLine(log, o.Add)
	return o
}

// killText is a kill in one line: what is not known is left out.
func killText(k OOMKill) string {
	s := fmt.Sprintf("%d (%s)", k.PID, k.Comm)
	number := func(name string, n *uint64) {
		if n != nil {
			s += fmt.Sprintf(" %s %d", name, *n>>10)
		}
	}
	if k.UID != nil {
		s += fmt.Sprint(" uid ", *k.UID)
	}
	number("vm", k.TotalVM)
	number("anon", k.AnonRSS)
	number("shmem", k.ShmemRSS)
	number("tables", k.PageTables)
	if k.Constraint != "" {
		s += " " + strings.TrimPrefix(k.Constraint, "CONSTRAINT_")
	}
	if k.Cgroup+k.LimitCgroup != "" {
		s += " in " + short(k.Cgroup) + " of " + short(k.LimitCgroup)
	}
	number("used", k.Usage)
	number("limit", k.Limit)
	if k.Invoker != "" {
		s += fmt.Sprintf(" by %d (%s)", k.InvokerPID, k.Invoker)
	}
	if k.Group {
		s += " group"
	}
	if k.SysRq {
		s += " sysrq"
	}
	for _, t := range k.Largest {
		s += fmt.Sprintf("; %d %s %d %d", t.PID, t.Comm, t.RSS>>12, t.ScoreAdj)
	}
	return s
}

// short is a path with 8 characters of each element.
func short(path string) string {
	e := strings.Split(path, "/")
	for i := range e {
		e[i] = e[i][:min(8, len(e[i]))]
	}
	return strings.Join(e, "/")
}

func texts(o *OOMLog) []string {
	var s []string
	for _, k := range o.Kills {
		s = append(s, killText(k))
	}
	return s
}

func TestOOMOfKernels(t *testing.T) {
	for name, want := range map[string][]string{
		"rhel7": {
			"28438 (java) vm 20255636 anon 466160 MEMCG in /kubepods/pod95387/6895a3e1 of /kubepods/pod95387 used 524288 limit 524288 by 14881 (java); 28438 java 119961 -998; 24001 pause 1 -998",
			"18001 (updatedb) uid 48 vm 3600000 anon 2799000 shmem 0 NONE by 71 (httpd); 18001 updatedb 700000 0; 612 sshd 240 -1000",
		},
		"k4": {
			"3897 (stress) vm 1579488 anon 1048132 shmem 4 MEMCG in /docker/34186d9b of /docker/34186d9b used 204800 limit 204800 by 3897 (stress); 3897 stress 262036 872; 3893 stress 22 0",
			"19388 (node) vm 22353736 anon 552020 shmem 0 MEMCG in /kubepods/burstabl/podfe3f7/c7ebf4d7 of /kubepods/burstabl/podfe3f7/c7ebf4d7 used 614400 limit 614400 by 19331 (npm start); 19388 node 138005 999; 19331 npm start 29603 999",
		},
		"k5": {
			"7134 (java) uid 1000 vm 22353736 anon 2800020 shmem 0 tables 7880 NONE in /system.s/docker-0 of  by 1666 (kubelet); 7134 java 700005 1000; 1666 kubelet 30000 -999",
			"15925 ((resolved)) uid 101 vm 168424 anon 4064 shmem 0 tables 96 NONE", // no table that often
			"88 (numa) uid 0 vm 4 anon 4 shmem 0 tables 40 MEMORY_POLICY in /user.sli of  by 0 (numa)",
			"89 (big) uid 0 vm 400 anon 40 shmem 0 tables 40 NONE in / of  by 0 (kworker/0:1) sysrq",
		},
		"k6_v1": {
			"28320 (sh) uid 0 vm 84196 anon 40584 shmem 0 tables 136 MEMCG in /kubepods/burstabl/pod4036f/3829b7fc of /kubepods/burstabl/pod4036f/3829b7fc used 40960 limit 40960 by 28320 (sh); 28320 sh 10498 999",
			"31522 (sh) uid 0 vm 84196 anon 39556 shmem 0 tables 132 MEMCG in /kubepods/burstabl/podbbdf0/9b567768 of /kubepods/burstabl/podbbdf0 used 40960 limit 40960 by 31522 (sh); 31522 sh 10237 999; 28293 pause 440 0",
		},
		"k6_group_v2": { // the kernel names the first one twice
			"626 (sh) uid 0 vm 84188 anon 37392 shmem 0 tables 124 MEMCG in /kubepods/kubepods/kubepods/cri-cont of /kubepods/kubepods/kubepods used 40960 limit 40960 by 626 (sh) group; 626 sh 9728 987; 559 pause 749 -998",
			"599 (sh) uid 0 vm 2260 anon 4 shmem 0 tables 28 MEMCG in /kubepods/kubepods/kubepods/cri-cont of /kubepods/kubepods/kubepods used 40960 limit 40960 by 626 (sh) group",
			"612 (sleep) uid 0 vm 2260 anon 4 shmem 0 tables 28 MEMCG in /kubepods/kubepods/kubepods/cri-cont of /kubepods/kubepods/kubepods used 40960 limit 40960 by 626 (sh) group",
		},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", "oom", name+".log"))
		if err != nil {
			t.Fatal(err)
		}
		compareTexts(t, name, texts(oomKills(string(b))), want)
	}
}

func compareTexts(t *testing.T, name string, got, want []string) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

const (
	taskInA = "<6>[1.0] Task in " + podA + "/" + idA + " killed as a result of limit of " + podA + "\n"
	taskInB = "<6>[1.0] Task in " + podB + " killed as a result of limit of " + podB + "\n"
	killA   = "<3>[1.1] Memory cgroup out of memory: Kill process 7 (a) score 9 or sacrifice child\n<3>[1.1] Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n"
	killB   = "<3>[1.2] Memory cgroup out of memory: Kill process 9 (b) score 9 or sacrifice child\n<3>[1.2] Killed process 9 (b) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n"
	killC   = "<3>[1.3] Memory cgroup out of memory: Kill process 11 (c) score 9 or sacrifice child\n<3>[1.3] Killed process 11 (c) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n"
	killed5 = "Memory cgroup out of memory: Killed process %d (%s) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:8kB oom_score_adj:0\n"

	shortA, shortB = "in /kubepods/burstabl/podfe3f7/c7ebf4d7 of /kubepods/burstabl/podfe3f7", "in /kubepods/besteffo/pod11111 of /kubepods/besteffo/pod11111"
)

func summary(cpuset, limit, cgroup, comm string, pid int) string {
	return fmt.Sprintf("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=%s,mems_allowed=0,oom_memcg=%s,task_memcg=%s,task=%s,pid=%d,uid=0\n", cpuset, limit, cgroup, comm, pid)
}

func TestOOMRecords(t *testing.T) {
	invoked := func(comm string) string {
		return "<4>[1.0] " + comm + " invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
	}
	member := " uid 0 vm 8 anon 4 shmem 0 tables 8 MEMCG"
	table := "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n"
	for name, c := range map[string]struct {
		log  string
		want []string
	}{
		"the beginning is gone":        {"ffff81\n" + killA, []string{"7 (a) vm 8 anon 4 MEMCG"}},
		"only the reaper's is left":    {"x\n<6>[1.0] oom_reaper: reaped process 7 (a) b), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n", []string{"7 (a) b)"}},
		"one after the other":          {invoked("a") + taskInA + killA + invoked("b") + taskInB + killB, []string{"7 (a) vm 8 anon 4 MEMCG " + shortA + " by 0 (a)", "9 (b) vm 8 anon 4 MEMCG " + shortB + " by 0 (b)"}},
		"two at once":                  {invoked("a") + invoked("b") + taskInA + taskInB + killA + killB, []string{"7 (a) vm 8 anon 4 MEMCG", "9 (b) vm 8 anon 4 MEMCG"}},
		"two of one cgroup at once":    {invoked("a") + taskInA + invoked("b") + taskInA + killA, []string{"7 (a) vm 8 anon 4 MEMCG " + shortA}},
		"a victim that was ending":     {invoked("a") + "<6>[1.0] memory: usage 4kB, limit 4kB, failcnt 1\n<6>[1.0] " + summary("c", podB, podB, "a", 9) + invoked("b") + "<6>[1.0] memory: usage 8kB, limit 8kB, failcnt 1\n<6>[1.0] " + summary("c", podA, podA+"/"+idA, "a", 7) + fmt.Sprintf(killed5, 7, "a"), []string{"7 (a)" + member + " " + shortA + " used 8 limit 8 by 0 (b)"}},
		"a second without its context": {invoked("a") + taskInA + killA + killB, []string{"7 (a) vm 8 anon 4 MEMCG " + shortA + " by 0 (a)", "9 (b) vm 8 anon 4 MEMCG"}},
		"a second of the same table":   {taskInA + "<6>[1.0] " + table + "<6>[1.0] [    7]     0     7        8        1       4        0             5 a\n<6>[1.0] [    9]     0     9        8        1       4        0             5 b\n" + killA + killB + killC, []string{"7 (a) vm 8 anon 4 MEMCG " + shortA + "; 7 a 1 5; 9 b 1 5", "9 (b) vm 8 anon 4 MEMCG in /kubepods/burstabl/podfe3f7 of ", "11 (c) vm 8 anon 4 MEMCG"}},
		"nobody was killed before":     {invoked("a") + taskInA + strings.ReplaceAll(killB, "[1.2]", "[60.0]"), []string{"9 (b) vm 8 anon 4 MEMCG"}},
		"the node after a cgroup":      {invoked("a") + taskInA + "<3>[1.1] Out of memory: Kill process 5 (x) score 1 or sacrifice child\n<3>[1.1] Killed process 5 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n", []string{"5 (x) vm 8 anon 4 NONE"}},
		"the allocating task":          {"<3>[1.0] Out of memory (oom_kill_allocating_task): Kill process 5 (x) score 0 or sacrifice child\n<3>[1.0] Killed process 5 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n", []string{"5 (x) vm 8 anon 4 NONE"}},
		"the summary of another":       {summary("c", podA, podA+"/"+idA, "a", 7) + fmt.Sprintf(killed5, 8, "b"), []string{"8 (b)" + member}},
		"a thread for its process":     {summary("c", podA, podA+"/"+idA, "a", 7) + fmt.Sprintf(killed5, 8, "a"), []string{"8 (a)" + member + " " + shortA}},
		"a process wrote it":           {"<14>[1.0] " + fmt.Sprintf(killed5, 8, "b") + "<11>" + summary("c", podA, podA, "a", 7), nil},
		"no times":                     {"<4>a invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n<6>" + table + "<6>[    7]     0     7        8        1       4        0             5 a b \n<3>" + fmt.Sprintf(killed5, 7, "a b "), []string{"7 (a b )" + member}},
		"with callers":                 {"<6>[    1.000000][    T7] " + summary("c", podA, podA+"/"+idA, "a", 7) + "<3>[    1.000000][    T7] " + fmt.Sprintf(killed5, 7, "a"), []string{"7 (a)" + member + " " + shortA}},
		"in pieces":                    {"<6>[1.0] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=c\n<6>[1.0] eth0: up\n<4>[1.0] ,mems_allowed=0,oom_memcg=\n<4>[1.0] " + podA + "\n<4>[1.0] ,task_memcg=\n<4>[1.0] " + podA + "/" + idA + "\n<4>[1.0] ,task=a,pid=7,uid=0\n<3>[1.0] " + fmt.Sprintf(killed5, 7, "a"), []string{"7 (a)" + member + " " + shortA}},
		"an older one in pieces":       {"<6>[1.0] Task in \n<4>[1.0] " + podA + "/" + idA + "\n<4>[1.0]  killed as a result of limit of \n<4>[1.0] " + podA + "\n" + killA, []string{"7 (a) vm 8 anon 4 MEMCG " + shortA}},
		"a piece that never comes":     {"<6>[1.0] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=c\n" + strings.Repeat("<6>[1.0] x\n", 20) + fmt.Sprintf(killed5, 7, "a"), []string{"7 (a)" + member}},
		"a line that was cut":          {"<3>[1.0] Killed process 7 (abc\n<6>[1.0] eth0: link is up, and more\n<3>[1.0] " + fmt.Sprintf(killed5, 9, "b"), []string{"9 (b)" + member}},
		"newlines in names":            {strings.ReplaceAll("<6>[1.0] "+summary("c", podA, podA+"/"+idA, "a\n<6>[1.0] b", 7)+"<3>[1.0] "+fmt.Sprintf(killed5, 7, "a\n<3>[1.0] b"), "\x00", ""), []string{"7 (a\nb)" + member + " " + shortA}},
		"brackets and blanks in names": {summary("c", podA, podA+"/"+idA, "a) (b,pid=1,uid", 7) + fmt.Sprintf(killed5, 7, "a) (b,pid=1,uid"), []string{"7 (a) (b,pid=1,uid)" + member + " " + shortA}},
		"names like the words":         {summary("x,mems_allowed=0,global_oom,task_memcg=y", podA, podA+"/"+idA+"/,task_memcg=/x,oom_memcg=/y", "z,task=q", 7) + fmt.Sprintf(killed5, 7, "z,task=q"), []string{"7 (z,task=q)" + member + " " + shortA[:39] + "/,task_me/x,oom_me/y of /kubepods/burstabl/podfe3f7"}},
		"a cgroup like the words":      {"<6>[1.0] Task in " + podA + "/x killed as a result of limit of /z killed as a result of limit of " + podA + "\n" + killA, []string{"7 (a) vm 8 anon 4 MEMCG in /kubepods/burstabl/podfe3f7/x killed/z of /kubepods/burstabl/podfe3f7"}},
		"not UTF-8":                    {fmt.Sprintf(killed5, 7, "\xff\x1b"), []string{"7 (\xff\x1b)" + member}},
		"RHEL 6":                       {"Killed process 215701, UID 679, (java) total-vm:8kB, anon-rss:4kB, file-rss:1232kB", []string{"215701 (java) uid 679 vm 8 anon 4"}},
		"nothing but a name":           {"Out of memory: Killed process 7 (a).", []string{"7 (a) NONE"}},
		"no kill":                      {"Killed process 0 (a) total-vm:8kB\nKilled process x (a)\nKilled process 7\nI say: Killed process 7 (a)\nMemory cgroup out of memory: OOM victim 77 (sh) is already exiting. Skip killing the task\nOut of memory and no killable processes...", nil},
		"a count below zero":           {"Killed process 7 (a) total-vm:18446744073709551612kB, anon-rss:xkB", []string{"7 (a)"}},
		"SysRq of before 4.0":          {"<6>[1.0] SysRq : Manual OOM execution\n" + invoked("kworker/1:1") + "<3>[1.0] Out of memory: Kill process 5 (x) score 1 or sacrifice child\n<3>[1.0] Killed process 5 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB\n", []string{"5 (x) vm 8 anon 4 NONE by 0 (kworker/1:1) sysrq"}},
		"a kill beside a group's":      {"<6>[1.0] " + table + "<6>[1.0] [    7]     0     7        8        1       4        0             5 a\n<3>[1.0] " + fmt.Sprintf(killed5, 7, "a") + "<6>[1.0] Tasks in " + podA + " are going to be killed due to memory.oom.group set\n<3>[1.1] " + fmt.Sprintf(killed5, 9, "b"), []string{"7 (a)" + member + " in /kubepods/burstabl/podfe3f7 of  group; 7 a 1 5", "9 (b)" + member}},
		"4.19 and a group": {invoked("a") + taskInA + "<6>[1.0] memory: usage 8kB, limit 8kB, failcnt 3\n<6>[1.0] Tasks state (memory values in pages):\n<6>[1.0] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n<6>[1.0] [      7]     0     7        8        1     4096        0             5 a\n<6>[1.0] [      8]     0     8        8        1     4096        0             5 c d\n" +
			killA + "<6>[1.1] Tasks in " + podA + " are going to be killed due to memory.oom.group set\n<3>[1.1] Killed process 7 (a) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n<3>[1.1] Killed process 8 (c d) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB\n<6>[1.2] oom_reaper: reaped process 8 (c d), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n",
			[]string{"7 (a) vm 8 anon 4 MEMCG " + shortA + " used 8 limit 8 by 0 (a) group; 7 a 1 5; 8 c d 1 5", "8 (c d) vm 8 anon 4 shmem 0 MEMCG in /kubepods/burstabl/podfe3f7 of /kubepods/burstabl/podfe3f7 used 8 limit 8 by 0 (a) group"}},
		"Amazon Linux on ECS": {"<4>[1.0] celery invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), nodemask=(null),  order=0, oom_score_adj=0\n<6>[1.0] celery cpuset=15e2 mems_allowed=0\n<4>[1.0] CPU: 1 PID: 28573 Comm: celery Not tainted 4.14.35-1.amzn2.x86_64 #1\n<6>[1.0] Task in /ecs/f209/15e2 killed as a result of limit of /ecs/f209/15e2\n<6>[1.0] memory: usage 1048576kB, limit 1048576kB, failcnt 34667727\n<6>[1.0] memory+swap: usage 1048576kB, limit 2097152kB, failcnt 0\n<6>[1.0] [ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name\n<6>[1.0] [28573]     0 28573    28100    26296      66       3        0             0 celery\n<6>[1.0] [21486]     0 21486  8506047     3590     133       6        0             0 chrome\n<3>[1.0] Memory cgroup out of memory: Kill process 28573 (celery) score 96 or sacrifice child\n<4>[1.0] dump_header: 3 callbacks suppressed\n<3>[1.0] Killed process 21486 (chrome) total-vm:34024188kB, anon-rss:14360kB, file-rss:0kB, shmem-rss:0kB\n",
			[]string{"21486 (chrome) vm 34024188 anon 14360 shmem 0 MEMCG in /ecs/f209/15e2 of /ecs/f209/15e2 used 1048576 limit 1048576 by 28573 (celery); 28573 celery 26296 0; 21486 chrome 3590 0"}},
		"a list of NUMA nodes": {"<6>[1.0] oom-kill:constraint=CONSTRAINT_CPUSET,nodemask=0,2-3,cpuset=numa,mems_allowed=0,2,global_oom,task_memcg=/x.slice/y.service,task=größe,pid=7,uid=4294967294\n<3>[1.0] Out of memory: Killed process 7 (größe) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:4294967294 pgtables:8kB oom_score_adj:0\n",
			[]string{"7 (größe) uid 4294967294 vm 8 anon 4 shmem 0 tables 8 CPUSET in /x.slice/y.servic of "}},
		"the allocating task, new":      {"<3>[1.0] Out of memory (oom_kill_allocating_task): Killed process 5 (x) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:8kB oom_score_adj:0\n", []string{"5 (x) uid 0 vm 8 anon 4 shmem 0 tables 8 NONE"}},
		"another's words for it":        {"<4>[1.0] lowmemorykiller: Killing 'x' (5), adj 900\n<6>[1.0] user: warning: Sending SIGKILL to cgroup\n<4>[1.0] Out of memory: OOM victim 5 (x) is already exiting. Skip killing the task\n", nil},
		"the group's beginning is gone": {"<6>[1.0] Tasks in " + podA + " are going to be killed due to memory.oom.group set\n<3>[1.1] " + fmt.Sprintf(killed5, 9, "b"), []string{"9 (b) uid 0 vm 8 anon 4 shmem 0 tables 8 MEMCG in /kubepods/burstabl/podfe3f7 of  group"}},
	} {
		compareTexts(t, name, texts(oomKills(c.log)), c.want)
	}
}

func TestOOMBounds(t *testing.T) {
	o := &OOMLog{PageBytes: 65536, MaxKills: 2, MaxTasks: 1}
	for pid := 1; pid < 6; pid++ {
		o.Add(KernelLine{Seconds: float64(pid), Text: fmt.Sprintf(strings.TrimSuffix(killed5, "\n"), pid, "a")})
	}
	if len(o.Kills) != 2 || o.Left != 3 || o.Kills[0].PID != 4 {
		t.Errorf("got %d kills from %d on, left %d", len(o.Kills), o.Kills[0].PID, o.Left)
	}
	var table oomTable
	for _, row := range []string{"[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name", "[ 9]     0  8     1655       22       8        0             0 x", "[ 7]     0  7     1655       23       8        0             -5  y"} {
		table.read(row, o.PageBytes, o.MaxTasks)
	}
	if want := []OOMTask{{PID: 7, Comm: " y", RSS: 23 * 65536, ScoreAdj: -5}}; !reflect.DeepEqual(table.largest, want) || !table.has(8) || !table.has(9) {
		t.Errorf("got %+v, pids %v", table.largest, table.pids)
	}
}

// FuzzOOMLog: a process that nobody wrote about was not killed, and bounds hold.
func FuzzOOMLog(f *testing.F) {
	for _, name := range []string{"rhel7", "k4", "k5", "k6_v1", "k6_group_v2"} {
		b, err := os.ReadFile(filepath.Join("testdata", "oom", name+".log"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("<6>[1.0] Task in \n/x\n killed as a result of limit of \n/\n" + killA)
	f.Add("oom-kill:constraint=,task=\n,pid=1,uid=1\n" + killB)
	f.Add("Tasks in /\n are going to be killed due to memory.oom.group set\nKilled process 1 (\n) total-vm:")
	f.Fuzz(func(t *testing.T, log string) {
		o := &OOMLog{PageBytes: 4096, MaxKills: 3, MaxTasks: 2}
		EachKernelLine(log, o.Add)
		said := strings.Count(log, "Killed process ") + strings.Count(log, "oom_reaper: reaped process ")
		if len(o.Kills) > 3 || len(o.Kills)+o.Left > said || o.Left > 0 && len(o.Kills) < 3 {
			t.Errorf("%d kills and %d left of %d", len(o.Kills), o.Left, said)
		}
		for _, k := range o.Kills {
			if k.PID <= 0 || len(k.Largest) > 2 {
				t.Errorf("got %+v", k)
			}
		}
	})
}
