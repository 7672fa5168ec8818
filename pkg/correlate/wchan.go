package correlate

import (
	"slices"
	"strings"
)

// wchanRule says what waiting in a kernel function, whose name begins or ends so,
// is about. Names are those of Linux 3.10 to 6.18; the compiler may append
// ".isra.0" and the like.
type wchanRule struct {
	names []string
	means string
}

// What tasks wait for, where something follows from it.
const (
	WaitsNFS     = "the NFS server"
	WaitsSMB     = "the SMB server"
	WaitsFUSE    = "the FUSE daemon"
	WaitsCeph    = "the Ceph cluster"
	Waits9P      = "the 9p server"
	WaitsFreezer = "its freezer cgroup to thaw (a paused container)"
	WaitsVfork   = "its child to exec or end (vfork)"

	// Of any filesystem's pages and threads.
	waitsDisk   = "the disk"
	waitsThread = "another kernel thread to finish"
)

func wchanRules() []wchanRule {
	return []wchanRule{
		{[]string{"rpc_wait_bit", "nfs_wait", "nfs4_", "nfs_", "nlmclnt_", "rpc_", "wait_on_commit"}, WaitsNFS},
		{[]string{"cifs_", "smb2_", "SendReceive", "wait_for_response", "compound_send_recv"}, WaitsSMB},
		{[]string{"request_wait_answer", "fuse_", "__fuse_", "wait_answer_"}, WaitsFUSE},
		{[]string{"ceph_", "rbd_", "wait_caps", "wait_request_timeout"}, WaitsCeph},
		{[]string{"p9_", "v9fs_"}, Waits9P},
		{[]string{"jbd2_", "wait_transaction_locked", "add_transaction_credits", "ext4_"}, "the disk: the filesystem's journal (ext4)"},
		{[]string{"xlog_", "xfs_", "xlog"}, "the disk: the filesystem's log (XFS)"},
		{[]string{"btrfs_", "wait_current_trans"}, "the disk (Btrfs)"},
		{[]string{"io_schedule", "bit_wait_io", "wait_on_page", "folio_wait", "__folio_lock", "sleep_on_page", "wait_on_buffer", "__wait_on_buffer",
			"blk_", "blkdev_", "submit_bio_wait", "get_request", "rq_qos_wait", "wbt_wait", "dio_", "do_blockdev_direct_IO", "iomap_dio", "sleep_on_buffer", "blk_mq_"}, waitsDisk},
		{[]string{"balance_dirty_pages", "wb_wait", "wait_sb_inodes", "sync_inodes_sb", "writeback_", "iterate_supers", "ksys_sync", "sync_filesystem"}, "the disk: dirty pages that are being written"},
		{[]string{"dm_", "md_", "raid"}, "the device mapper or RAID below"},
		{[]string{"mem_cgroup_handle_over_high"}, "memory: its cgroup is above memory.high"},
		{[]string{"mem_cgroup_oom", "throttle_direct_reclaim", "shrink_", "congestion_wait", "reclaim_"}, "memory to be reclaimed"},
		{[]string{"refrigerator", "__refrigerator", "cgroup_freeze", "cgroup_enter_frozen"}, WaitsFreezer},
		{[]string{"wait_for_vfork_done", "kernel_clone", "do_fork", "_do_fork"}, WaitsVfork},
		{[]string{"rwsem_down_", "down_read", "down_write", "__mutex_lock", "mutex_lock", "lock_rename", "percpu_rwsem", "__percpu_down"}, "a lock that another task holds"},
		{[]string{"synchronize_rcu", "__wait_rcu_gp", "rcu_barrier", "__synchronize_srcu", "synchronize_srcu"}, "the kernel to leave a critical section (RCU)"},
		{[]string{"pipe_"}, "the other end of a pipe"},
		{[]string{"flush_work", "__flush_work", "flush_workqueue", "__flush_workqueue", "wait_for_completion", "__wait_for_common"}, waitsThread},
		{[]string{"scsi_", "nvme_", "usb_", "ata_"}, "a device's driver"},
		{[]string{"zap_pid_ns_processes"}, "the processes of its pid namespace to be reaped"},
		{[]string{"exit_aio", "do_exit", "coredump_wait", "do_coredump", "wait_for_dump_helpers"}, "its own end: input/output under way, or a core dump"},
	}
}

// WaitsFor is what an operator should look at where tasks wait in this kernel
// function; "" where no rule says.
func WaitsFor(wchan string) string {
	for _, r := range wchanRules() {
		for _, name := range r.names {
			if strings.HasPrefix(wchan, name) {
				return r.means
			}
		}
	}
	return ""
}

// Remotes are the servers and daemons of filesystems that tasks wait for.
func Remotes() []string { return []string{WaitsNFS, WaitsSMB, WaitsFUSE, WaitsCeph, Waits9P} }

// waitsOf is WaitsFor, and what the stack adds, the functions that it came through: a
// page that is waited for is one of any filesystem, and only its own functions tell
// which. Where the kernel does not say in which function it waits, that is the first.
func waitsOf(wchan string, stack []string) (in, means string) {
	if wchan == "" && len(stack) > 0 {
		wchan = stack[0]
	}
	means = WaitsFor(wchan)
	if means != "" && means != waitsDisk && means != waitsThread {
		return wchan, means
	}
	for _, name := range stack {
		if of := WaitsFor(name); slices.Contains(Remotes(), of) {
			return wchan, of
		}
	}
	return wchan, means
}
