package storetest

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"kalami/session/learn"
	"kalami/store/live"
)

// testMirrorModel: whatever nodes keep, renew, repeat and forget in whatever order, two
// stores that work in different ways answer and hold the same.
func testMirrorModel(t *testing.T, s *live.Store) {
	model := OpenLive(t, live.Options{})
	names := 0
	rapid.Check(t, func(t *rapid.T) {
		names++ // what other sequences left
		id := fmt.Sprint("conversation ", names)
		var sent []learn.LiveChange
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			epoch := rapid.Int64Range(1, 4).Draw(t, "epoch")
			node := fmt.Sprint("node ", epoch)
			var got, want any
			switch what := rapid.SampledFrom([]string{"keep", "keep", "keep", "again", "renew", "forget"}).Draw(t, "what"); {
			case what == "again" && len(sent) > 0:
				c := rapid.SampledFrom(sent).Draw(t, "which")
				c.State = nil // a state that is sent again is a newer one
				got, want = keepBoth(t, s, model, fmt.Sprint("node ", c.Epoch), c)
			case what == "renew":
				leases := []learn.LiveLease{{ConversationID: id, Epoch: epoch}}
				a, err := s.RenewLive(t.Context(), node, leases)
				must2(t, err)
				b, err := model.RenewLive(t.Context(), node, leases)
				must2(t, err)
				got, want = a, b
			case what == "forget":
				must2(t, s.ForgetLive(t.Context(), id, epoch))
				must2(t, model.ForgetLive(t.Context(), id, epoch))
			default:
				c := learn.LiveChange{ConversationID: id, Epoch: epoch}
				from := rapid.Uint64Range(1, 40).Draw(t, "from")
				c.Events = events(from, from+rapid.Uint64Range(0, 8).Draw(t, "count")-1)
				if rapid.Bool().Draw(t, "long") {
					c.Events = events(from, from+rapid.Uint64Range(500, 600).Draw(t, "many"))
				}
				if rapid.Bool().Draw(t, "with state") {
					c.State, c.StateSeq = []byte(rapid.String().Draw(t, "state")), from
				}
				sent = append(sent, c)
				got, want = keepBoth(t, s, model, node, c)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("answered %+v, the model %+v", got, want)
			}
			a, ok, err := s.Live(t.Context(), id)
			must2(t, err)
			b, okToo, err := model.Live(t.Context(), id)
			must2(t, err)
			if len(a.Events)+len(b.Events) == 0 {
				a.Events, b.Events = nil, nil
			}
			if ok != okToo || !reflect.DeepEqual(a, b) {
				t.Fatalf("kept is\n%+v, %v; the model has\n%+v, %v", a, ok, b, okToo)
			}
		}
	})
}

func keepBoth(t *rapid.T, s, model *live.Store, node string, c learn.LiveChange) (got, want learn.LiveAnswer) {
	got, err := s.KeepLive(t.Context(), node, []learn.LiveChange{c})
	must2(t, err)
	want, err = model.KeepLive(t.Context(), node, []learn.LiveChange{c})
	must2(t, err)
	return got, want
}
