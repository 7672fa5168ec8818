/*
 * The yardstick of `make bench` for memory.
 *
 *   memory processes      read /proc/PID/statm and status of all
 *   memory rollups        read /proc/PID/smaps_rollup of all
 *   memory cgroups DIR    read three files of each cgroup at and below DIR
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long read_files, bytes, found;
static char content[65536];

static void read_at(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, content, sizeof content - 1);
	close(fd);
	if (n < 0)
		return;
	content[n] = 0;
	read_files++;
	bytes += n;
}

static void line(const char *name)
{
	const char *at = strstr(content, name);
	if (at)
		found += strtol(at + strlen(name), NULL, 10);
}

static void process(int proc, const char *pid, int rollups)
{
	char path[64];
	if (rollups) {
		snprintf(path, sizeof path, "%s/smaps_rollup", pid);
		read_at(proc, path);
		line("Pss:");
		return;
	}
	snprintf(path, sizeof path, "%s/statm", pid);
	read_at(proc, path);
	snprintf(path, sizeof path, "%s/status", pid);
	read_at(proc, path);
	line("RssAnon:");
	line("RssFile:");
	line("RssShmem:");
}

static void processes(int rollups)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;
	while (proc && (e = readdir(proc)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
			process(dirfd(proc), e->d_name, rollups);
}

static void cgroup(int above, const char *name)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	if (fd < 0)
		return;
	read_at(fd, "memory.usage_in_bytes");
	read_at(fd, "memory.current");
	read_at(fd, "memory.stat");
	line("inactive_file ");
	read_at(fd, "memory.limit_in_bytes");
	read_at(fd, "memory.max");
	if (fstat(fd, &st) || st.st_nlink == 2) {
		close(fd);
		return;
	}
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	while (dir && (e = readdir(dir)))
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			cgroup(dirfd(dir), e->d_name);
	closedir(dir);
}

int main(int argc, char **argv)
{
	const char *role = argc > 1 ? argv[1] : "";
	if (argc == 3 && !strcmp(role, "cgroups"))
		cgroup(AT_FDCWD, argv[2]);
	else if (argc == 2 && !strcmp(role, "processes"))
		processes(0);
	else if (argc == 2 && !strcmp(role, "rollups"))
		processes(1);
	else {
		fprintf(stderr, "usage: memory processes|rollups, memory cgroups DIR\n");
		return 2;
	}
	printf("%ld files, %ld bytes, %ld\n", read_files, bytes, found);
	return 0;
}
