package hostfs

import "testing"

const limitsFile = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            1024                 524288               files     
Max nice priority         0                    0                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            18446744073709551614 us        
`

func TestParseLimits(t *testing.T) {
	limits := ParseLimits([]byte(limitsFile))
	if len(limits) != 5 {
		t.Fatalf("got %d limits of %+v, want 5: a heading is none", len(limits), limits)
	}
	if l := limits[0]; l.Name != "Max cpu time" || l.Soft != nil || l.Hard != nil || l.Unit != "seconds" {
		t.Errorf("unlimited: got %+v", l)
	}
	if l := limits[1]; l.Name != LimitOpenFiles || *l.Soft != 1024 || *l.Hard != 524288 || l.Unit != "files" {
		t.Errorf("open files: got %+v", l)
	}
	if l := limits[2]; l.Name != "Max nice priority" || *l.Soft != 0 || l.Unit != "" {
		t.Errorf("zero is not unlimited, and it has no unit: got %+v", l)
	}
	if l := limits[4]; l.Soft != nil || *l.Hard != 1<<64-2 {
		t.Errorf("one of two is unlimited: got %+v", l)
	}
}

func TestFindLimit(t *testing.T) {
	if l, ok := FindLimit([]byte(limitsFile), LimitOpenFiles); !ok || *l.Soft != 1024 || *l.Hard != 524288 {
		t.Errorf("got %+v %v", l, ok)
	}
	for _, none := range []string{"", "Max open files            x                    y                    files\n", "Max open files of a kind  1                    2                    files\n"} {
		if l, ok := FindLimit([]byte(none), LimitOpenFiles); ok {
			t.Errorf("%q: got %+v", none, l)
		}
	}
}

func FuzzParseLimits(f *testing.F) {
	f.Add([]byte(limitsFile))
	f.Add([]byte("Max open files            -1                   x                    files\n"))
	f.Add([]byte("Max open files            1024\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, l := range ParseLimits(b) {
			if l.Name == "" {
				t.Fatalf("a limit without a name: %+v", l)
			}
		}
	})
}
