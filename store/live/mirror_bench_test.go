package live_test

import (
	"bytes"
	"fmt"
	"testing"

	"kalami/session/learn"
	"kalami/store/live"
	"kalami/store/storetest"
)

// BenchmarkKeepLive keeps a change of each of 1,000 conversations at once: an event of 250
// bytes and a state of 1.5 KiB. That is more than a node's 25 ms bring, in which few of its
// conversations change.
func BenchmarkKeepLive(b *testing.B) {
	for name, fresh := range map[string]storetest.FreshLive{
		"embedded": storetest.Embedded, "redis": storetest.Redis,
		"cluster": func(tb testing.TB) live.Options { return storetest.NewRedisCluster(tb).Fresh(tb) },
	} {
		b.Run(name, func(b *testing.B) {
			s := storetest.OpenLive(b, fresh(b))
			event, state := bytes.Repeat([]byte("e"), 250), bytes.Repeat([]byte("s"), 1536)
			changes := make([]learn.LiveChange, 1000)
			seq := uint64(0)
			for b.Loop() {
				seq++
				for i := range changes {
					changes[i] = learn.LiveChange{ConversationID: fmt.Sprint("conversation ", i), Epoch: 1, State: state, StateSeq: seq,
						Events: []learn.LiveEvent{{Seq: seq, Data: event}}}
				}
				if answer, err := s.KeepLive(b.Context(), "a", changes); err != nil || len(answer.Lost)+len(answer.Superseded) != 0 {
					b.Fatalf("%+v, %v", answer, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/conversation")
		})
	}
}

// BenchmarkRenewLive renews the leases of 1,000 conversations, which a node does every
// three seconds.
func BenchmarkRenewLive(b *testing.B) {
	for name, fresh := range map[string]storetest.FreshLive{
		"embedded": storetest.Embedded, "redis": storetest.Redis,
		"cluster": func(tb testing.TB) live.Options { return storetest.NewRedisCluster(tb).Fresh(tb) },
	} {
		b.Run(name, func(b *testing.B) {
			s := storetest.OpenLive(b, fresh(b))
			leases := make([]learn.LiveLease, 1000)
			for i := range leases {
				leases[i] = learn.LiveLease{ConversationID: fmt.Sprint("conversation ", i), Epoch: 1}
			}
			for b.Loop() {
				if _, err := s.RenewLive(b.Context(), "a", leases); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
