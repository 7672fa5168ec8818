package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	tests := []struct {
		line string
		want options
	}{
		{"up", options{command: "up", layout: layout{"/var/tmp/nodedoc-cluster"}, size: size{nodes: 2}}},
		{"up --nodes 3 --dir /x/../y", options{command: "up", layout: layout{"/y"}, size: size{nodes: 3}}},
		{"run --nodes=1 -- sh -c true", options{command: "run", layout: layout{"/var/tmp/nodedoc-cluster"}, size: size{nodes: 1}, args: []string{"sh", "-c", "true"}}},
		{"up --nodes 1 --vms 2", options{command: "up", layout: layout{"/var/tmp/nodedoc-cluster"}, size: size{nodes: 1, vms: 2}}},
		{"exec --dir /y n1 -- ps -ef", options{command: "exec", layout: layout{"/y"}, node: "n1", args: []string{"ps", "-ef"}}},
		{"exec --dir /y n1 ps -ef", options{command: "exec", layout: layout{"/y"}, node: "n1", args: []string{"ps", "-ef"}}},
		{"apiserver --dir /y --admission A,B -- kubectl get pods", options{command: "apiserver", layout: layout{"/y"}, plugins: "A,B", args: []string{"kubectl", "get", "pods"}}},
		{"load --dir /y --image i --entrypoint /a --entrypoint b f g=/h", options{command: "load", layout: layout{"/y"}, args: []string{"f", "g=/h"},
			load: loadOptions{image: "i", entrypoint: []string{"/a", "b"}, files: []string{"f", "g=/h"}}}},
	}
	for _, test := range tests {
		t.Run(test.line, func(t *testing.T) {
			words := strings.Fields(test.line)
			got, err := parseOptions(words[0], words[1:])
			if err != nil {
				t.Fatal(err)
			}
			if len(got.args) == 0 {
				got.args = nil
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	for line, want := range map[string]string{
		"fly":          "failed to find command \"fly\": see `cluster help`",
		"up now":       "failed to understand [\"now\"]: `cluster up` takes flags only",
		"run":          "no command to run: cluster run [--nodes 2] [--dir DIR] -- COMMAND",
		"exec n1":      "no node or no command: cluster exec [--dir DIR] NODE -- COMMAND",
		"exec n1 --":   "no node or no command: cluster exec [--dir DIR] NODE -- COMMAND",
		"restart":      "no component: cluster restart [--dir DIR] kube-apiserver",
		"load --image": "flag needs an argument: -image",
		"load f":       "no image name or no file: cluster load [--dir DIR] --image NAME[:TAG] FILE[=PATH/IN/IMAGE]",
	} {
		words := strings.Fields(line)
		if _, err := parseOptions(words[0], words[1:]); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", line, err, want)
		}
	}
}
