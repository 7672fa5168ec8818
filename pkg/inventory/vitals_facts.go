package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize/english"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// Severities of a Fact, as those of findings; "": it is in order.
const (
	FactCritical = "critical"
	FactWarning  = "warning"
)

// Fact is one line of what Vitals tell, with who says so.
type Fact struct {
	Severity string `json:"severity,omitempty"`
	Source   string `json:"source"` // such as "node object", "kubelet, healthz"
	Text     string `json:"text"`
}

// String is the fact with its source.
func (f Fact) String() string { return f.Source + ": " + f.Text }

const (
	// plegUnhealthy is relistThreshold of the kubelet: after that the node is not
	// ready (pkg/kubelet/pleg/generic.go). In seconds.
	plegUnhealthy = 180
	// plegLate is odd already: it looks every second.
	plegLate = 30
	// factEvents and factOperations are named.
	factEvents, factOperations = 3, 3
	// slowOperation is the mean of a runtime's call that is odd, in seconds.
	slowOperation = 10.0
	// eventAge is how old an event may be that is told, in seconds.
	eventAge = 3600
	// maxTold bounds the words of others in one fact.
	maxTold = 300
)

// Facts are what vitals tell, in words: what is out of order first.
func (v *Vitals) Facts() []Fact {
	if v.Unanswered != "" {
		return []Fact{{FactCritical, "API server", "it answers nothing, so nothing is known of the node: " + v.Unanswered}}
	}
	all := slices.Concat(v.conditionFacts(), v.leaseFacts(), v.endpointFacts(), v.plegFacts(), v.operationFacts(), v.stuckFacts(), v.settingFacts(), v.eventFacts())
	slices.SortStableFunc(all, func(a, b Fact) int { return cmp.Compare(factRank(a), factRank(b)) })
	return all
}

func factRank(f Fact) int {
	if i := slices.Index([]string{FactCritical, FactWarning}, f.Severity); i >= 0 {
		return i
	}
	return 2
}

// conditionFacts are Ready, and whatever else is out of order. A condition says when it
// last changed, and why: "PLEG is not healthy: pleg was last seen active 5m ago".
func (v *Vitals) conditionFacts() (facts []Fact) {
	const source = "API server"
	if v.State == nil {
		return []Fact{{FactWarning, source, "the node's state: " + v.StateError}}
	}
	for _, c := range v.State.Conditions {
		if c.Type != "Ready" && c.Status == "Unknown" && !v.Ready() { // all are, once the kubelet is silent
			continue
		}
		f := Fact{"", source, fmt.Sprintf("condition %s is %s%s", c.Type, c.Status, v.since(c.Since))}
		switch isReady := c.Type == "Ready"; {
		case isReady && c.Status != "True":
			f.Severity = FactCritical
		case !isReady && c.Status != "False":
			f.Severity = FactWarning
		case !isReady:
			continue
		}
		if f.Severity != "" {
			f.Text += ": " + told(c.Reason, c.Message)
		}
		facts = append(facts, f)
	}
	if v.State.Unschedulable {
		facts = append(facts, Fact{"", source, "the node is cordoned"})
	}
	return facts
}

func (v *Vitals) leaseFacts() []Fact {
	const source = "API server"
	if v.Lease == nil {
		if v.LeaseError == "" {
			return nil
		}
		return []Fact{{"", source, "the kubelet's lease: " + v.LeaseError}}
	}
	f := Fact{"", source, fmt.Sprintf("the kubelet renewed its lease %s ago", v.ago(v.Lease.Renewed))}
	if v.Time-v.Lease.Renewed > int64(v.Lease.DurationSeconds) {
		f.Severity = FactCritical
		f.Text += fmt.Sprintf("; after %d s the node counts as dead", v.Lease.DurationSeconds)
	}
	return []Fact{f}
}

func (v *Vitals) endpointFacts() (facts []Fact) {
	for i, e := range vitalEndpoints() {
		if i >= len(v.Endpoints) {
			break
		}
		facts = append(facts, endpointFact(v.endpoint(e.name), e.asks))
	}
	return facts
}

func endpointFact(e Endpoint, source string) Fact {
	switch e.State {
	case Answers:
		return Fact{"", source, fmt.Sprintf("answers (%d ms)", e.Millis)}
	case Forbidden:
		return Fact{FactWarning, source, "not asked, the right to get nodes/proxy is missing"}
	case Refuses:
		return Fact{FactWarning, source, "answers with an error: " + e.Error}
	}
	if e.State == Late && e.Name != endpointHealthz && e.Name != endpointPods { // a slow node's come late
		return Fact{FactWarning, source, e.Error}
	}
	return Fact{FactCritical, source, e.Error}
}

