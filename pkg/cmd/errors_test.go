package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// What a user reads who got it wrong. "" on the right: anything.
func TestUsageErrors(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for args, want := range map[string]string{
		"fd":                                              "which node? name one (kubectl get nodes), or use --local or --from FILE",
		"fd --from=":                                      "which node? name one (kubectl get nodes), or use --local or --from FILE",
		"whois-pid":                                       "which node? name one (kubectl get nodes), or use --local or --from FILE",
		"fd n":                                            "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"cleanup":                                         "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"fd n other":                                      `unexpected argument "other": fd takes one node, and none with --local or --from`,
		"fd n --by pods":                                  `--by is one of pod, container, workload, process, unit, user, kind, not "pods"`,
		"fd n --sort size":                                `--sort is one of count, growth, not "size"`,
		"fd n --by kind --sort growth":                    "kinds are looked up once, so they have no growth to sort by: --sort growth goes with the other groupings",
		"fd n -l a==b==c":                                 "",
		"fd --local -l a=b":                               "labels are the API server's: --selector does not go with --local",
		"fd n --pid 0":                                    "--pid must be a process id, not 0",
		"fd n --pid 5 --by pod":                           "--pid shows one process: --by, --sort and --selector do not go with it",
		"fd n --samples 0":                                "--samples must be between 1 and 2500, not 0",
		"fd n --samples 2501":                             "--samples must be between 1 and 2500, not 2501",
		"fd n --samples 100 --interval 10m":               "100 samples of 10m0s take 16h40m0s, the limit is 12h0m0s: take fewer, or a shorter --interval",
		"fd --from x --watch":                             "a saved report is one sample: --samples and --watch do not go with --from",
		"fd --from x --samples 2":                         "a saved report is one sample: --samples and --watch do not go with --from",
		"fd n --top -1":                                   "--top must be 0 or more, not -1",
		"fd n --top many":                                 `invalid argument "many" for "--top" flag: strconv.ParseInt: parsing "many": invalid syntax`,
		"fd n --interval 99ms":                            "--interval must be between 100ms and 10m, not 99ms",
		"fd n --interval 10m1s":                           "--interval must be between 100ms and 10m, not 10m1s",
		"fd n --interval -1s":                             "--interval must be between 100ms and 10m, not -1s",
		"fd n --interval 5":                               `invalid argument "5" for "--interval" flag: time: missing unit in duration "5"`,
		"fd n --color blue":                               `--color is auto, always or never, not "blue"`,
		"fd n -o csv":                                     `output format "csv" is not known: use one of table, wide, html, markdown, json, yaml, kyaml, name, go-template, go-template-file, template, templatefile, jsonpath, jsonpath-as-json, jsonpath-file`,
		"fd n -o jsonpath":                                "template format specified but no template given",
		"fd n -o jsonpath={.rows[":                        "error parsing jsonpath {.rows[, unterminated array",
		"fd n --local --from x":                           `unexpected argument "n": fd takes one node, and none with --local or --from`,
		"fd --local --from x":                             "--local and --from exclude each other",
		"fd n --profile root":                             `--profile is sysadmin or minimal, not "root"`,
		"fd n --image-pull-secret s":                      "--image-pull-secret goes with --image or --probe-image",
		"fd n --image a --probe-image b":                  "--image and --probe-image exclude each other",
		"fd n --start-timeout 0s":                         "--start-timeout must be positive, not 0s",
		"fd --from does-not-exist.json":                   `failed to read the report "does-not-exist.json": open does-not-exist.json: no such file or directory`,
		"fd n --bogus":                                    "unknown flag: --bogus",
		"fd n --threshold x":                              `--threshold is NAME=VALUE, such as fd-node-limit.warning=70%, not "x"`,
		"fd n --threshold tasks-node.x=1":                 "",
		"fd n --threshold fd-node-limit.warning=0":        "--threshold: threshold fd-node-limit.warning must be 1% to 100%, not 0%",
		"whois-pid n":                                     "which process? give one or more process ids, as the node itself numbers them, or --pod, --container-id, --port or --inode",
		"whois-pid n 0":                                   `"0" is no process id`,
		"whois-pid n -- -5":                               `"-5" is no process id`,
		"whois-pid n java":                                `"java" is no process id`,
		"whois-pid n 12x":                                 `"12x" is no process id`,
		"whois-pid n 1.5":                                 `"1.5" is no process id`,
		"whois-pid n 4294967296":                          `"4294967296" is no process id`,
		"whois-pid n 99999999999999999999":                `"99999999999999999999" is no process id`,
		"whois-pid n 1 \x1b[2J":                           `"\x1b[2J" is no process id`,
		"whois-pid n 1 --local --from x":                  `"n" is no process id: with --local or --from there is no node to name`,
		"whois-pid n --port 0":                            "--pod, --container-id, --port and --inode need a value, and not 0",
		"whois-pid n --pod a/b/c":                         `--pod is NAMESPACE/NAME or a UID, not "a/b/c"`,
		"fd n --watch --samples 2":                        "--watch goes on until Ctrl-C, --samples ends by itself: give one of them",
		"whois-pid 1 --local --from x":                    "--local and --from exclude each other",
		"runtime --no-pod --from x":                       "--no-pod asks the API server and the kubelet alone: --from, --local, --standby and --save do not go with it",
		"runtime n --no-pod --save x":                     "--no-pod asks the API server and the kubelet alone: --from, --local, --standby and --save do not go with it",
		"fd --join --local":                               "--join goes with --from",
		"whois-pid n " + strings.Join(numbers(1001), " "): "1001 process ids are too many for one go, the limit is 1000",
		"tasks":                            "which node? name one (kubectl get nodes), or use --local or --from FILE",
		"tasks n":                          "no cluster is configured: set KUBECONFIG, or use --kubeconfig or --server",
		"tasks n other":                    `unexpected argument "other": tasks takes one node, and none with --local or --from`,
		"tasks n --by kind":                `--by is one of pod, container, workload, process, unit, user, not "kind"`,
		"tasks n --top -1":                 "--top must be 0 or more, not -1",
		"tasks n --interval 99ms":          "--interval must be between 100ms and 10m, not 99ms",
		"tasks n -l a==b==c":               "",
		"tasks --local -l a=b":             "labels are the API server's: --selector does not go with --local",
		"tasks --local --from x":           "--local and --from exclude each other",
		"tasks --from does-not-exist.json": `failed to read the report "does-not-exist.json": open does-not-exist.json: no such file or directory`,
		"cleanup now":                      `unknown command "now" for "kubectl nodedoc cleanup"`,
		"version now":                      `unknown command "now" for "kubectl nodedoc version"`,
		"nonsense":                         `unknown command "nonsense" for "kubectl nodedoc"`,
	} {
		t.Run(args[:min(len(args), 60)], func(t *testing.T) {
			stdout, stderr, code := run(t, strings.Fields(args)...)
			if want == "" {
				want = strings.TrimSuffix(strings.TrimPrefix(stderr, "error: "), "\n")
			}
			if stderr != "error: "+want+"\n" || code != ExitFailed || stdout != "" {
				t.Errorf("got %q, exit %d, stdout %q\nwant %q", stderr, code, stdout, "error: "+want+"\n")
			}
		})
	}
}

