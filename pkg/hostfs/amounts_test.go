package hostfs

import (
	"maps"
	"testing"
)

func amountsOf(s string) map[string]uint64 {
	got := map[string]uint64{}
	EachAmount([]byte(s), func(name []byte, n uint64) { got[string(name)] = n })
	return got
}

func TestEachAmount(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want map[string]uint64
	}{
		"3.10, without MemAvailable":   {"MemTotal:        1882064 kB\nMemFree:          130432 kB\nBuffers:               0 kB\n", map[string]uint64{"MemTotal": 1882064 << 10, "MemFree": 130432 << 10, "Buffers": 0}},
		"a number of pages":            {"HugePages_Total:     512\n", map[string]uint64{"HugePages_Total": 512}},
		"a name with parentheses":      {"Inactive(file):  7 kB\n", map[string]uint64{"Inactive(file)": 7 << 10}},
		"a line that nobody knows":     {"Unaccepted:        1 kB\n", map[string]uint64{"Unaccepted": 1 << 10}},
		"status, by a tab":             {"Name:\tjava\nVmRSS:\t    1234 kB\nThreads:\t9\nCpus_allowed_list:\t0-3\n", map[string]uint64{"VmRSS": 1234 << 10, "Threads": 9}},
		"another unit":                 {"MemTotal: 1 MB\n", nil},
		"negative":                     {"VmallocUsed: -4 kB\n", nil},
		"too large in bytes":           {"A: 18014398509481984 kB\nB: 18014398509481983 kB\n", map[string]uint64{"B": 18014398509481983 << 10}},
		"too large a number":           {"A: 18446744073709551616\n", nil},
		"the largest number":           {"A: 18446744073709551615\n", map[string]uint64{"A": 1<<64 - 1}},
		"cut off":                      {"MemTotal: 12 kB\nMemFr", map[string]uint64{"MemTotal": 12 << 10}},
		"without a number":             {"MemTotal: kB\nA:\n:\n", nil},
		"a process that is named like": {"Name:\tRssAnon: 5 kB\nRssAnon:\t  1 kB\n", map[string]uint64{"RssAnon": 1 << 10}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := amountsOf(c.in); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func FuzzEachAmount(f *testing.F) {
	f.Add([]byte("MemTotal:       16314352 kB\nHugePages_Total:       0\n"))
	f.Add([]byte("00400000-7ffd4c1fe000 ---p 00000000 00:00 0          [rollup]\nPss:                 567 kB\n"))
	f.Add([]byte("Name:\ta:b kB\nVmRSS:\t18446744073709551615 kB\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		lines := 0
		EachAmount(b, func([]byte, uint64) { lines++ })
		if lines > len(b) {
			t.Fatal("more lines than bytes")
		}
	})
}

func TestParseMemoryStatus(t *testing.T) {
	s := ParseMemoryStatus([]byte("Name:\tx\nVmRSS:\t    100 kB\nRssAnon:\t      60 kB\nRssFile:\t      30 kB\nRssShmem:\t      10 kB\nVmSwap:\t       0 kB\n"))
	if *s.Anon != 60<<10 || *s.File != 30<<10 || *s.Shmem != 10<<10 || *s.Swap != 0 {
		t.Errorf("got %+v", s)
	}
	if s := ParseMemoryStatus([]byte("Name:\tx\nVmRSS:\t    100 kB\nVmSwap:\t       8 kB\n")); s.Anon != nil || s.File != nil || *s.Swap != 8<<10 {
		t.Errorf("before 4.5: got %+v", s)
	}
	if s := ParseMemoryStatus([]byte("Name:\tkthreadd\nState:\tS (sleeping)\n")); s != (MemoryStatus{}) {
		t.Errorf("a kernel thread: got %+v", s)
	}
}

func TestParsePSS(t *testing.T) {
	const rollup = "00400000-7ffd4c1fe000 ---p 00000000 00:00 0                          [rollup]\nRss:                1234 kB\nPss:                 567 kB\nPss_Dirty:            90 kB\nPss_Anon:             80 kB\n"
	if pss, ok := ParsePSS([]byte(rollup)); !ok || pss != 567<<10 {
		t.Errorf("got %d, %v", pss, ok)
	}
	if _, ok := ParsePSS(nil); ok {
		t.Error("found one in nothing")
	}
}

func TestParseResidentPages(t *testing.T) {
	for in, want := range map[string]uint64{"4182 1034 890 12 0 300 0\n": 1034, "0 0 0 0 0 0 0\n": 0} {
		if got, ok := ParseResidentPages([]byte(in)); !ok || got != want {
			t.Errorf("%q: got %d, %v", in, got, ok)
		}
	}
	for _, torn := range []string{"", "12", "12 ", "a 12 3", "12\t3"} {
		if got, ok := ParseResidentPages([]byte(torn)); ok {
			t.Errorf("%q: got %d", torn, got)
		}
	}
}

func FuzzParseResidentPages(f *testing.F) {
	f.Add([]byte("4182 1034 890 12 0 300 0\n"))
	f.Add([]byte("18446744073709551616 1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, ok := ParseResidentPages(b); !ok && n != 0 {
			t.Fatal("a number that is none")
		}
	})
}
