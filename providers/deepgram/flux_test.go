package deepgram

import (
	"fmt"
	"slices"
	"testing"

	"kalami/providers"
)

func turn(event, transcript string) string {
	words := `[]`
	if transcript != "" {
		words = fmt.Sprintf(`[{"word":%q,"confidence":0.5,"start":1,"end":1.5}]`, transcript)
	}
	return fmt.Sprintf(`{"type":"TurnInfo","event":%q,"audio_window_start":0,"audio_window_end":2,"transcript":%q,"words":%s}`, event, transcript, words)
}

func TestFluxSegments(t *testing.T) {
	for _, test := range []struct {
		name string
		msgs []string
		want []string
	}{
		{
			name: "a turn's events map one to one",
			msgs: []string{
				turn("Update", ""), turn("StartOfTurn", "a"), turn("Update", "ab"), turn("EagerEndOfTurn", "ab"), turn("TurnResumed", "abc"),
				turn("Update", "abc"), turn("EagerEndOfTurn", "abc"), turn("EndOfTurn", "abc"), turn("Update", ""),
			},
			want: []string{
				"start 0 a (1)", "update 0 ab (1)", "eager_end 0 ab (1)", "resumed 0 abc (1)", "update 0 abc (1)", "eager_end 0 abc (1)", "end 0 abc (1)",
			},
		},
		{
			name: "turns count up",
			msgs: []string{turn("StartOfTurn", "a"), turn("EndOfTurn", "a"), turn("StartOfTurn", "b"), turn("EndOfTurn", "b")},
			want: []string{"start 0 a (1)", "end 0 a (1)", "start 1 b (1)", "end 1 b (1)"},
		},
		{
			name: "the last update is final when the stream is closed",
			msgs: []string{turn("StartOfTurn", "a"), turn("Update", "ab")},
			want: []string{"start 0 a (1)", "update 0 ab (1)", "end 0 ab (1)"},
		},
		{
			name: "nothing is final when nobody spoke",
			msgs: []string{turn("Update", ""), turn("EndOfTurn", "")},
		},
		{
			name: "a vendor that breaks its order is put right",
			msgs: []string{turn("TurnResumed", "a"), turn("EagerEndOfTurn", ""), turn("StartOfTurn", "a"), turn("NewEvent", "a"), turn("EndOfTurn", "a")},
			want: []string{"start 0 a (1)", "update 0 a (1)", "end 0 a (1)"},
		},
		{
			name: "other messages mean nothing",
			msgs: []string{
				`{"type":"Connected","request_id":"u","sequence_id":0}`, `{"type":"Warning","code":"FORCE_END_TURN_NO_ACTIVE_TURN"}`,
				`{"type":"ConfigureFailure","error_code":"x"}`, `{"type":"NewType","event":"StartOfTurn","transcript":"a"}`,
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var turns fluxTurns
			var got []string
			emit := func(h providers.Heard) { got = append(got, told(h)) }
			for _, m := range test.msgs {
				if _, err := turns.receive([]byte(m), emit); err != nil {
					t.Fatal(err)
				}
			}
			turns.finish(emit)
			if !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}
