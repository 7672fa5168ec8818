//go:build linux

package probe

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/hostfs"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// The log's last word on each server counts, and only the kernel's.
func TestBlockedOnNFS(t *testing.T) {
	stack := func(pid int, text string) string {
		return fmt.Sprintf("-- proc/%d/task/%d/stack --\n%s", pid, pid, text)
	}
	got := tasksOf(t, `
-- log --
<5>[  100.000000] nfs: server nas-a not responding, still trying
<5>[  150.000000] nfs: server nas-b not responding, timed out
<5>[  160.000000] nfs: server nas-a not responding, still trying
<5>[  200.000000] nfs: server nas-b OK
<5>nfs: server nas-c not responding, still trying
<5>[  210.000000] nfs: server nas-e not responding, timed out
<5>[  910.000000] nfs: server nas-e not responding, timed out
<5>[  950.000000] nfs: server nas-e not responding, timed out
<13>[  224.000000] nfs: server nas-d not responding, still trying
-- proc/20 (process) --
comm ls
state D
-- proc/21 (process) --
comm df
state D
-- proc/22 (process) --
comm cat
state D
`+thread(20, 20, "D", "rpc_wait_bit_killable", true)+stack(20, "[<0>] rpc_wait_bit_killable+0xd/0x60 [sunrpc]\n[<0>] nfs_getattr+0x1/0x2 [nfs]\n")+
		thread(21, 21, "D", "0", true)+stack(21, "[<0>] rpc_wait_bit_killable+0xd/0x60 [sunrpc]\n[<0>] nfs_getattr+0x1/0x2 [nfs]\n")+thread(22, 22, "D", "0", true))
	stayed := got.LookedMillis
	want := []report.BlockedTask{
		{PID: 20, TID: 20, Comm: "ls", Wchan: "rpc_wait_bit_killable", StayedMillis: stayed, Stack: 1},
		{PID: 21, TID: 21, Comm: "df", StayedMillis: stayed, Stack: 1},
		{PID: 22, TID: 22, Comm: "cat", StayedMillis: stayed},
	}
	if !slices.Equal(got.Blocked, want) || !slices.Equal(got.Stacks, []string{"rpc_wait_bit_killable nfs_getattr"}) {
		t.Errorf("got %+v in %q\nwant %+v", got.Blocked, got.Stacks, want)
	}
	servers := []report.SilentServer{{Name: "nas-a", Since: new(100.0), Last: new(160.0)}, {Name: "nas-c"},
		{Name: "nas-e", Since: new(910.0), Last: new(950.0), GaveUp: true}}
	if !reflect.DeepEqual(got.SilentNFS, servers) {
		t.Errorf("got %+v", got.SilentNFS)
	}
}

// What wakes up between two looks is told, with how often.
func TestBlockedThatIsSwitchedTo(t *testing.T) {
	fs := plant(t, "\n-- proc/20 (process) --\ncomm ls\nstate D\n"+thread(20, 20, "D", "rpc_wait_bit_killable", true))
	proc, err := hostfs.OpenProc(fs)
	if err != nil {
		t.Fatal(err)
	}
	defer proc.Close()
	one := &tasks{run: run{fs: fs}, proc: proc, bad: unreadable{}, out: &report.Tasks{LookedMillis: 5}}
	one.secondLook(&blockedTask{report.BlockedTask{PID: 20, TID: 20}, hostfs.TaskLook{State: 'D', Switches: new(uint64(5))}}, nil)
	if len(one.out.Blocked) != 1 || one.out.Blocked[0].Switched != 3 || one.out.Blocked[0].StayedMillis != 0 {
		t.Errorf("got %+v", one.out.Blocked)
	}
}
