/*
 * The yardstick of `make bench`: what reading /proc costs a C program that does
 * nothing else, the crowd of processes that is read, and a stopwatch.
 *
 *   loops count|list|classify|processes|threads|namespaces   read /proc once
 *   loops crowd PROCESSES FILES THREADS DIR   be so many, until stdin ends
 *   loops hold FILE                           open it, until it is killed
 *   loops time COMMAND [ARG ...]              run it; its costs go to descriptor 3
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct record {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static int proc;
static char content[65536];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* each calls fn for every entry of a directory but "." and "..". */
static void each(int dir, char *buf, size_t size, void (*fn)(int dir, const char *name))
{
	long n;
	while ((n = syscall(SYS_getdents64, dir, buf, size)) > 0)
		for (long at = 0; at < n;) {
			struct record *r = (struct record *)(buf + at);
			at += r->size;
			if (r->name[0] != '.')
				fn(dir, r->name);
		}
}

static long processes, descriptors, bytes;
static long kinds[8];

static void classify_link(int dir, const char *name)
{
	char link[4096];
	ssize_t n = readlinkat(dir, name, link, sizeof link);
	if (n < 0)
		return;
	descriptors++;
	static const char *const prefix[] = { "socket:", "pipe:", "anon_inode:", "/dev/", "/memfd:", "/" };
	int kind = 0;
	while (kind < 6 && strncmp(link, prefix[kind], strlen(prefix[kind])))
		kind++;
	kinds[kind]++;
}

static void count_entry(int dir, const char *name)
{
	(void)dir, (void)name;
	descriptors++;
}

static void read_file(const char *pid, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s/%s", pid, name);
	int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, content, sizeof content);
	if (n > 0)
		bytes += n;
	close(fd);
}

static void count(const char *pid)
{
	char path[64];
	struct stat st;
	snprintf(path, sizeof path, "%s/fd", pid);
	if (!fstatat(proc, path, &st, 0))
		descriptors += st.st_size;
}

static void in_directory(const char *pid, const char *of, void (*fn)(int dir, const char *name))
{
	static char entries[262144];
	char path[64];
	snprintf(path, sizeof path, "%s/%s", pid, of);
	int dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	each(dir, entries, sizeof entries, fn);
	close(dir);
}

static void list(const char *pid) { in_directory(pid, "fd", count_entry); }
static void classify(const char *pid) { in_directory(pid, "fd", classify_link); }

static void process(const char *pid)
{
	read_file(pid, "stat");
	read_file(pid, "cgroup");
	read_file(pid, "cmdline");
}

static long tasks, blocked;

static void thread_stat(int dir, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s/stat", name);
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, content, sizeof content - 1);
	close(fd);
	if (n < 0)
		return;
	content[n] = 0;
	const char *end = strrchr(content, ')');
	tasks++;
	blocked += end && end[1] == ' ' && end[2] == 'D';
}

static void threads(const char *pid) { in_directory(pid, "task", thread_stat); }

static void namespaces(const char *pid)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts" };
	process(pid);
	for (int i = 0; i < 8; i++) {
		char path[64], link[64];
		snprintf(path, sizeof path, "%s/ns/%s", pid, names[i]);
		ssize_t n = readlinkat(proc, path, link, sizeof link);
		if (n > 0)
			bytes += n;
	}
}

static void (*each_process)(const char *pid);

static void visit(int dir, const char *name)
{
	(void)dir;
	if (name[0] < '0' || name[0] > '9')
		return;
	processes++;
	each_process(name);
}

static int read_proc(void (*fn)(const char *pid))
{
	static char pids[262144];
	if ((proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		die("/proc");
	each_process = fn;
	each(proc, pids, sizeof pids, visit);
	printf("%ld processes, %ld threads (%ld in D), %ld descriptors, %ld bytes\n", processes, tasks, blocked, descriptors, bytes);
	return 0;
}

static void *rest(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static int must(int result)
{
	if (result < 0)
		die("the crowd");
	return result;
}

/* member is one of the crowd: descriptors of the kinds that daemons have. */
static void member(int number, int files, int threads, const char *dir, int ready)
{
	char path[PATH_MAX];
	int pair[2];
	must(prctl(PR_SET_PDEATHSIG, SIGKILL));
	for (int i = 0; files > 0; i++)
		switch (i % 5) {
		case 0:
			must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
			files -= 2;
			break;
		case 1:
			must(pipe2(pair, O_CLOEXEC));
			files -= 2;
			break;
		case 2:
			must(eventfd(0, EFD_CLOEXEC));
			files--;
			break;
		case 3:
			snprintf(path, sizeof path, "%s/segment-%06d.log", dir, (number * 7 + files) % 500);
			must(open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
			files--;
			break;
		case 4:
			must(open("/dev/null", O_RDONLY | O_CLOEXEC));
			files--;
			break;
		}
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	while (--threads > 0) {
		pthread_t t;
		if ((errno = pthread_create(&t, &small, rest, NULL)))
			die("a thread for the crowd");
	}
	if (write(ready, "", 1) != 1)
		die("the crowd's pipe");
	rest(NULL);
}

static int crowd(int count, int files, int threads, const char *dir)
{
	int ready[2];
	char byte;
	pid_t *pids = calloc(count, sizeof *pids);
	if (!pids || pipe2(ready, O_CLOEXEC))
		die("the crowd");
	for (int i = 0; i < count; i++) {
		if ((pids[i] = fork()) < 0)
			die("fork");
		if (!pids[i])
			close(ready[0]), member(i, files - 4, threads, dir, ready[1]);
	}
	close(ready[1]);
	for (int i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1)
			die("one of the crowd has ended");
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	for (int i = 0; i < count; i++)
		kill(pids[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}

static int hold(const char *file)
{
	must(prctl(PR_SET_PDEATHSIG, SIGKILL));
	must(open(file, O_RDONLY));
	puts("ready");
	fflush(stdout);
	rest(NULL);
	return 0;
}

/* stopwatch is small on purpose: a child's peak memory counts from what its
 * parent had when it forked. */
static int stopwatch(char **command)
{
	struct timespec before, after;
	struct rusage used;
	int status;
	clock_gettime(CLOCK_MONOTONIC, &before);
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(3);
		execvp(command[0], command);
		die(command[0]);
	}
	while (wait4(pid, &status, 0, &used) < 0)
		if (errno != EINTR)
			die("wait4");
	clock_gettime(CLOCK_MONOTONIC, &after);
	dprintf(3, "%ld %ld %ld\n",
		(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec,
		(after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000, used.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	if (argc > 2 && !strcmp(role, "time"))
		return stopwatch(argv + 2);
	if (argc == 3 && !strcmp(role, "hold"))
		return hold(argv[2]);
	if (argc == 6 && !strcmp(role, "crowd"))
		return crowd(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), argv[5]);
	static const struct { const char *name; void (*fn)(const char *pid); } loops[] = {
		{ "count", count }, { "list", list }, { "classify", classify }, { "processes", process }, { "threads", threads }, { "namespaces", namespaces },
	};
	for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
		if (argc == 2 && !strcmp(role, loops[i].name))
			return read_proc(loops[i].fn);
	fprintf(stderr, "usage: loops count|list|classify|processes|threads|namespaces, loops crowd PROCESSES FILES THREADS DIR, loops hold FILE, loops time COMMAND [ARG ...]\n");
	return 2;
}
