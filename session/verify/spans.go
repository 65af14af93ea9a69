package verify

import (
	"cmp"
	"slices"
)

// span are frames, from up to and without next.
type span struct{ from, next uint32 }

// spans is a set of frames: sorted, and no two that touch.
type spans struct{ list []span }

// add takes frames into the set.
func (s *spans) add(from, next uint32) {
	if from >= next {
		return
	}
	// Those that touch it become one with it.
	i, _ := slices.BinarySearchFunc(s.list, from, func(x span, from uint32) int { return cmp.Compare(x.next, from) })
	j := i
	for ; j < len(s.list) && s.list[j].from <= next; j++ {
		from, next = min(from, s.list[j].from), max(next, s.list[j].next)
	}
	s.list = slices.Replace(s.list, i, j, span{from, next})
}

// end returns the frame after the last one.
func (s *spans) end() uint32 {
	if len(s.list) == 0 {
		return 0
	}
	return s.list[len(s.list)-1].next
}

// hole returns the first frame from from up to and without next that is missing. A nil set
// is empty.
func (s *spans) hole(from, next uint32) (missing uint32, ok bool) {
	if from >= next {
		return 0, false
	}
	if s != nil {
		for _, x := range s.list {
			if x.from <= from && from < x.next {
				from = x.next
			}
		}
	}
	return from, from < next
}
