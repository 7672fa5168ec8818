// Package config reads a configuration file.
package config

import (
	"fmt"
	"strconv"

	"sigs.k8s.io/yaml"
)

// file is what a configuration file may have in it.
type file struct {
	Thresholds map[string]any `json:"thresholds"`
}

// Thresholds are a configuration's: "thresholds: {fd-node-limit.warning: 70%}", by name,
// as a flag has their values. Whether there are such, and they may have these, is not
// looked at.
func Thresholds(data []byte) (map[string]string, error) {
	var config file
	if err := yaml.UnmarshalStrict(data, &config); err != nil {
		return nil, err
	}
	texts := make(map[string]string, len(config.Thresholds))
	for name, value := range config.Thresholds {
		text, err := thresholdText(value)
		if err != nil {
			return nil, fmt.Errorf("threshold %s: %w", name, err)
		}
		texts[name] = text
	}
	return texts, nil
}

// thresholdText is a value as a flag has it: YAML takes 80 for a number.
func thresholdText(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	}
	return "", fmt.Errorf("%v is neither a number nor a text", value)
}
