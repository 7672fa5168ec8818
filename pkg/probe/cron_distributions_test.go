//go:build linux

package probe

import (
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// spaces writes those in an argument in quotes as a tree has them.
func spaces(args string) string {
	parts := strings.Split(args, `"`)
	for i := 1; i < len(parts); i += 2 {
		parts[i] = strings.ReplaceAll(parts[i], " ", `\x20`)
	}
	return strings.Join(parts, "")
}

// cronTree is a node with a cron daemon, 900, below which 910 and 920 run.
func cronTree(daemon, files, parent, child string) string {
	process := func(pid, comm, above, args string) string {
		return "-- proc/" + pid + " (process) --\ncomm " + comm + "\nparent " + above + "\nuid 0\ncgroup /system.slice/cron.service\nargs " + spaces(args) + "\n"
	}
	return "\n-- proc/uptime --\n100.00 1.00\n-- proc/1/mountinfo --\n30 1 8:1 / / rw - ext4 /dev/sda1 rw\n-- root/etc/passwd --\nroot:x:0:0:root:/root:/bin/sh\n" +
		files + process("1", "init", "0", "init") + process("900", daemon, "1", daemon) + process("910", "sh", "900", parent) + process("920", "x", "910", child)
}

// TestCronOfDistributions: by what a distribution does in its own way.
func TestCronOfDistributions(t *testing.T) {
	for name, c := range map[string]struct{ tree, want string }{
		// /var/spool/cron/crontabs is a link there, and '%' a letter like any other.
		"Alpine": {cronTree("crond", "-- root/var/spool/cron/crontabs -> /etc/crontabs --\n-- root/etc/crontabs/root --\n# do daily\n*/15\t*\t*\t*\t*\trun-parts /etc/periodic/15min\n0 2 * * * dump | gzip > /b/$(date +%F).gz\n",
			`/bin/sh -c "dump | gzip > /b/$(date +%F).gz"`, "dump"), "crond 900: /var/spool/cron/crontabs/root:3 0 2 * * * root command"},
		"Alpine's periodic": {cronTree("crond", "-- root/var/spool/cron/crontabs -> ../../../etc/crontabs --\n-- root/etc/crontabs/root --\n*/15\t*\t*\t*\t*\trun-parts /etc/periodic/15min\n",
			`run-parts /etc/periodic/15min`, "/bin/sh /etc/periodic/15min/clean"), "crond 900: /var/spool/cron/crontabs/root:1 */15 * * * * root arguments, /etc/periodic/15min/clean:0 script"},
		// cron is cronie, which takes names with dots; run-crons names no directory.
		"SUSE": {cronTree("cron", "-- root/var/spool/cron/tabs/root --\n# none\n-- root/etc/cron.d/novell.com-register --\nCRON_TZ=UTC\n-*/15 * * * * root test -x /usr/lib/cron/run-crons && /usr/lib/cron/run-crons >/dev/null 2>&1\n",
			`/bin/sh -c "test -x /usr/lib/cron/run-crons && /usr/lib/cron/run-crons >/dev/null 2>&1"`, "/bin/sh /etc/cron.daily/mlocate.cron"), "cron 900: /etc/cron.d/novell.com-register:2 */15 * * * * UTC root command, /etc/cron.daily/mlocate.cron:0 script"},
		"Debian":                        {cronTree("cron", "-- root/etc/cron.d/x.dpkg-old --\n* * * * * root job\n-- root/etc/cron.d/x --\nCRON_TZ=UTC\n* * * * * root job\n", `/bin/sh -c job`, "job"), "cron 900: /etc/cron.d/x:2 * * * * * root command"},
		"a line that works on crontabs": {cronTree("cron", "-- root/etc/cron.d/x --\n* * * * * root chmod 600 /etc/cron.d/x; sleep 9\n", `/bin/sh -c "chmod 600 /etc/cron.d/x; sleep 9"`, "chmod 600 /etc/cron.d/x"), "cron 900: /etc/cron.d/x:1 * * * * * root command"},
	} {
		t.Run(name, func(t *testing.T) {
			req := report.NewRequest(report.CollectProcesses, report.CollectBackground)
			req.PIDs = []int{920}
			r := collect(t, plant(t, c.tree), req)
			id, ok := correlate.Join(r, &inventory.Inventory{}).Whois(920)
			if got := cronText(id.Cron); !ok || got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			for _, u := range r.Background.Unreadable {
				t.Errorf("unreadable: %+v", u)
			}
		})
	}
}
