package main

import (
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// memoryLooks is how often the memory is looked at, at the most.
const memoryLooks = 250 * time.Millisecond

// memoryBudget knows whether the process has more memory than it may. Collecting garbage
// is tried first: the Go runtime is given nine tenths of the budget as its soft limit, so
// that what is above the budget is really needed.
type memoryBudget struct {
	// Static after budgetMemory.
	most uint64 // bytes; 0 for no budget
	used func() uint64

	mu     sync.Mutex
	looked time.Time
	above  bool
}

// budgetMemory gives the process a budget in bytes; 0 is none.
func budgetMemory(bytes int) *memoryBudget {
	if bytes > 0 {
		debug.SetMemoryLimit(int64(bytes) / 10 * 9)
	}
	return &memoryBudget{most: uint64(bytes), used: memoryUsed}
}

// over says whether it is exceeded. Once it was, it is until a twentieth of it is free.
func (b *memoryBudget) over() bool {
	if b.most == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); b.looked.IsZero() || now.Sub(b.looked) >= memoryLooks {
		b.looked = now
		used := b.used()
		b.above = used > b.most || b.above && used > b.most/20*19
	}
	return b.above
}

// memoryUsed is what the runtime has of the machine's memory and has not given back: what
// its soft limit counts.
func memoryUsed() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
