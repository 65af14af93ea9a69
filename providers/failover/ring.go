package failover

import "sync"

// blockBytes is the size of the pieces that rings are made of: half a second at 16 kHz.
const blockBytes = 16 << 10

type block [blockBytes]byte

// newBlocks returns a pool from which the rings of one recogniser take their blocks.
func newBlocks() *sync.Pool { return &sync.Pool{New: func() any { return new(block) }} }

// ring holds the bytes of a stream from position start to position end, counted from
// the stream's first byte. Bytes are added at its end and let go at its start; how many
// it may hold is up to its owner. It has one owner at a time.
type ring struct {
	blocks     []*block
	start, end int64
	skip       int // bytes of the first block before start
	pool       *sync.Pool
}

// size is how many bytes it holds.
func (r *ring) size() int64 { return r.end - r.start }

// write adds b.
func (r *ring) write(b []byte) {
	for len(b) > 0 {
		used := r.skip + int(r.size())
		if used == len(r.blocks)*blockBytes {
			r.blocks = append(r.blocks, r.pool.Get().(*block))
		}
		n := copy(r.blocks[used/blockBytes][used%blockBytes:], b)
		b, r.end = b[n:], r.end+int64(n)
	}
}

// read copies what is from position at on into dst and says how much that is. at is
// within start and end.
func (r *ring) read(dst []byte, at int64) int {
	dst = dst[:min(int64(len(dst)), r.end-at)]
	from, n := r.skip+int(at-r.start), 0
	for n < len(dst) {
		c := copy(dst[n:], r.blocks[from/blockBytes][from%blockBytes:])
		n, from = n+c, from+c
	}
	return n
}

// trim lets go of what is before position to; what is gone already or not there yet
// is no matter.
func (r *ring) trim(to int64) {
	to = min(to, r.end)
	if to <= r.start {
		return
	}
	r.skip += int(to - r.start)
	r.start = to
	gone := r.skip / blockBytes
	for _, b := range r.blocks[:gone] {
		r.pool.Put(b)
	}
	r.blocks = append(r.blocks[:0], r.blocks[gone:]...)
	r.skip %= blockBytes
}

// free lets go of everything.
func (r *ring) free() {
	r.trim(r.end)
	for _, b := range r.blocks {
		r.pool.Put(b)
	}
	r.blocks, r.skip = nil, 0
}
