package hostfs

import "testing"

func TestParseMemoryLimit(t *testing.T) {
	for in, want := range map[string]uint64{"41943040\n": 41943040, "0\n": 0, "4611686018427387903": 1<<62 - 1} {
		if got, ok := ParseMemoryLimit([]byte(in)); !ok || got == nil || *got != want {
			t.Errorf("%q: got %v, %v", in, got, ok)
		}
	}
	for name, in := range map[string]string{
		"v2": "max\n", "pages of 4 KiB": "9223372036854771712\n", "of 64 KiB": "9223372036854710272\n",
		"before 3.19": "9223372036854775807\n", "3.16": "18446744073709551615\n",
	} {
		if got, ok := ParseMemoryLimit([]byte(in)); !ok || got != nil {
			t.Errorf("%s: got %v, %v", name, got, ok)
		}
	}
	for _, torn := range []string{"", "-1\n", "1 2", "maximum", "18446744073709551616"} {
		if got, ok := ParseMemoryLimit([]byte(torn)); ok {
			t.Errorf("%q: got %v", torn, got)
		}
	}
}

func FuzzParseMemoryLimit(f *testing.F) {
	f.Add([]byte("max\n"))
	f.Add([]byte("9223372036854771712\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, ok := ParseMemoryLimit(b); n != nil && (!ok || *n >= noMemoryLimit) {
			t.Fatalf("%d, %v", *n, ok)
		}
	})
}

const statV1 = `cache 100
rss 200
swap 5
inactive_file 10
hierarchical_memory_limit 9223372036854771712
total_cache 1000
total_rss 2000
total_rss_huge 0
total_shmem 30
total_swap 50
total_inactive_anon 1
total_inactive_file 600
total_active_file 400
`

const statV2 = `anon 2000
file 1000
kernel 700
kernel_stack 16384
pagetables 80
percpu 1
sock 4096
shmem 30
slab_reclaimable 3
slab 500
total_rss 7
active_file 400
inactive_file 600
workingset_refault_file 9
`

func TestParseMemoryStat(t *testing.T) {
	one := ParseMemoryStat([]byte(statV1), false)
	if *one.Anon != 2000 || *one.File != 1000 || *one.InactiveFile != 600 || *one.ActiveFile != 400 || *one.Shmem != 30 || *one.Swap != 50 ||
		one.Slab != nil || one.Kernel != nil || one.PageTables != nil {
		t.Errorf("v1: got %+v", one)
	}
	two := ParseMemoryStat([]byte(statV2), true)
	if *two.Anon != 2000 || *two.File != 1000 || *two.InactiveFile != 600 || *two.ActiveFile != 400 || *two.Shmem != 30 || two.Swap != nil ||
		*two.Slab != 500 || *two.Kernel != 700 || *two.PageTables != 80 || *two.Sock != 4096 {
		t.Errorf("v2: got %+v", two)
	}
}

func TestMemoryStatOddities(t *testing.T) {
	for name, in := range map[string]string{
		"negative, as the kernel has printed it": "anon 18446744073709547520\n",
		"negative":                               "anon -4096\n",
		"larger than 64 bits":                    "anon 99999999999999999999999\n",
		"two numbers, as in memory.numa_stat":    "anon 12 N0=5\n",
		"nothing behind it":                      "anon \nanon\n",
		"another name":                           "anon_thp 12\nanother 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			if s := ParseMemoryStat([]byte(in), true); s.Anon != nil {
				t.Errorf("got %d", *s.Anon)
			}
		})
	}
	if s := ParseMemoryStat([]byte("anon 0\n"), true); s.Anon == nil || *s.Anon != 0 {
		t.Error("zero is not absent")
	}
}

func FuzzParseMemoryStat(f *testing.F) {
	f.Add([]byte(statV1), false)
	f.Add([]byte(statV2), true)
	f.Add([]byte("anon 18446744073709551615\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, v2 bool) {
		s := ParseMemoryStat(b, v2)
		if s.Anon != nil && *s.Anon >= 1<<63 || v2 && s.Swap != nil || !v2 && s.Kernel != nil {
			t.Fatalf("got %+v", s)
		}
	})
}

