// Package drafts decides whether an answer may be begun early. A draft that becomes
// the answer costs nothing; one that is dropped was paid for in vain, with a call of the
// language model, the tokens it had made, and the characters its voice had been given.
// So there is a [Governor] for a node and a [Budget] for each conversation on it, and a
// draft is begun only when all of this says yes:
//
//   - Calls per turn. Each turn that was answered earns [Options].PerTurn of a dropped
//     draft, and each dropped draft costs one. Nobody lends: in n turns there are never
//     more than n·(1+PerTurn) calls, and the first two drafts on top.
//   - The minute. What was dropped is taken from buckets that fill up within a minute,
//     of the conversation and of the node. A call is taken when the draft begins and
//     given back when it is released, so that two conversations cannot both take the
//     node's last one; tokens and characters are taken when it is known how many.
//   - The record. When of the last eight drafts or so fewer than 40 % were released,
//     drafts stand down: this learner does not stop where it seems so. Now and then one
//     is tried. Each that is released lets the next turn try again, each that is dropped
//     doubles the wait. The record is remembered with the learner as a [Habit].
//   - The load. A node with many conversations, or whose language model refuses for want
//     of capacity, needs its calls for answers.
//
// The package is pure: no I/O, no goroutines, and no clock but the times it is given.
package drafts
