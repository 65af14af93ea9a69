//go:build chaos

package session

// plantedPanic panics when a learner has typed the word for it, so that deploy/chaos can
// show that a bug in one session is the end of nothing else.
func plantedPanic(typed string) {
	if typed == "kalami: panic" {
		panic("planted, and asked for")
	}
}
