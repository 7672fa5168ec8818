package saved

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nodedoc/kubectl-nodedoc/pkg/inventory"
	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

func reportOf(node string) *report.NodeReport {
	return &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Node: report.Node{Hostname: node}}
}

func writeList(t *testing.T, path string, nodes ...string) error {
	t.Helper()
	w, err := NewList(path)
	if err != nil {
		t.Fatal(err)
	}
	storage := &inventory.Storage{PersistentVolumes: []inventory.PersistentVolume{{Name: "pv-1"}}}
	for _, node := range nodes {
		inv := &inventory.Inventory{Node: node, Storage: storage}
		if err := w.Add(reportOf(node), inv); err != nil {
			t.Fatal(err)
		}
		if inv.Storage == nil {
			t.Fatal("the caller's inventory has changed")
		}
	}
	return w.Close(storage)
}

func TestList(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fleet.json")
	if err := writeList(t, path, "a", "b", "c"); err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile(path)
	if strings.Count(string(data), "pv-1") != 1 || !json.Valid(data) {
		t.Errorf("the storage stands in the file once: %s", data)
	}
	items, err := ReadAll(path, nil)
	if err != nil || len(items) != 3 || items[2].Report.Node.Hostname != "c" || items[0].Inventory.Storage.PersistentVolumes[0].Name != "pv-1" {
		t.Errorf("got %+v, %v", items, err)
	}
	if _, _, err := Read(path, nil); err == nil || !strings.Contains(err.Error(), "holds the reports of 3 nodes, and this takes one") {
		t.Errorf("got %v", err)
	}
	if err := writeList(t, path, "only"); err != nil {
		t.Fatal(err)
	}
	if r, inv, err := Read(path, nil); err != nil || r.Node.Hostname != "only" || inv.Node != "only" {
		t.Errorf("got %+v, %+v, %v", r, inv, err)
	}
}

// Whole or not at all: what was there stays.
func TestListWithoutItemsLeavesTheFileAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "fleet.json")
	if err := writeList(t, path, "a"); err != nil {
		t.Fatal(err)
	}
	if err := writeList(t, path); err == nil {
		t.Error("a list of none was saved")
	}
	if items, err := ReadAll(path, nil); err != nil || len(items) != 1 {
		t.Errorf("got %+v, %v", items, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
}

func TestReadAllTakesOneReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "one.json")
	if err := Write(path, reportOf("a"), nil); err != nil {
		t.Fatal(err)
	}
	if items, err := ReadAll(path, nil); err != nil || len(items) != 1 || items[0].Report.Node.Hostname != "a" {
		t.Errorf("got %+v, %v", items, err)
	}
}

func TestBadLists(t *testing.T) {
	for content, want := range map[string]string{
		`{"kind":"SavedReportList","apiVersion":"nodedoc.io/v9","items":[{}]}`:                                 `this program reads "nodedoc.io/v1alpha1"`,
		`{"kind":"SavedReportList","apiVersion":"nodedoc.io/v1alpha1"}`:                                        "it has no report in it",
		`{"kind":"SavedReportList","apiVersion":"nodedoc.io/v1alpha1","items":[{}]}`:                           "item 1 has no report in it",
		`{"kind":"SavedReportList","apiVersion":"nodedoc.io/v1alpha1","items":[{"report":{"kind":"Pod"}}]}`:    "report 1",
		`{"kind":"SavedReportList","apiVersion":"nodedoc.io/v1alpha1","items":3}`:                              "failed to decode the reports",
		`{"kind":"SavedReportList","apiVersion":"nodedoc.io/v1alpha1","storage":[],"items":[{"report":null}]}`: "failed to decode the storage",
		`{"kind":"SavedReportList"`: "is not a report",
	} {
		if _, err := ReadAll("-", strings.NewReader(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", content, err, want)
		}
	}
}
