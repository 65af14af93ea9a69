package failover

import (
	"sync"
	"time"
)

// absence tells a stream's consumer when nobody has been listening for too long, and
// when somebody listens again. The zero value with told, which holds one, is ready.
type absence struct {
	told chan error // holds the newest

	mu      sync.Mutex
	timer   *time.Timer // runs from the beginning of an absence
	missing bool
	known   bool // the consumer was told of it
}

// begin says that nobody listens, whose fault is why; after a while the consumer is told.
func (a *absence) begin(after time.Duration, why error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.missing {
		return
	}
	a.missing = true
	a.timer = time.AfterFunc(after, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.missing && !a.known {
			a.known = true
			a.tell(why)
		}
	})
}

// end says that somebody listens.
func (a *absence) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.missing {
		return
	}
	a.missing = false
	a.timer.Stop()
	if a.known {
		a.known = false
		a.tell(nil)
	}
}

// over ends the telling.
func (a *absence) over() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.missing = false; a.timer != nil {
		a.timer.Stop()
	}
}

// tell replaces what the consumer has not taken. mu is held.
func (a *absence) tell(err error) {
	select {
	case <-a.told:
	default:
	}
	a.told <- err
}
