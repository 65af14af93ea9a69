// Package verify holds Kalami to its promises afterwards: it tests invariants on what
// clients and nodes have written down, and on the database that they left behind.
//
// # The history
//
// Every client and every node writes a history: JSON lines, one [Record] each, which says
// who saw what, when, and in which conversation. What was seen is a [Fact]; the facts of
// clients stand in facts_client.go, those of nodes in facts_node.go. A [Writer] writes a
// history, [Read] reads it. A line is
//
//	{"v":1,"by":"node-1","at_us":1700000000000000,"conversation":"0192…","kind":"took_over","data":{"epoch":2}}
//
// Histories hold ids, numbers and hashes, never what somebody said: a text stands there as
// the hash of its words ([HashWords]). That keeps texts out of files that are copied
// around. It does not hide them: a short text can be guessed from its hash. Write histories
// where the data is nobody's.
//
// Order is what the lines of one writer say. Times are for people, and for what is counted
// in seconds: each writer's never go back, but two writers' clocks may differ.
//
// A history may end at any moment, since its writer may have been killed: what is missing
// from it is never a violation by itself, and its last line may be torn.
//
// # The check
//
// [Check] tests the promises I1 to I12 on [Evidence]: histories, the database, logs. The
// table of them stands in invariants.go, and each is tested in a file of its own. What was
// not written down is not tested; a database alone, as after a restore, is tested for what
// it says of itself. All records are held in memory, some hundred bytes each, and one
// conversation of the database at a time.
//
// A [Violation] names the promise and the record that shows it, with those around it in the
// same conversation. The [Report] ends with the line that each run closes with.
package verify