// plegFacts: the kubelet looks at all containers every second, and is not ready where
// such a look takes three minutes.
func (v *Vitals) plegFacts() (facts []Fact) {
	m := v.Metrics
	if m == nil {
		return nil
	}
	const source = "kubelet, metrics"
	if m.PLEGSeen > 0 && m.Time > 0 {
		f := Fact{"", source, fmt.Sprintf("PLEG looked at all containers %s ago, in %s on average", human(v.plegAge()), seconds(m.PLEGSeconds))}
		switch age := v.plegAge(); {
		case age > plegUnhealthy:
			f.Severity = FactCritical
			f.Text += fmt.Sprintf("; after %s the node is not ready", human(plegUnhealthy))
		case age > plegLate:
			f.Severity = FactWarning
			f.Text += "; it does so every second"
		}
		facts = append(facts, f)
	}
	if m.RunningPods != nil && m.RunningContainers != nil {
		facts = append(facts, Fact{"", source, fmt.Sprintf("%s with a running sandbox, %s", english.Plural(*m.RunningPods, "pod", ""), english.Plural(*m.RunningContainers, "running container", ""))})
	}
	return facts
}

// operationFacts are the runtime's calls that fail most, and those that take long.
func (v *Vitals) operationFacts() (facts []Fact) {
	if v.Metrics == nil {
		return nil
	}
	const source = "kubelet, metrics"
	odd := slices.DeleteFunc(slices.Clone(v.Metrics.Operations), func(o RuntimeOperation) bool { return o.Errors == 0 && o.MeanSeconds < slowOperation })
	slices.SortStableFunc(odd, func(a, b RuntimeOperation) int {
		return cmp.Or(cmp.Compare(b.Errors, a.Errors), cmp.Compare(b.MeanSeconds, a.MeanSeconds))
	})
	for _, o := range odd[:min(len(odd), factOperations)] {
		f := Fact{FactWarning, source, fmt.Sprintf("since the kubelet started, %d of %d calls %s of the runtime failed; they took %s on average", o.Errors, o.Count, o.Name, seconds(o.MeanSeconds))}
		if o.MeanSeconds < slowOperation && o.Errors*10 < o.Count {
			f.Severity = ""
		}
		facts = append(facts, f)
	}
	return facts
}

// settingFacts are what one needs to know to go on by hand.
func (v *Vitals) settingFacts() []Fact {
	if v.Settings == nil {
		return nil
	}
	s := v.Settings
	parts := []string{"runtime at " + cmp.Or(s.RuntimeEndpoint, "the default place")}
	for name, value := range map[string]string{"its calls may take ": s.RuntimeRequestTimeout, "cgroup driver ": s.CgroupDriver} {
		if value != "" {
			parts = append(parts, name+value)
		}
	}
	slices.Sort(parts[1:])
	if s.MaxPods > 0 {
		parts = append(parts, fmt.Sprintf("%d pods at most", s.MaxPods))
	}
	return []Fact{{"", "kubelet, configz", strings.Join(parts, ", ")}}
}

// eventFacts are the newest of the last hour.
func (v *Vitals) eventFacts() (facts []Fact) {
	const source = "API server"
	if v.EventsError != "" {
		return []Fact{{"", source, "the node's events: " + v.EventsError}}
	}
	for _, e := range v.Events {
		if v.Time-e.Last > eventAge || len(facts) == factEvents {
			break
		}
		f := Fact{"", source, v.eventText(e)}
		if e.Type == "Warning" {
			f.Severity = FactWarning
		}
		facts = append(facts, f)
	}
	return facts
}

func (v *Vitals) eventText(e Event) string {
	times := ""
	if e.Count > 1 {
		times = fmt.Sprintf(" (%d times since %s ago)", e.Count, v.ago(e.First))
	}
	if e.Type == "Normal" { // its message says the same once more
		return fmt.Sprintf("event %s %s ago%s", e.Reason, v.ago(e.Last), times)
	}
	return fmt.Sprintf("event %s ago: %s%s", v.ago(e.Last), told(e.Reason, e.Message), times)
}

func (v *Vitals) since(t int64) string {
	if t == 0 {
		return ""
	}
	return " for " + v.ago(t)
}

func (v *Vitals) ago(t int64) string { return human(max(v.Time-t, 0)) }

func human(secs int64) string { return duration.HumanDuration(time.Duration(secs) * time.Second) }

func seconds(s float64) string {
	if s >= 10 {
		return fmt.Sprintf("%.0f s", s)
	}
	return fmt.Sprintf("%.2g s", s)
}

// told joins a reason and a message of others, bounded; both are escaped, or will be.
func told(reason, message string) string {
	s := strings.Trim(reason+": "+strings.Join(strings.Fields(message), " "), ": ")
	if s == "" {
		return "no reason given"
	}
	if len(s) > maxTold {
		s = strings.ToValidUTF8(s[:maxTold], "") + "…"
	}
	return report.Clean(s)
}
