// Package srs says when a card should be asked again, by how well it was known before
// (spaced repetition). The algorithm is FSRS-5, as package go-fsrs computes it; this package
// stands between that and everybody else, because the library checks nothing.
//
// # What it guards against
//
// Given a review that is dated before the last one, go-fsrs takes the days between them for
// 1.8e19 and remembers the card for years; given a rating that is none, it answers with an
// empty card; one of its schedulers must not be shared, since it writes to itself; what it
// answers has the time zone of what it was asked with; a card that was forgotten a thousand
// times in a row is left with a stability of 5e-324 days; and the buttons above "hard" may
// lead beyond the longest interval. So here reviews are put in
// order and within bounds before the library sees them, what is no rating never gets there,
// a [Scheduler] is a value that any number of goroutines may use, all times are UTC, and what
// comes back is bounded.
//
// # The log is the truth
//
// What is known of a card follows from its reviews alone. Devices that are offline review the
// same card and tell of it later, in any order, more than once, with clocks that are wrong;
// so after each change the whole log is replayed in the order of (time, id), by
// [Scheduler.Replay], which is a pure function of it: nothing is fuzzed and no clock is read.
// A replay of sixty reviews takes about a tenth of a millisecond. Which time a review has, when
// a device's clock cannot be trusted, is said by [Skew] and [When].
package srs
