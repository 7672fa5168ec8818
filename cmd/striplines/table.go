package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The table of Go 1.20 and later on a 64-bit machine, runtime/symtab.go and
// runtime/runtime2.go of Go's source:
//
//	header     magic (4 bytes), 0 0, size of an instruction, size of a pointer, and of
//	           8 bytes each: functions, files, unused, offsets of the next five
//	funcname   names of functions
//	cutab      indexes into filetab
//	filetab    names of files
//	pctab      sequences of (value, length of code), each ended by a 0
//	functions  (entry, offset of a function) of 4 bytes each, and the functions
//
// A function has words of 4 bytes, the last byte of which is nfuncdata; then the
// offsets in pctab of npcdata more sequences, those of the garbage collector; then
// nfuncdata words that are none of ours. The next function comes at once, at a
// multiple of the size of a pointer.
const (
	magic      = 0xfffffff1
	headerSize = 72

	wordPCSP      = 4 // the size of the stack frame: needed to walk a stack
	wordPCFile    = 5
	wordPCLine    = 6
	wordNPCData   = 7
	wordCU        = 8
	wordStartLine = 9
	functionWords = 11

	byteNFuncData = 4*functionWords - 1
)

var errTorn = errors.New("its table of functions is not what this program knows: see runtime/symtab.go of the Go release")

// lineTable is such a table, taken apart.
type lineTable struct {
	order                            binary.ByteOrder
	cutab, filetab, pctab, functions []byte
	count                            int
}

func parse(table []byte, order binary.ByteOrder) (t lineTable, err error) {
	if len(table) < headerSize {
		return t, errTorn
	}
	if m := order.Uint32(table); m != magic || table[7] != 8 {
		return t, fmt.Errorf("%w: magic %#x, pointers of %d bytes", errTorn, m, table[7])
	}
	at := make([]uint64, 0, 6)
	for i := 4; i < 9; i++ {
		at = append(at, order.Uint64(table[8*i:]))
	}
	at = append(at, uint64(len(table)))
	if !slices.IsSorted(at) {
		return t, errTorn
	}
	part := func(i int) []byte { return table[at[i]:at[i+1]] }
	t = lineTable{order: order, cutab: part(1), filetab: part(2), pctab: part(3), functions: part(4)}
	count := order.Uint64(table[8:])
	if count == 0 || count > uint64(len(t.functions)/8) {
		return t, errTorn
	}
	t.count = int(count)
	return t, nil
}

// function gives the words of function i, the offsets of its pcdata among them.
func (t *lineTable) function(i int) ([]byte, error) {
	offset := uint64(t.order.Uint32(t.functions[8*i+4:]))
	if offset+4*functionWords > uint64(len(t.functions)) {
		return nil, errTorn
	}
	f := t.functions[offset:]
	size := 4 * (functionWords + uint64(t.word(f, wordNPCData)))
	if size > uint64(len(f)) || !t.endsRightly(i, offset+size+4*uint64(f[byteNFuncData])) {
		return nil, errTorn
	}
	return f[:size], nil
}

// endsRightly says whether function i+1 begins where function i ends: a release
// that adds or moves a word, under the same magic, is noticed by that.
func (t *lineTable) endsRightly(i int, end uint64) bool {
	if i == t.count-1 {
		return end <= uint64(len(t.functions))
	}
	const pointer = 8
	next := uint64(t.order.Uint32(t.functions[8*i+12:]))
	return next == (end+pointer-1)/pointer*pointer
}

func (t *lineTable) word(f []byte, i int) uint32 { return t.order.Uint32(f[4*i:]) }

// stripLines zeroes what tells files and lines. For the runtime a sequence at
// offset 0 is one that is not there (pcvalue in runtime/symtab.go).
func stripLines(table []byte, order binary.ByteOrder) error {
	t, err := parse(table, order)
	if err != nil {
		return err
	}
	// Functions and purposes share sequences that are the same.
	kept, seen := make([]bool, len(t.pctab)), map[uint32]bool{0: true} // 0: none
	for i := range t.count {
		f, err := t.function(i)
		if err != nil {
			return err
		}
		for _, w := range []int{wordPCFile, wordPCLine, wordCU, wordStartLine} {
			clear(f[4*w : 4*w+4])
		}
		needed := []uint32{t.word(f, wordPCSP)}
		for w := functionWords; w < len(f)/4; w++ {
			needed = append(needed, t.word(f, w))
		}
		for _, start := range needed {
			if seen[start] {
				continue
			}
			seen[start] = true
			if err := t.keep(kept, int(start)); err != nil {
				return err
			}
		}
	}
	for i := range t.pctab {
		if !kept[i] {
			t.pctab[i] = 0
		}
	}
	clear(t.cutab)
	clear(t.filetab)
	return nil
}

// keep marks the sequence that starts at start: pairs of varints, up to a value
// of 0 that is not the first.
func (t *lineTable) keep(kept []bool, start int) error {
	at := start
	for first := true; at < len(t.pctab); first = false {
		value, n := binary.Uvarint(t.pctab[at:])
		if n <= 0 {
			return errTorn
		}
		last := value == 0 && !first
		if !last {
			_, length := binary.Uvarint(t.pctab[at+n:])
			if length <= 0 {
				return errTorn
			}
			n += length
		}
		for range n {
			kept[at] = true
			at++
		}
		if last {
			return nil
		}
	}
	return errTorn
}
