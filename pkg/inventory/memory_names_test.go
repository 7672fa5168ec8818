package inventory

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// about is an event of pod batch/import-7, of the container that fieldPath names.
func about(uid, reason, fieldPath string, first int64) corev1.Event {
	e := event("batch", "Pod", "import-7", reason, "n1", first+30)
	e.InvolvedObject.UID, e.InvolvedObject.FieldPath, e.FirstTimestamp = types.UID(uid), fieldPath, metav1.Unix(first, 0)
	return e
}

// eventsOf serves the events of each UID, and counts the questions.
func eventsOf(t *testing.T, byUID map[string]corev1.EventList, asked map[string]int) server {
	t.Helper()
	s := healthy()
	s[eventsPath] = func(w http.ResponseWriter, r *http.Request) {
		uid, ok := strings.CutPrefix(r.FormValue("fieldSelector"), "involvedObject.uid=")
		if !ok {
			object(&corev1.EventList{})(w, r)
			return
		}
		asked[uid]++
		_ = json.NewEncoder(w).Encode(byUID[uid])
	}
	return s
}

func TestNamesOfPodsThatOnlyEventsTellOf(t *testing.T) {
	more := corev1.EventList{ListMeta: metav1.ListMeta{Continue: "more"}, Items: []corev1.Event{about("u3", "Scheduled", "", 100), about("u3", "Pulled", "spec.initContainers{copy}", 101)}}
	other := about("u4", "Pulled", "spec.containers{x}", 100)
	other.InvolvedObject.Kind = "Node"
	hostile := about("u5", "Pulled", "spec.containers{a\x1b[2J}", 100)
	hostile.InvolvedObject.Name = "p\u202e"
	asked := map[string]int{}
	a := NewAsker(eventsOf(t, map[string]corev1.EventList{
		"u1": {Items: []corev1.Event{about("u1", "Started", "spec.containers{import}", 110), about("u1", "Scheduled", "", 100), about("u1", "Pulled", "spec.containers{import}", 105)}},
		"u2": {Items: []corev1.Event{about("u2", "BackOff", "spec.containers{b}", 100), about("u2", "BackOff", "spec.containers{a}", 90), about("u2", "Killing", "implicitly required container POD", 95)}},
		"u3": more, "u4": {Items: []corev1.Event{other}}, "u5": {Items: []corev1.Event{hostile}},
	}, asked).client(t), "n1").WithMemory()
	want := []PodName{
		{UID: "u1", Namespace: "batch", Pod: "import-7", Containers: []string{"import"}, Scheduled: true, First: 100},
		{UID: "u2", Namespace: "batch", Pod: "import-7", Containers: []string{"a", "b"}, First: 90},
		{UID: "u3", Namespace: "batch", Pod: "import-7", Containers: []string{"copy"}},
		{UID: "u4"},
		{UID: "u5", Namespace: "batch", Pod: `p\u202e`, First: 100},
		{UID: "none"},
	}
	for range 2 { // as when watching
		inv := a.Ask(t.Context())
		a.AskNames(t.Context(), inv, []string{"u1", "u2", "u3", "u4", "u5", "none", "not,one", strings.Repeat("long", 20)})
		if inv.Memory.EventsError != "" || !reflect.DeepEqual(inv.Memory.PodNames, want) {
			t.Errorf("got %+v, %s", inv.Memory.PodNames, inv.Memory.EventsError)
		}
	}
	if len(asked) != 6 || asked["u1"] != 1 || asked["none"] != 1 {
		t.Errorf("asked %v", asked)
	}
}

func TestNamesOfManyPods(t *testing.T) {
	asked := map[string]int{}
	a := NewAsker(eventsOf(t, nil, asked).client(t), "n1").WithMemory()
	var uids []string
	for i := range 100 {
		uids = append(uids, fmt.Sprintf("u%d", i))
	}
	inv := a.Ask(t.Context())
	a.AskNames(t.Context(), inv, uids)
	if len(asked) != maxNamed || asked["u0"] != 1 || len(inv.Memory.PodNames) != maxNamed || inv.Memory.PodNames[7].Pod != "" {
		t.Errorf("asked %v", asked)
	}
}

// Who may not list events is asked once, and told once.
func TestNamesWithoutTheRight(t *testing.T) {
	s, asked := healthy(), 0
	s[eventsPath] = func(w http.ResponseWriter, r *http.Request) {
		asked++
		refuse(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"events is forbidden"}`)(w, r)
	}
	a := NewAsker(s.client(t), "n1").WithMemory()
	inv := a.Ask(t.Context())
	before := asked
	a.AskNames(t.Context(), inv, []string{"u1", "u2"})
	if asked != before || !strings.Contains(inv.Memory.EventsError, "the right to list events in all namespaces is missing") {
		t.Errorf("asked %d times, %q", asked, inv.Memory.EventsError)
	}
}
