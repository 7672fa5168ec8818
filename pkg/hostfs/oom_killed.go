package hostfs

import "strings"

// parseOOMKilled parses the line of the kill itself, and says whose limit it was,
// where it does.
//
//	Killed process 215701, UID 679, (java) total-vm:11017300kB, anon-rss:7152432kB, file-rss:1232kB     RHEL 6 and 7
//	Killed process 28438 (java), UID 0, total-vm:20255636kB, anon-rss:466160kB, file-rss:13684kB, shmem-rss:0kB
//	Killed process 28438 (java) total-vm:20255636kB, anon-rss:466160kB, file-rss:13684kB, shmem-rss:0kB  to 5.1
//	Memory cgroup out of memory: Killed process 7 (a b) total-vm:84196kB, anon-rss:40584kB, file-rss:1408kB, shmem-rss:0kB, UID:0 pgtables:136kB oom_score_adj:999
func parseOOMKilled(text string) (constraint string, k OOMKill, ok bool) {
	constraint, rest, ok := cutOOMMessage(text, "Killed process ")
	if !ok {
		return "", k, false
	}
	who, sizes := rest, ""
	if at := strings.LastIndex(rest, " total-vm:"); at >= 0 {
		who, sizes = rest[:at], rest[at:]
	}
	open, end := strings.IndexByte(who, '('), strings.LastIndexByte(who, ')')
	if open < 0 || end < open {
		return "", k, false
	}
	k.Comm = who[open+1 : end]
	number, uid, _ := strings.Cut(who[:open], ",")
	if k.PID, ok = parsePID([]byte(strings.TrimSpace(number))); !ok {
		return "", k, false
	}
	if _, uid, ok := strings.Cut(uid+who[end+1:], " UID "); ok {
		k.UID = parseOOMInt(strings.TrimRight(uid, ", "))
	}
	k.sizes(sizes)
	return constraint, k, true
}

func (k *OOMKill) sizes(text string) {
	for _, field := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }) {
		switch name, value, _ := strings.Cut(field, ":"); name {
		case "total-vm":
			k.TotalVM = parseOOMKiB(value)
		case "anon-rss":
			k.AnonRSS = parseOOMKiB(value)
		case "file-rss":
			k.FileRSS = parseOOMKiB(value)
		case "shmem-rss":
			k.ShmemRSS = parseOOMKiB(value)
		case "pgtables":
			k.PageTables = parseOOMKiB(value)
		case "UID":
			k.UID = parseOOMInt(value)
		case "oom_score_adj":
			k.ScoreAdj = parseOOMInt(value)
		}
	}
	// 5.4 before its eighth update writes kB behind bytes: whole pages of these, and
	// more than tables of such an address space have.
	if p := k.PageTables; p != nil && k.TotalVM != nil && *p%(4096*1024) == 0 && *p > *k.TotalVM/256 {
		*p /= 1024
	}
}
