package saved

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/nodedoc/kubectl-nodedoc/pkg/report"
)

// What a journal holds compressed is saved unpacked: else secrets in it were saved, too.
func TestPackedLogsAreSavedWithoutSecrets(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	packed := z.EncodeAll([]byte("MESSAGE=container &Container{Env:[]EnvVar{EnvVar{Name:DB_PASSWORD,Value:hunter2,ValueFrom:nil,},},} start failed"), nil)
	r := &report.NodeReport{APIVersion: report.APIVersion, Kind: report.Kind, Logs: &report.Logs{
		Blobs:   []report.LogBlob{{Compression: report.CompressionZstd, Data: packed}},
		Sources: []report.LogSource{{Name: report.LogKubelet, Lines: []report.LogLine{{At: 1, Blobs: []int{0}}}}}}}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := Write(path, r, nil); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(data); strings.Contains(text, "hunter2") || strings.Contains(text, "blobs") || !strings.Contains(text, "DB_PASSWORD") {
		t.Errorf("saved %s", text)
	}
	if len(r.Logs.Blobs) != 1 {
		t.Error("the report at hand was changed")
	}
}
