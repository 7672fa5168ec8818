package hostfs

import "testing"

const arcStats = `13 1 0x01 147 39984 4280014434 10462436187
name                            type data
hits                            4    31337
c                               4    8353291264
c_min                           4    1044161408
c_max                           4    16706582528
size                            4    8353291264
compressed_size                 4    7
memory_available_bytes          3    -5
`

func TestParseARC(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want ARC
		ok   bool
	}{
		"OpenZFS":        {arcStats, ARC{8353291264, 1044161408, 16706582528}, true},
		"empty":          {"size 4 0\n", ARC{}, true},
		"no size":        {"c_max 4 5\n", ARC{Max: 5}, false},
		"nothing":        {"", ARC{}, false},
		"torn":           {"size                            4", ARC{}, false},
		"no number":      {"size 4 many\nsize 4 7x\n", ARC{}, false},
		"too large":      {"size 4 99999999999999999999999\n", ARC{}, false},
		"without a type": {"size 7\n", ARC{}, false},
	} {
		if got, ok := ParseARC([]byte(c.text)); got != c.want || ok != c.ok {
			t.Errorf("%s: got %+v %t", name, got, ok)
		}
	}
}

func FuzzParseARC(f *testing.F) {
	f.Add([]byte(arcStats))
	f.Add([]byte("size 4"))
	f.Add([]byte("size  4  \nc_min 4 1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if a, ok := ParseARC(b); !ok && a.Size != 0 {
			t.Errorf("a size of nothing: %+v", a)
		}
	})
}
