// Package learn holds what Kalami knows about learning a language by talking:
// learners, their profiles, conversations and messages, levels, the rules by which
// a tutor is instructed, and the errors that people may be shown.
//
// It is pure: no I/O, no clocks of its own, no goroutines; it imports the standard
// library only. The gateway, the live session and the store all speak in its types.
package learn
