// Package failover makes one vendor of several: a recogniser, a tutor, a voice, an
// analyst that go on when a vendor dies, is slow or lies. Each is a providers contract over the same
// contract, the preferred vendor first.
//
// # Who is asked
//
// Each vendor of each part has a circuit breaker: since a client holds one key for one
// kind of call, that is a breaker per node, vendor, key and kind. It counts failed calls
// and slow ones (later than [Options.Slow], or beaten by a vendor that was asked after
// it), and opens when half of the last calls were so. [providers.Denied] and
// [providers.Quota] open it at once, [providers.Overloaded] for the time that the vendor
// asks for. A vendor whose breaker is open is not asked while another one's is closed;
// when all are open every one is, since a learner is waiting.
//
// A breaker closes by a probe: a call of our own with our own words, never a learner's.
// It is made in the background when a call would have gone to the vendor, at most once in
// five seconds on the node ([Probes]) and less often the longer the vendor is down. Since
// who answers probes may still fail learners, it is then on trial: one learner's call at a
// time goes there, the others to the next vendor, until one has gone well; and the wait for
// the next probe, should it fail, goes on growing until several have.
//
// # What it may cost
//
// Extra calls are hedges (a second vendor asked although the first has not failed), probes,
// and moves (the next vendor asked because the first has failed, or is later than
// [Options.Slow]). There are at most a hundred of them within any thousand ordinary calls
// of a part. Hedges and probes are earned by ordinary calls and take no more than half of
// that; the rest is the moves', since the calls of all learners fail at once when a vendor
// dies, until its breaker is open. A node that has been quiet may hedge at once.
// Bulkheads bound what is under way at one vendor, and each tenant's share of it
// ([providers.WithTenant]).
//
// # Which failures another vendor may cure
//
//   - Unavailable, Overloaded: that vendor has trouble. Ask the next.
//   - Denied, Quota: that vendor's account has trouble. Ask the next.
//   - Invalid: that vendor does not know the model, refuses the subject, or we sent
//     nonsense. The first two are cured by another vendor, and the learner cannot repair
//     the third; so the next is asked, but as it is somebody's mistake it is logged as an
//     error.
//   - The end of the context, and errors that are no vendor's: nobody else is asked.
//
// # What has been said stays said
//
// A [Tutor] moves on by itself before the first word alone: two models' halves of a
// sentence do not fit. Who speaks the reply knows what has been said and asks for its
// continuation ([providers.Prompt.Said]). A [Voice] knows what has been spoken and goes
// on from there with the next vendor, see there. A [Recognizer]
// keeps what it was told and has not understood, and tells it to the next one.
//
// The breakers' states and bulkheads are failsafe-go's, used as stand-alone permits in
// two steps (begun, settled): its executors wrap calls that return, and streams do not.
// Its budget counts calls in flight, which permits a hedge of every call of a quiet node;
// so the budget here counts by windows of calls instead.
package failover