func TestParseMemoryEvents(t *testing.T) {
	two := ParseMemoryEvents([]byte("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n"))
	if *two.AtLimit != 12 || *two.OOMKills != 2 || two.UnderOOM {
		t.Errorf("v2: got %+v", two)
	}
	one := ParseMemoryEvents([]byte("oom_kill_disable 1\nunder_oom 1\noom_kill 3\n"))
	if one.AtLimit != nil || *one.OOMKills != 3 || !one.UnderOOM {
		t.Errorf("v1: got %+v", one)
	}
	if old := ParseMemoryEvents([]byte("oom_kill_disable 0\nunder_oom 0\n")); old != (MemoryEvents{}) {
		t.Errorf("before 4.13: got %+v", old)
	}
}

func FuzzParseMemoryEvents(f *testing.F) {
	f.Add([]byte("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n"))
	f.Add([]byte("oom_kill_disable 0\nunder_oom 1\n"))
	f.Fuzz(func(_ *testing.T, b []byte) { ParseMemoryEvents(b) })
}

func TestParsePSI(t *testing.T) {
	p, ok := ParsePSI([]byte("some avg10=1.50 avg60=0.12 avg300=100.00 total=1234\nfull avg10=0.00 avg60=0.10 avg300=0.03 total=18446744073709551615\n"))
	want := PSI{Some: PSILine{1.5, 0.12, 100, 1234}, Full: PSILine{0, 0.1, 0.03, 1<<64 - 1}}
	if !ok || p != want {
		t.Errorf("got %+v, %v", p, ok)
	}
	if p, ok := ParsePSI([]byte("some avg10=nan avg60=inf avg300=-1 total=x\n")); !ok || p != (PSI{}) {
		t.Errorf("no numbers: got %+v, %v", p, ok)
	}
	if _, ok := ParsePSI([]byte("full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")); ok {
		t.Error("without some: took it")
	}
}

func FuzzParsePSI(f *testing.F) {
	f.Add([]byte("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"))
	f.Add([]byte("some avg10=NaN total=-1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, _ := ParsePSI(b)
		for _, n := range []float64{p.Some.Avg10, p.Some.Avg60, p.Full.Avg300} {
			if n != n || n < 0 || n > 1000 {
				t.Fatalf("%v is no share", n)
			}
		}
	})
}

func TestTmpfsLimit(t *testing.T) {
	const total, page = 1000 << 20, 4096
	for options, want := range map[string]uint64{
		"rw,size=1634576k,mode=755": 1634576 << 10, "rw,size=4096": 4096, "size=2M": 2 << 20, "size=3g": 3 << 30, "size=1T": 1 << 40,
		"rw,size=50%": 500 << 20, "nr_blocks=10,mode=1777": 40960, "nr_blocks=1k": 4 << 20, "size=0": 0, "size=1k,size=2k": 2 << 10,
		"size=400%": 4000 << 20,
	} {
		if got := TmpfsLimit(options, total, page); got == nil || *got != want {
			t.Errorf("%s: got %v, want %d", options, got, want)
		}
	}
	for _, none := range []string{"", "rw", "rw,nr_inodes=10k", "size=", "size=k", "size=1x", "size=-1k", "size=99999999999999999999k", "size=9999999999999t", "resize=1k"} {
		if got := TmpfsLimit(none, total, page); got != nil {
			t.Errorf("%s: got %d", none, *got)
		}
	}
}

func FuzzTmpfsLimit(f *testing.F) {
	f.Add("rw,size=1634576k,mode=755", uint64(1<<34))
	f.Add("size=50%", uint64(1<<34))
	f.Add("nr_blocks=5t", uint64(0))
	f.Fuzz(func(t *testing.T, options string, total uint64) {
		if n := TmpfsLimit(options, total, 4096); n != nil && total < 1<<62 && *n > 1<<62 {
			t.Fatalf("%s is %d", options, *n)
		}
	})
}

func TestParseHugePageSize(t *testing.T) {
	for in, want := range map[string]uint64{"hugepages-2048kB": 2 << 20, "hugepages-1048576kB": 1 << 30, "hugepages-64kB": 64 << 10} {
		if got, ok := parseHugePageSize(in); !ok || got != want {
			t.Errorf("%s: got %d, %v", in, got, ok)
		}
	}
	for _, other := range []string{"hugepages-kB", "hugepages-2048", "hugepages-2048MB", "demote", ""} {
		if got, ok := parseHugePageSize(other); ok {
			t.Errorf("%q: got %d", other, got)
		}
	}
}
