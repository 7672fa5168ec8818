package logs

import (
	"testing"
	"time"
)

// What daemons of distributions and versions write, by its oddity.
func TestParseOddities(t *testing.T) {
	utc := time.Date(2026, 11, 22, 6, 35, 56, 0, time.UTC)
	for name, c := range map[string]struct {
		line, level, message string
		at                   time.Time
		local                bool
	}{
		"k0s wraps the kubelet's klog":      {`time="2026-11-22 06:35:56" level=info msg="E1122 06:35:55.123456    2156 kubelet.go:2400] \"Skipping pod synchronization\" err=\"PLEG\"" component=kubelet`, Error, `"Skipping pod synchronization" err="PLEG"`, time.Date(0, 11, 22, 6, 35, 55, 123456e3, time.UTC), true},
		"k0s wraps containerd's logrus":     {`time="2026-11-22 06:35:56" level=info msg="time=\"2026-11-22T06:35:56Z\" level=warning msg=\"cleanup \\\"a\\\"\"" component=containerd`, Warning, `cleanup "a"`, utc, false},
		"k0s, a line of a stack":            {`time="2026-11-22 06:35:56" level=info msg="\tmain.go:302 +0x1a5" component=kubelet`, Info, `\tmain.go:302 +0x1a5 component="kubelet"`, utc, true},
		"k0s, an empty line":                {`time="2026-11-22 06:35:56" level=info component=kubelet`, Info, `component="kubelet"`, utc, true},
		"logrus without times":              {`level=error msg="no time"`, Error, "no time", time.Time{}, false},
		"slog":                              {`time=2026-11-22T06:35:56Z level=ERROR msg="it failed" err=why`, Error, `it failed err="why"`, utc, false},
		"logrus as JSON":                    {`{"error":"no \"such\"","level":"warning","msg":"cleanup","time":"2026-11-22T06:35:56Z"}`, Warning, `cleanup error="no \"such\""`, utc, false},
		"logrus as JSON, with nanoseconds":  {`{"level":"info","msg":"m","time":"2026-11-22T06:35:56.000000000Z"}`, Info, "m", utc, false},
		"JSON of the kubelet, an error":     {`{"ts":1795329356000.0,"caller":"a.go:1","msg":"it failed","pod":"x"}`, Error, "it failed", utc, false},
		"JSON of the kubelet, no error":     {`{"ts":1795329356000.0,"caller":"a.go:1","msg":"it goes on","v":0}`, Info, "it goes on", utc, false},
		"JSON of the kubelet, seconds":      {`{"ts":1795329356.0,"caller":"a.go:1","msg":"m","v":4}`, Info, "m", utc, false},
		"JSON of zap, a text for a time":    {`{"level":"error","ts":"2026-11-22T06:35:56.000Z","msg":"m","error":"why"}`, Error, `m error="why"`, utc, false},
		"JSON of zap, a zone without colon": {`{"level":"dpanic","ts":"2026-11-22T07:35:56.000+0100","msg":"m"}`, Error, "m", utc, false},
		"JSON of a kubelet that gives up":   {`{"level":"FATAL","message":"it does not honor that flag"}`, Error, "it does not honor that flag", time.Time{}, false},
		"an error that is none":             {`{"level":"info","msg":"m","error":null,"err":""}`, Info, "m", time.Time{}, false},
		"RFC 5424":                          {`<30>1 2026-11-22T06:35:56Z node-7 kubelet 326 - - E1122 06:35:56.000000 326 a.go:1] x`, Error, "x", time.Date(0, 11, 22, 6, 35, 56, 0, time.UTC), true},
		"RFC 5424, structured":              {`<27>1 2026-11-22T06:35:56.000000+00:00 node-7 containerd 1 ID7 [a@1 b="c \] d"][e@2] level=error msg="x"`, Error, "x", utc, false},
		"busybox":                           {`Nov 22 06:35:56 alpine daemon.info k3s[2156]: W1122 06:35:56.000000 2156 a.go:1] x`, Warning, "x", time.Date(0, 11, 22, 6, 35, 56, 0, time.UTC), true},
		"syslog-ng, with a fraction":        {`Nov 22 06:35:56.500 node-7 containerd[1]: level=error msg="x"`, Error, "x", time.Date(0, 11, 22, 6, 35, 56, 500e6, time.UTC), true},
		"syslog-ng, with a source":          {`Nov 22 06:35:56 s_sys@node-7 microk8s.daemon-kubelite[1787]: E1122 06:35:56.000000 1787 a.go:1] x`, Error, "x", time.Date(0, 11, 22, 6, 35, 56, 0, time.UTC), true},
		"klog with directories":             {`E1122 06:35:56.000000     326 pkg/kubelet/kubelet.go:2400] x`, Error, "x", time.Date(0, 11, 22, 6, 35, 56, 0, time.UTC), true},
		"klog without a source":             {`F1122 06:35:56.000000     326 ???:1] x`, Error, "x", time.Date(0, 11, 22, 6, 35, 56, 0, time.UTC), true},
		"klog of several lines":             {`E1122 06:35:56.000000     326 a.go:1] "Failed" err=<`, Error, `"Failed" err=<`, time.Date(0, 11, 22, 6, 35, 56, 0, time.UTC), true},
		"cri-o":                             {`time="2026-11-22T06:35:56.000000000Z" level=warning msg="Failed to find container exit file" file="oci/runtime_oci.go:1" id=3f-a name=/runtime.v1.RuntimeService/StopContainer`, Warning, `Failed to find container exit file file="oci/runtime_oci.go:1" id="3f-a" name="/runtime.v1.RuntimeService/StopContainer"`, utc, false},
		"containerd of old":                 {`time="2026-11-22T07:35:56.000000000+01:00" level=warning msg="failed to load plugin "io.containerd.x"..." error="path "/a" is none" type=b`, Warning, `failed to load plugin "io.containerd.x"... error="path \"/a\" is none" type="b"`, utc, false},
		"a quote that never ends":           {`level=error msg="a "b`, "", `level=error msg="a "b`, time.Time{}, false},
		"wrapped without an end":            {`level=info msg="level=info msg=\"level=info msg=\\\"level=error msg=x\\\"\""`, Info, `level=info msg="level=error msg=x"`, time.Time{}, false},
	} {
		h := parse(c.line)
		if h.level != c.level || h.message != c.message || !h.at.Equal(c.at) || h.local != c.local {
			t.Errorf("%s: got %q, %q at %s (local %v)", name, h.level, h.message, h.at, h.local)
		}
	}
}