// Two mistakes are two lines, and a suggestion stays readable.
func TestErrorsOfSeveralLines(t *testing.T) {
	for args, want := range map[string][]string{
		"fd n --profile root --color blue": {"--profile is sysadmin or minimal", "--color is auto, always or never"},
		"fdd":                              {`unknown command "fdd"`, "Did you mean this?"},
	} {
		t.Run(args, func(t *testing.T) {
			_, stderr, code := run(t, strings.Fields(args)...)
			if code != ExitFailed || strings.Contains(stderr, `\x`) {
				t.Errorf("exit %d, %q", code, stderr)
			}
			for _, w := range want {
				if !strings.Contains(stderr, w) {
					t.Errorf("got %q, want %q in it", stderr, w)
				}
			}
		})
	}
}

func TestExitCode(t *testing.T) {
	interrupted, cancel := context.WithCancelCause(context.Background())
	cancel(errInterrupted)
	for name, c := range map[string]struct {
		ctx    context.Context
		err    error
		code   int
		stderr string
	}{
		"well":                     {context.Background(), nil, 0, ""},
		"failed":                   {context.Background(), errors.New("it broke"), 1, "error: it broke\n"},
		"said already":             {context.Background(), fmt.Errorf("x: %w", errReported), 1, ""},
		"an error with ESC":        {context.Background(), errors.New("pod \x1b[2J\u202e"), 1, "error: pod \\x1b[2J\\u202e\n"},
		"Ctrl-C":                   {interrupted, context.Canceled, 130, "interrupted\n"},
		"Ctrl-C, pod left behind":  {interrupted, errors.New("pod p may be left"), 130, "error: pod p may be left\ninterrupted\n"},
		"Ctrl-C after the answer":  {interrupted, nil, 130, "interrupted\n"},
		"API server hangs up":      {context.Background(), &net.OpError{Op: "write", Net: "tcp", Err: os.NewSyscallError("write", syscall.EPIPE)}, 1, "error: write tcp: write: broken pipe\n"},
		"reader gone and pod left": {context.Background(), errors.Join(&os.PathError{Op: "write", Path: "/dev/stdout", Err: syscall.EPIPE}, errors.New("pod p may be left")), 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			code := exitCode(c.ctx, c.err, genericiooptions.IOStreams{ErrOut: &stderr})
			if code != c.code || c.stderr != "" && stderr.String() != c.stderr {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr.String(), c.code, c.stderr)
			}
			if strings.Contains(name, "pod left") && !strings.Contains(stderr.String(), "pod p may be left") {
				t.Errorf("the pod that is left is not told of: %q", stderr.String())
			}
		})
	}
}

func numbers(most int) []string {
	var list []string
	for n := 1; n <= most; n++ {
		list = append(list, strconv.Itoa(n))
	}
	return list
}
