//go:build !chaos

package session

// plantedPanic does nothing: only nodes that are built to be broken (-tags chaos) panic
// when a learner asks for it.
func plantedPanic(string) {}
