// Package live keeps what is short-lived and shared between nodes, on Redis: the
// conversations that are going on, so that another node can take them up in mid-sentence,
// who owns them, and how many each learner and school has; secrets that may be used once,
// counters of rates, notices to all nodes, and clips of phrases that are spoken again and
// again. All of it may be lost without losing anything that a learner was told is kept;
// that is package store.
//
// Redis is always spoken to through go-redis. Without a URL the process starts a
// Redis of its own, miniredis, on in-memory pipes instead of a port, so that there
// is one code path; that embedded mode is for one node. What is asked for all the time
// (rates, conversations, places) is then kept beside it and not by scripts, and the suite
// holds both to the same answers. Miniredis does not let keys
// expire by itself: one goroutine moves its clock, ten times a second, and Close
// waits for it. So an embedded key may expire a tenth of a second early.
//
// # How long it may take
//
// A voice path must degrade rather than wait. Commands obey their context and end
// after 200 ms of reading or writing, dialling is tried once for at most 500 ms, a
// full pool is a fault after 100 ms, and nothing is retried, because a command that
// timed out may have had its effect. The embedded Redis gets two seconds instead of
// those fractions, since it is slow only when the machine itself is. On a cluster a call
// may be sent on from one master to another, and ends after 300 ms with all of that.
//
// A Redis that has let three calls in a row wait is not asked by callers any more: they
// fail at once, until a goroutine that asks every 250 ms has had an answer. On a cluster
// that is so for each master by itself. [Store.Degraded] and [Store.Watch] tell. It is the
// same for a Redis that was never there: [Open] does not wait for it.
//
// Every failure is a *learn.Error of kind Unavailable; what then happens (refuse, or go on
// without) is for the caller.
//
// # Conversations
//
// A node passes on what changes in its conversations with [Store.KeepLive], some forty
// times a second, and says that it is alive with [Store.RenewLive] and [Store.RenewPlaces],
// every three seconds. Both scripts know the highest epoch and refuse the others, but they
// are not what makes writing safe: Redis may forget an epoch, the database does not.
//
// The answers tell what was lost on the way or in Redis, and the node then sends all that
// it has of that once more. So a Redis that comes back empty is full again after one round.
// Who may be told of a change of owner, or of the end of a sign-in, is told by a notice
// ([Store.Publish]); as one may be lost, whoever depends on it also asks the database.
//
// Of a conversation there are two keys, live:{s:…} and events:{s:…}; see keepScript. Redis
// 7.0 says of their memory: 3.4 KB with a state of 1.5 KiB, and 256 bytes for each event of
// 250, so 19 KB for a short lesson and 135 KB for a full log of 512 such events; 1.2 MB at
// most. Leases and places are some 100 bytes each. Keeping a change of each of 1,000
// conversations at once (250 bytes of event, 1.5 KiB of state) took 44 ms to 69 ms on two
// cores that others were using as well, renewing 1,000 leases 48 ms; a node's usual batch is
// a tenth of that.
//
// # Keys
//
// Keys begin with a prefix, and what they are about stands in braces, kalami:once:{…},
// so that a cluster keeps together what a script touches together: {s:…} for a
// conversation, {u:…} and {t:…} for the places of a user and a tenant. No script touches
// two of those. A set of places has its holders beside it. Every key has a time to live.
//
// # The library's own log
//
// go-redis prints failed dials through a logger that is global to the process, so
// this package does not set it. The program's main function may, once:
// redis.SetLogger(live.NewLibraryLog(log)).
package live
