package main

import "testing"

func TestParseStatus(t *testing.T) {
	tests := []struct {
		name, line string
		want       status
		fails      bool
	}{
		{name: "plain", line: "1234 (kubelet) S 1 1234 1234 0 -1", want: status{"kubelet", "S", 1}},
		{name: "parentheses and spaces in the name", line: "7 (a) R 9 (b) Z 12 7", want: status{"a) R 9 (b", "Z", 12}},
		{name: "no name", line: "7 S 1", fails: true},
		{name: "cut short", line: "7 (a) S", fails: true},
		{name: "empty", line: "", fails: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseStatus(test.line)
			if got != test.want || (err != nil) != test.fails {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestInOurGroup(t *testing.T) {
	tests := []struct {
		name, groups string
		want         bool
	}{
		{"v1", "4:memory:/nd-node-1/kubepods/besteffort/pod1\n0::/\n", true},
		{"v2", "0::/nd-control-plane/etcd\n", true},
		{"twelfth node", "0::/nd-node-12\n", true},
		{"somebody else's", "0::/system.slice/nd-node-1\n", false},
		{"a longer name", "0::/nd-node-1x\n", false},
		{"root", "0::/\n", false},
		{"gone", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := inOurGroup(test.groups); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
