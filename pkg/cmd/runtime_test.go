package cmd

import "testing"

// What a user reads who mixes what does not go together.
func TestRuntimeUsage(t *testing.T) {
	const alone = "--no-pod asks the API server and the kubelet alone: --from, --local, --standby and --save do not go with it"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"runtime", "--no-pod", "--from", "x"}, alone},
		{[]string{"runtime", "n", "--no-pod", "--save", "x"}, alone},
		{[]string{"runtime", "n", "--no-pod", "--standby"}, alone},
		{[]string{"fd", "--join", "--local"}, "--join goes with --from"},
	} {
		if _, stderr, code := run(t, c.args...); code != ExitFailed || stderr != "error: "+c.want+"\n" {
			t.Errorf("%v: got %q, exit %d", c.args, stderr, code)
		}
	}
}
