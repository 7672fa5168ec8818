package incidents

import (
	"context"
	"strconv"
)

// Job has a node's own scheduler start a command, soon and until it is undone.
type Job func(ctx context.Context, c *Cluster, u *Undo, node, command string) error

// The line that CronJob writes.
const (
	CronFile = "/etc/cron.d/mlocate"
	CronLine = 3
)

// CronJob has Debian's cron start it with the next minute, one at a time.
func CronJob(ctx context.Context, c *Cluster, u *Undo, node, command string) error {
	u.onNode(c, node, "rm -f "+CronFile)
	// Its session is opened by PAM, of whose modules the node needs none.
	if _, err := c.OnNode(ctx, node, "sh", "-ec", `mkdir -p /etc/cron.d /etc/pam.d /var/spool/cron/crontabs
for t in auth account session; do echo "$t required pam_permit.so"; done >/etc/pam.d/cron
cat >"$1" <<EOF
# The names of all files, for locate(1)
PATH=/usr/sbin:/usr/bin:/sbin:/bin
* * * * * root flock -n /run/mlocate.lock $2
EOF
chmod 644 "$1"`, "sh", CronFile, command); err != nil {
		return err
	}
	pid, err := c.Daemon(ctx, node, "cron", "cron.service", "become", "cron", "-f")
	if err != nil {
		return err
	}
	// With what it has started, which lives in its cgroup.
	u.onNode(c, node, `kill -KILL `+strconv.Itoa(pid)+` || true
for try in $(seq 50); do
  left=$(cat /sys/fs/cgroup/systemd/`+node+`/system.slice/cron.service/cgroup.procs /sys/fs/cgroup/`+node+`/system.slice/cron.service/cgroup.procs 2>/dev/null || true)
  [ -n "$left" ] || exit 0
  kill -KILL $left || true
  sleep 0.1
done
exit 1`)
	return nil
}

// TimerUnit is the unit of TimerJob's timer and service.
const TimerUnit = "plocate-updatedb"

// TimerJob has systemd's daily timer for updatedb start it, which believes that it
// has missed a day.
func TimerJob(ctx context.Context, c *Cluster, u *Undo, node, command string) error {
	const dropIns = "/run/systemd/system/" + TimerUnit
	u.onNode(c, node, "rm -rf "+dropIns+".*.d; systemctl daemon-reload; systemctl stop "+TimerUnit+".service; systemctl restart "+TimerUnit+".timer")
	_, err := c.OnNode(ctx, node, "sh", "-ec", `mkdir -p "$1.service.d" "$1.timer.d"
printf '[Service]\nExecStart=\nExecStart=%s\n' "$2" >"$1.service.d/e2e.conf"
printf '[Timer]\nRandomizedDelaySec=0\nAccuracySec=1s\n' >"$1.timer.d/e2e.conf"
systemctl daemon-reload
systemctl stop "$3.timer"
touch -d '2 days ago' "/var/lib/systemd/timers/stamp-$3.timer"
systemctl start "$3.timer"`, "sh", dropIns, command, TimerUnit)
	return err
}
