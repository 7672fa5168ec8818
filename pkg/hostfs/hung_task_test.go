package hostfs

import "testing"

func TestParseHungTask(t *testing.T) {
	for line, want := range map[string]HungTask{
		"INFO: task jbd2/vdb-8:123 blocked for more than 122 seconds.":                             {"jbd2/vdb-8", 123, 122},
		"INFO: task java:4711 blocked in I/O wait for more than 368 seconds.":                      {"java", 4711, 368},
		"INFO: task a: blocked b:7 blocked for more than 120 seconds.":                             {"a: blocked b", 7, 120},
		"INFO: task kworker/u4:1:99 blocked for more than 120 seconds.":                            {"kworker/u4:1", 99, 120},
		"INFO: task a b <writer>:7 blocked for more than 120 seconds.":                             {"a b <writer>", 7, 120},
		"INFO: task spi0:73 is blocked on a mutex likely owned by task kworker/0:1:9.":             {},
		"INFO: task spi0:73 <reader> blocked on an rw-semaphore likely owned by task a:9 <writer>": {},
		"INFO: task :7 blocked for more than 120 seconds.":                                         {"", 7, 120},
		"INFO: task java:0 blocked for more than 122 seconds.":                                     {},
		"INFO: task java blocked for more than 122 seconds.":                                       {},
		"INFO: task java:7 blocked for more than many seconds.":                                    {},
		"INFO: task java:7 blocked for more than 122 years":                                        {},
		"INFO: task java:7 blocked":                                                                {},
		"INFO: rcu_sched self-detected stall on CPU":                                               {},
		"task java:7 blocked for more than 122 seconds.":                                           {},
		"": {},
	} {
		if got, ok := ParseHungTask(line); got != want || ok != (want != HungTask{}) {
			t.Errorf("%q: got %+v, %v", line, got, ok)
		}
	}
}

func FuzzParseHungTask(f *testing.F) {
	f.Add("INFO: task jbd2/vdb-8:123 blocked for more than 122 seconds.")
	f.Add("INFO: task : blocked  for more than ")
	f.Add("INFO: task spi0:73 <reader> blocked on an rw-semaphore likely owned by task a:9 <writer> for more than 1 seconds")
	f.Fuzz(func(t *testing.T, line string) {
		if h, ok := ParseHungTask(line); ok && h.TID <= 0 {
			t.Fatalf("%q: %+v", line, h)
		}
	})
}
