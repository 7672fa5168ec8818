package cmd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nodedoc/kubectl-nodedoc/pkg/config"
	"github.com/nodedoc/kubectl-nodedoc/pkg/diagnose"
)

const (
	// configEnv names the configuration file, as KUBECONFIG does kubectl's.
	configEnv = "NODEDOC_CONFIG"
	configMax = 1 << 20 // bytes
)

// thresholdFlags are --config and --threshold: where findings begin.
type thresholdFlags struct {
	config   string
	given    []string
	inForce  diagnose.Thresholds
	fromFile string // the file that was read, "" for none
}

// add gives a command the flags, and reads them before it runs.
func (f *thresholdFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.config, "config", "", "Configuration file with thresholds; default: $"+configEnv+", else kubectl-nodedoc/config.yaml in the user's configuration directory")
	c.Flags().StringArrayVar(&f.given, "threshold", nil, "NAME=VALUE: where a finding begins, such as fd-node-limit.warning=70%; explain RULE has the names; may be repeated")
	must(c.RegisterFlagCompletionFunc("threshold", completeThreshold))
	c.PreRunE = func(*cobra.Command, []string) error { return f.load() }
}

func completeThreshold(_ *cobra.Command, _ []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, t := range diagnose.AllThresholds() {
		if strings.HasPrefix(t.Name, toComplete) {
			names = append(names, cobra.CompletionWithDesc(t.Name+"=", "by default "+t.Unit.Format(t.Default)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// load reads the file, and then the flags, which count more.
func (f *thresholdFlags) load() error {
	data, err := f.read()
	if err != nil {
		return err
	}
	if f.inForce, err = thresholdsOf(data); err != nil {
		return fmt.Errorf("failed to read the thresholds in %q: %w", f.fromFile, err)
	}
	for _, given := range f.given {
		name, value, ok := strings.Cut(given, "=")
		if !ok {
			return fmt.Errorf("--threshold is NAME=VALUE, such as fd-node-limit.warning=70%%, not %q", given)
		}
		if f.inForce, err = f.inForce.With(strings.TrimSpace(name), value); err != nil {
			return fmt.Errorf("--threshold: %w", err)
		}
	}
	if err := f.inForce.Check(); err != nil {
		return fmt.Errorf("%s: %w", f.source(), err)
	}
	return nil
}

// source is where the thresholds are from.
func (f *thresholdFlags) source() string {
	switch {
	case f.fromFile == "":
		return "--threshold"
	case len(f.given) == 0:
		return fmt.Sprintf("failed to read the thresholds in %q", f.fromFile)
	}
	return fmt.Sprintf("--threshold, with those in %q", f.fromFile)
}

// read gives the configuration file's text; none where nobody has named one and the
// usual place has none.
func (f *thresholdFlags) read() ([]byte, error) {
	path, named := f.config, true
	if path == "" {
		path = os.Getenv(configEnv)
	}
	if path == "" {
		dir, err := os.UserConfigDir()
		if err != nil { // no home: no file in it
			return nil, nil
		}
		path, named = filepath.Join(dir, "kubectl-nodedoc", "config.yaml"), false
	}
	file, err := os.Open(path) //nolint:gosec // the user names the file
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("failed to read the configuration: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, configMax+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("failed to read the configuration: %w", err)
	case len(data) > configMax:
		return nil, fmt.Errorf("failed to read the configuration %q: it is larger than %d bytes", path, configMax)
	}
	f.fromFile = path
	return data, nil
}

// thresholdsOf reads those of a configuration.
func thresholdsOf(data []byte) (diagnose.Thresholds, error) {
	texts, err := config.Thresholds(data)
	if err != nil {
		return diagnose.Thresholds{}, err
	}
	var limits diagnose.Thresholds
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if limits, err = limits.With(name, texts[name]); err != nil {
			return limits, err
		}
	}
	return limits, nil
}
