// Package live keeps what is short-lived and shared between nodes, on Redis:
// secrets that may be used once, counters of rates, and clips of phrases that are
// spoken again and again. All of it may be lost without losing anything that a learner
// was told is kept; that is package store.
//
// Redis is always spoken to through go-redis. Without a URL the process starts a
// Redis of its own, miniredis, on in-memory pipes instead of a port, so that there
// is one code path; that embedded mode is for one node. Rates alone, which nearly every
// request asks for, are then counted beside it and not by a script. Miniredis does not let keys
// expire by itself: one goroutine moves its clock, ten times a second, and Close
// waits for it. So an embedded key may expire a tenth of a second early.
//
// # How long it may take
//
// A voice path must degrade rather than wait. Commands obey their context and end
// after 200 ms of reading or writing, dialling is tried once for at most 500 ms, a
// full pool is a fault after 100 ms, and nothing is retried, because a command that
// timed out may have had its effect. The embedded Redis gets two seconds instead of
// those fractions, since it is slow only when the machine itself is. Every failure is a
// *learn.Error of kind Unavailable; what then happens (refuse, or go on without) is for
// the caller.
//
// # Keys
//
// Keys begin with a prefix, and what they are about stands in braces, kalami:once:{…},
// so that a cluster keeps together what a script touches together. Every key has a
// time to live.
//
// # The library's own log
//
// go-redis prints failed dials through a logger that is global to the process, so
// this package does not set it. The program's main function may, once:
// redis.SetLogger(live.NewLibraryLog(log)).
package live
