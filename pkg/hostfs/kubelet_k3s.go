package hostfs

import (
	"path"
	"slices"
	"strings"
)

const (
	k3sConfig  = "/etc/rancher/k3s/config.yaml"
	k3sDataDir = "/var/lib/rancher/k3s"
)

// parseK3s reads the arguments of K3s, which runs the kubelet in its own process.
// That of RKE2 is a process, with all options in its own command line.
func (k *KubeletArgs) parseK3s(args []string) {
	k.K3s, k.File, k.Hidden = true, k3sConfig, true
	for _, a := range args {
		k.Hidden = k.Hidden && !strings.HasPrefix(a, "-")
	}
	if file := lastOption(args, "--config", "-c"); file != "" {
		k.File = file
	}
	k.dataDir = lastOption(args, "--data-dir", "-d")
	k.addK3s(optionValues(args, "--kubelet-arg", ""))
}

// addK3s: what is added before the command line's counts less.
func (k *KubeletArgs) addK3s(args []string) {
	options := make([]string, 0, len(args)+len(k.options))
	for _, arg := range args {
		options = append(options, "--"+strings.TrimLeft(arg, "-"))
	}
	k.options = append(options, k.options...)
	k.setRootDir()
}

// K3sUnit reads the command that K3s's unit starts, systemd.service(5):
//
//	ExecStart=/usr/local/bin/k3s server '--kubelet-arg=root-dir=/data/kubelet'
func (k *KubeletArgs) K3sUnit(command string) { k.parseK3s(quotedWords(command, " \t")) }

// K3sParent reads the command line of the process that started K3s, which keeps
// what K3s hides (OpenRC's supervise-daemon, docker-init):
//
//	supervise-daemon k3s --start --pidfile /run/k3s.pid /usr/local/bin/k3s -- server --kubelet-arg=root-dir=/data
func (k *KubeletArgs) K3sParent(args []string) {
	i := slices.Index(args, "--") + 1
	if of := args[i:min(i+2, len(args))]; i > 0 && (slices.Contains(of, "server") || slices.Contains(of, "agent")) {
		k.parseK3s(args[i:])
	}
}

// K3sEnvironment reads the variable that counts more than --config, as
// "K3S_CONFIG_FILE=/a"; in a file for systemd the value may be in quotes. None is
// there for the kubelet's options.
func (k *KubeletArgs) K3sEnvironment(assignments []string) {
	for _, a := range assignments {
		if file, ok := strings.CutPrefix(strings.TrimSpace(a), "K3S_CONFIG_FILE="); ok && file != "" {
			k.File = unquoted(file)
		}
	}
}

// UnitEnvironment are the assignments in a setting of a unit, systemd.exec(5):
//
//	Environment=A=b "C=d e"
func UnitEnvironment(value string) []string { return quotedWords(value, " \t") }

// k3sFiles reads its configuration file and those beside it, in config.yaml.d, in
// order.
func (k *KubeletArgs) k3sFiles(contents []string) {
	k.addK3s(k3sValues("kubelet-arg", contents))
	if dirs := k3sValues("data-dir", contents); k.dataDir == "" && len(dirs) > 0 {
		k.dataDir = dirs[0]
	}
}

// IsK3sConfig tells which files in config.yaml.d it reads.
func IsK3sConfig(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

func (k KubeletArgs) k3sConfigDir() string {
	dir := k.dataDir
	if !path.IsAbs(dir) {
		dir = k3sDataDir
	}
	return path.Join(dir, "agent/etc/kubelet.conf.d")
}

// k3sValues are the values of one key of K3s's YAML files. A later file's replace
// those before, or are added to them where the key ends in a plus:
//
//	kubelet-arg: max-pods=200
//	kubelet-arg: ["max-pods=200", root-dir=/data/kubelet]
//	kubelet-arg+:
//	  - "eviction-hard=memory.available<5%,nodefs.available<5%"    # a comment
func k3sValues(name string, contents []string) (values []string) {
	for _, content := range contents {
		inside, text := false, ""
		for _, line := range strings.Split(content, "\n") {
			line, _, _ = strings.Cut(strings.TrimRight(line, "\r"), " #")
			if line == "" || line[0] == '#' {
				continue
			}
			if strings.IndexByte(" \t-[]", line[0]) < 0 { // a key, or the document's end
				values, text = append(values, yamlItems(text)...), ""
				key, value, _ := strings.Cut(line, ":")
				key, more := strings.CutSuffix(unquoted(key), "+")
				if inside = key == name; inside && !more {
					values = nil
				}
				line = value
			}
			if inside {
				text += line + "\n"
			}
		}
		values = append(values, yamlItems(text)...)
	}
	return values
}

// yamlItems are those of a list, or the one value that is none.
func yamlItems(text string) (items []string) {
	if text = strings.TrimSpace(text); strings.HasPrefix(text, "[") {
		return quotedWords(text, "[], \n")
	}
	for _, line := range strings.Split(text, "\n") {
		item, _ := strings.CutPrefix(strings.TrimSpace(line), "- ")
		if item = unquoted(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// quotedWords are the parts between separators, without their quotes; a separator
// within quotes is none.
func quotedWords(text, separators string) (list []string) {
	text += separators[:1]
	quote, start := byte(0), 0
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(separators, c) >= 0:
			if i > start {
				list = append(list, unquoted(text[start:i]))
			}
			start = i + 1
		}
	}
	return list
}

func unquoted(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, `"`, ""), "'", "") }
