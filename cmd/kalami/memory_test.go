package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// A node beyond its budget says so until some of it is free again, and looks now and then.
func TestMemoryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		used, looks := uint64(100), 0
		b := &memoryBudget{most: 100, used: func() uint64 { looks++; return used }}
		for _, step := range []struct {
			used uint64
			want bool
		}{{100, false}, {101, true}, {96, true}, {95, false}, {100, false}} {
			used = step.used
			time.Sleep(memoryLooks)
			if got := b.over(); got != step.want || b.over() != got {
				t.Errorf("at %d of 100: %v", used, got)
			}
		}
		if looks != 5 {
			t.Errorf("%d looks, want 5", looks)
		}
	})
	if memoryUsed() == 0 {
		t.Error("the runtime has no memory")
	}
}
