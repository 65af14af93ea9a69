package session

import (
	"testing"

	"kalami/session/learn"
)

// What a node has said and not come to store is stored by the next one, which must not
// hear it again.
func TestNextInput(t *testing.T) {
	mark := func(stream uint16, next uint32) learn.InputMark { return learn.InputMark{Stream: stream, Next: next} }
	pending := Handover{Pending: []learn.Message{
		{Speaker: learn.SpeakerLearner, Input: mark(1, 90)}, {Speaker: learn.SpeakerTutor}, {Speaker: learn.SpeakerLearner, Source: "text"},
	}}
	for _, tt := range []struct {
		name         string
		h            Handover
		stored, want learn.InputMark
	}{
		{"nothing pending", Handover{}, mark(1, 50), mark(1, 50)},
		{"pending beyond what is stored", pending, mark(1, 50), mark(1, 90)},
		{"stored meanwhile", pending, mark(1, 90), mark(1, 90)},
		{"of an older microphone", pending, mark(2, 10), mark(2, 10)},
		{"nothing stored", pending, mark(0, 0), mark(1, 90)},
	} {
		if got := tt.h.NextInput(tt.stored); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
