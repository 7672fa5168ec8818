package diagnose

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/nodedoc/kubectl-nodedoc/pkg/correlate"
)

func TestThresholdValues(t *testing.T) {
	for name, c := range map[string]struct {
		unit Unit
		text string
		want float64
		say  string // as it is written
		tell string // in a sentence
	}{
		"percent":                {Percent, "80%", 80, "80%", "80 %"},
		"percent with a space":   {Percent, " 80 % ", 80, "80%", "80 %"},
		"percent without a sign": {Percent, "0.5", 0.5, "0.5%", "0.5 %"},
		"count":                  {Count, "10000", 10000, "10000", "10,000"},
		"binary":                 {Bytes, "256Mi", 256 << 20, "256MiB", "256 MiB"},
		"as it is printed":       {Bytes, "1.5 GiB", 3 << 29, "1536MiB", "1.5 GiB"},
		"decimal":                {Bytes, "1G", 1e9, "1000000000B", "954 MiB"},
		"hours":                  {Seconds, "6h", 21600, "6h", "6 hours"},
		"days":                   {Seconds, "7d", 604800, "7d", "7 days"},
		"minutes and more":       {Seconds, "1h 30min", 5400, "90m", "90 minutes"},
		"one":                    {Seconds, "1s", 1, "1s", "1 second"},
		"less than a second":     {Seconds, "500ms", 0.5, "500ms", "0.5 seconds"},
		"rate":                   {PerSecond, "0.5/s", 0.5, "0.5/s", "0.5 per second"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.unit.Parse(c.text)
			if err != nil || got != c.want {
				t.Fatalf("got %v, %v, want %v", got, err, c.want)
			}
			if say := c.unit.Format(got); say != c.say {
				t.Errorf("got %q, want %q", say, c.say)
			}
			if tell := c.unit.Text(got); tell != c.tell {
				t.Errorf("got %q, want %q", tell, c.tell)
			}
			if again, err := c.unit.Parse(c.unit.Format(got)); err != nil || again != got {
				t.Errorf("%q is read as %v, %v", c.unit.Format(got), again, err)
			}
		})
	}
}

func TestThresholdErrors(t *testing.T) {
	for given, want := range map[string]string{
		"fd-node-limt.warning=70%":     "no threshold is called \"fd-node-limt.warning\": did you mean fd-node-limit.warning? `kubectl nodedoc explain` lists the rules, and explain RULE those of a rule",
		"fd-node-limit=70%":            "no threshold is called \"fd-node-limit\": did you mean fd-node-limit.soon? `kubectl nodedoc explain` lists the rules, and explain RULE those of a rule",
		"warning=70%":                  "no threshold is called \"warning\": `kubectl nodedoc explain` lists the rules, and explain RULE those of a rule",
		"=":                            "no threshold is called \"\": `kubectl nodedoc explain` lists the rules, and explain RULE those of a rule",
		"fd-node-limit.warning=":       `threshold fd-node-limit.warning: "" is no percentage, such as 80%`,
		"fd-node-limit.warning=many":   `threshold fd-node-limit.warning: "many" is no percentage, such as 80%`,
		"fd-node-limit.warning=NaN":    `threshold fd-node-limit.warning: "NaN" is no percentage, such as 80%`,
		"fd-node-limit.warning=101%":   "threshold fd-node-limit.warning must be 1% to 100%, not 101%",
		"fd-node-limit.warning=-1":     "threshold fd-node-limit.warning must be 1% to 100%, not -1%",
		"fd-node-limit.soon=5":         `threshold fd-node-limit.soon: "5" is no time with its unit, such as 6h`,
		"fd-node-limit.soon=infinity":  `threshold fd-node-limit.soon: "infinity" is no time with its unit, such as 6h`,
		"fd-node-limit.soon=9999d":     "threshold fd-node-limit.soon must be 1s to 365d, not 9999d",
		"fd-node-limit.soon=4 parsecs": `threshold fd-node-limit.soon: "4 parsecs" is no time with its unit, such as 6h`,
	} {
		name, value, _ := strings.Cut(given, "=")
		if _, err := (Thresholds{}).With(name, value); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", given, err, want)
		}
	}
}

