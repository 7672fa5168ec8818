/*
 * The yardstick of `make bench` for mounts, and the mounts that are read.
 *
 *   mounts one            read /proc/1/mountinfo once, 4 KB at a time
 *   mounts each           that of each mount namespace
 *   mounts numbers        listmount(2) of each namespace, statmount(2) of each mount
 *   mounts make COUNT NAMESPACES DIR [containers]
 *                         be so many namespaces that each see so many mounts,
 *                         until stdin ends: copies of the host's, as of services,
 *                         or containers that mount the host's "/" at /host
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long namespaces, bytes, mounts;

static int must(int result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
	return result;
}

static void read_mountinfo(const char *pid)
{
	char path[64], buf[4096];
	ssize_t n;
	snprintf(path, sizeof path, "/proc/%s/mountinfo", pid);
	int fd = must(open(path, O_RDONLY | O_CLOEXEC), path);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		bytes += n;
	close(fd);
}

/* struct mnt_id_req of linux/mount.h */
struct request {
	uint32_t size, spare;
	uint64_t id, param, ns;
};

static void numbers(const char *pid)
{
	char path[64], answer[104];
	uint64_t ids[256];
	struct request list = { .size = sizeof list, .id = UINT64_MAX };
	snprintf(path, sizeof path, "/proc/%s/ns/mnt", pid);
	int fd = must(open(path, O_RDONLY | O_CLOEXEC), path);
	must(ioctl(fd, 0x8008b705, &list.ns), "NS_GET_MNTNS_ID");
	close(fd);
	for (long n = 256; n == 256; list.param = ids[255]) {
		n = syscall(458, &list, ids, 256, 0);
		must(n, "listmount");
		for (long i = 0; i < n; i++) {
			struct request one = { .size = sizeof one, .id = ids[i], .param = 3, .ns = list.ns };
			must(syscall(457, &one, answer, sizeof answer, 0), "statmount");
			mounts++;
		}
	}
}

/* each_namespace calls fn with one process of each. */
static void each_namespace(void (*fn)(const char *pid))
{
	static char seen[1024][32];
	DIR *proc = opendir("/proc");
	struct dirent *e;
	while (proc && (e = readdir(proc))) {
		char path[300], link[32] = "";
		long i = 0;
		snprintf(path, sizeof path, "/proc/%s/ns/mnt", e->d_name);
		if (e->d_name[0] < '0' || e->d_name[0] > '9' || readlink(path, link, sizeof link - 1) < 0)
			continue;
		while (i < namespaces && strcmp(seen[i], link))
			i++;
		if (i < namespaces || namespaces == 1024)
			continue;
		strcpy(seen[namespaces++], link);
		fn(e->d_name);
	}
}

static void make_directory(char *path)
{
	for (char *p = path + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			mkdir(path, 0755);
			*p = '/';
		}
	mkdir(path, 0755);
}

/* make_mounts: a fourth of them are staged volumes with the CSI plugin's notes,
 * the others what pods get of these. */
static void make_mounts(int count, const char *dir)
{
	char staged[PATH_MAX], path[PATH_MAX + 64];
	for (int i = 0; i < count; i++) {
		if (i % 4 == 0) {
			snprintf(staged, sizeof staged, "%s/kubelet/plugins/kubernetes.io/csi/disk.csi.example.com/%064d/globalmount", dir, i);
			make_directory(staged);
			must(mount("/dev/example", staged, "tmpfs", 0, "size=4k"), staged);
			snprintf(path, sizeof path, "%s/../vol_data.json", staged);
			FILE *notes = fopen(path, "w");
			must(notes ? 0 : -1, path);
			fprintf(notes, "{\"attachmentID\":\"csi-%060d\",\"driverName\":\"disk.csi.example.com\",\"nodeName\":\"node\",\"specVolID\":\"pvc-%d\",\"volumeHandle\":\"d-%d\",\"volumeLifecycleMode\":\"Persistent\"}", i, i, i);
			fclose(notes);
			continue;
		}
		snprintf(path, sizeof path, "%s/kubelet/pods/%08d-0000-4000-8000-000000000000/volumes/kubernetes.io~csi/pvc-%08d-0000-4000-8000-000000000000/mount", dir, i, i - i % 4);
		make_directory(path);
		must(mount(staged, path, NULL, MS_BIND, NULL), path);
	}
}

/* contain makes of a copy of the host's namespace one of a container. */
static void contain(void)
{
	must(mount("", "/", NULL, MS_REC | MS_SLAVE, NULL), "slave");
	must(mount("rootfs", "/mnt", "tmpfs", 0, NULL), "rootfs");
	must(mkdir("/mnt/host", 0755), "/mnt/host");
	must(mkdir("/mnt/proc", 0755), "/mnt/proc");
	must(mount("/", "/mnt/host", NULL, MS_BIND | MS_REC, NULL), "/mnt/host");
	must(mount("proc", "/mnt/proc", "proc", 0, NULL), "/mnt/proc");
	must(chdir("/mnt"), "/mnt");
	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount");
}

static int make(int count, int others, const char *dir, int containers)
{
	int ready[2];
	pid_t pids[1024];
	char byte;
	if (others > 1024)
		return fprintf(stderr, "no more than 1024 namespaces\n"), 2;
	make_mounts(count, dir);
	must(pipe2(ready, O_CLOEXEC), "pipe");
	for (int i = 0; i < others; i++)
		if (!(pids[i] = must(fork(), "fork"))) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			must(unshare(CLONE_NEWNS), "unshare");
			if (containers)
				contain();
			must(write(ready[1], "", 1), "pipe");
			for (;;)
				pause();
		}
	close(ready[1]);
	for (int i = 0; i < others; i++)
		must(read(ready[0], &byte, 1) == 1 ? 0 : -1, "a namespace has ended");
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (int i = 0; i < others; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	if (argc >= 5 && !strcmp(role, "make"))
		return make(atoi(argv[2]), atoi(argv[3]), argv[4], argc > 5);
	if (!strcmp(role, "one"))
		read_mountinfo("1");
	else if (!strcmp(role, "each"))
		each_namespace(read_mountinfo);
	else if (!strcmp(role, "numbers"))
		each_namespace(numbers);
	else
		return fprintf(stderr, "usage: mounts one|each|numbers, mounts make COUNT NAMESPACES DIR [containers]\n"), 2;
	printf("%ld namespaces, %ld bytes, %ld mounts\n", namespaces, bytes, mounts);
	return 0;
}
