// Package turntaking holds the rules by which a patient tutor and a hesitant learner
// take turns: when silence means that the learner is done, what only means "go on",
// and what is the tutor's own voice coming back. It is pure: no I/O, no goroutines,
// and no clock but the times it is given, so that a bench can replay a day of
// lessons in a second with the very code that conducts them.
//
// [Clock] is the turn clock: whoever conducts tells it words, edges of the voice and
// wishes, and asks it until when the turn stays open.
package turntaking
