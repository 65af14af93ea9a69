package learn

import "testing"

// What the mirror holds is void when a session came between that it knows nothing of, and
// of which the client knows.
func TestOvertaken(t *testing.T) {
	held := LiveState{Epoch: 4, Events: []LiveEvent{{Seq: 8}, {Seq: 9}}}
	for _, tt := range []struct {
		name    string
		epoch   int64
		lastSeq uint64
		want    bool
	}{
		{"its own successor, and the mirror was late", 5, 12, false},
		{"one came between, and was told of", 6, 12, true},
		{"one came between, and reached nobody", 6, 9, false},
	} {
		if got := held.Overtaken(tt.epoch, tt.lastSeq); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if !(LiveState{Epoch: 1}).Overtaken(3, 1) || (LiveState{Epoch: 1}).Last() != 0 {
		t.Error("a log without events has an end")
	}
}