// A warning may come with the critical finding, and not after it. Which is set first does
// not count.
func TestThresholdsInTheirOrder(t *testing.T) {
	for given, want := range map[string]string{
		"":                          "",
		"fd-node-limit.warning=95%": "",
		"fd-node-limit.warning=97% fd-node-limit.critical=98%": "",
		"fd-node-limit.critical=98% fd-node-limit.warning=97%": "",
		"fd-node-limit.warning=97%":                            "threshold fd-node-limit.warning must be 1% to 95%, not 97%: fd-node-limit.critical is 95%, and may be 97% to 100%",
		"fd-node-limit.critical=70%":                           "threshold fd-node-limit.warning must be 1% to 70%, not 80%: fd-node-limit.critical is 70%, and may be 80% to 100%",
		"fd-node-limit.very-soon=1d":                           "threshold fd-node-limit.very-soon must be 1s to 6h, not 1d: fd-node-limit.soon is 6h, and may be 1d to 365d",
		"tasks-blocked.critical-threads=4":                     "threshold tasks-blocked.threads must be 1 to 4, not 5: tasks-blocked.critical-threads is 4, and may be 5 to 1000000000",
	} {
		var limits Thresholds
		for _, one := range strings.Fields(given) {
			name, value, _ := strings.Cut(one, "=")
			var err error
			if limits, err = limits.With(name, value); err != nil {
				t.Fatal(err)
			}
		}
		got := ""
		if err := limits.Check(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", given, got, want)
		}
	}
}

// Each that has a critical one beside it goes up to that, and can: of one unit, with the
// same bounds.
func TestThresholdsThatGoUpToAnother(t *testing.T) {
	all := map[string]Threshold{}
	for _, of := range AllThresholds() {
		all[of.Name] = of
	}
	for name, of := range all {
		rule, isWarning := strings.CutSuffix(name, ".warning")
		if _, has := all[rule+".critical"]; isWarning && has && of.UpTo != rule+".critical" {
			t.Errorf("%s goes up to %q", name, of.UpTo)
		}
		if other := all[of.UpTo]; of.UpTo != "" && (other.Unit != of.Unit || other.Min != of.Min || other.Max != of.Max || strings.Split(name, ".")[0] != strings.Split(of.UpTo, ".")[0]) {
			t.Errorf("%+v goes up to %+v", of, other)
		}
	}
}

// Who gives the default has changed nothing, and With leaves the one it is of alone.
func TestThresholdsAreValues(t *testing.T) {
	changed, err := Thresholds{}.With("fd-node-limit.warning", "70%")
	if err != nil {
		t.Fatal(err)
	}
	back, err := changed.With("fd-node-limit.warning", "80")
	if err != nil {
		t.Fatal(err)
	}
	if back.Changed(fdNodeWarning()) || back.In(fdNodeWarning()) != 80 || !changed.Changed(fdNodeWarning()) || changed.In(fdNodeWarning()) != 70 {
		t.Errorf("got %v, then %v", changed, back)
	}
}

func TestFindingSaysWhichThresholdIsChanged(t *testing.T) {
	r := newNode()
	r.OpenFiles = openFiles(1000, 750)
	limits, err := Thresholds{}.With("fd-node-limit.warning", "70%")
	if err != nil {
		t.Fatal(err)
	}
	f := Diagnose(correlate.Join(r, nil), limits)
	if want := "threshold fd-node-limit.warning is 70% here, by default 80%"; len(f) != 1 || f[0].Evidence[1] != want {
		t.Errorf("got %+v, want evidence %q", f, want)
	}
}

// A name with a letter too few is none, and the error can be read.
func TestThresholdNames(t *testing.T) {
	for _, of := range AllThresholds() {
		if limits, err := (Thresholds{}).With(of.Name, of.Unit.Format(of.Max)); err != nil || limits.In(of) != of.Max {
			t.Errorf("%s: got %v", of.Name, err)
		}
		for i := range of.Name {
			name := of.Name[:i] + of.Name[i+1:]
			if _, err := (Thresholds{}).With(name, "1"); err == nil || !strings.Contains(err.Error(), "did you mean") {
				t.Errorf("%s: got %v", name, err)
			}
		}
	}
	for _, name := range []string{"", ".", "\x1b[2J", strings.Repeat("a-", 3000), "漢字.\xff"} {
		if _, err := (Thresholds{}).With(name, "1"); err == nil || strings.Contains(err.Error(), "\x1b") || !utf8.ValidString(err.Error()) {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

// What is taken is within the bounds, and is written so that it is read as the same.
func FuzzThreshold(f *testing.F) {
	for _, seed := range []string{"80%", "1e2", "0x1p3", "256Mi", "1.5 GiB", "7d", "1h 30min", "0.5/s", "-1", "NaN", "infinity", "1e309", "", "%", "1000000000", "1.000000001s", "1.0000001 1", "364d 1us", "9999999999999999999PiB"} {
		f.Add(seed)
	}
	all := []Threshold{fdNodeWarning(), zombiesMin(), growingSize(), oomNews(), growthRate()} // one of each unit
	f.Fuzz(func(t *testing.T, text string) {
		for _, of := range all {
			value, err := of.parse(text)
			if err != nil {
				continue
			}
			if !(value >= of.Min && value <= of.Max) {
				t.Errorf("%s: %q is %v", of.Name, text, value)
			}
			written := of.Unit.Format(value)
			if again, err := of.parse(written); err != nil || again != value {
				t.Errorf("%s: %q is %v, written %q, and that is %v, %v", of.Name, text, value, written, again, err)
			}
		}
	})
}
