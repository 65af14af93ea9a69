package simulate_test

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/providers/simulate"
)

func fluxParams(change ...string) url.Values {
	return changed(url.Values{
		"model": {"flux-general-en"}, "encoding": {"linear16"}, "sample_rate": {"16000"}, "eager_eot_threshold": {"0.4"},
	}, change)
}

// checkFluxRules asserts what Flux's documentation promises of every session.
func checkFluxRules(t *testing.T, got []message, eager bool) {
	t.Helper()
	state, eagerText, turn, toldAt := "ready", "", 0, 0.0
	for i, m := range got {
		if m.Sequence == nil || *m.Sequence != i {
			t.Errorf("message %d has sequence_id %v", i, m.Sequence)
		}
		if (i == 0) != (m.Type == "Connected") {
			t.Errorf("message %d is %s", i, m.Type)
		}
		if m.Type != "TurnInfo" {
			continue
		}
		if m.Turn != turn || m.WindowEnd < toldAt || m.WindowEnd-toldAt > 0.271 && m.Event == "Update" {
			t.Errorf("message %d: %s of turn %d to %v, want turn %d soon after %v", i, m.Event, m.Turn, m.WindowEnd, turn, toldAt)
		}
		toldAt = m.WindowEnd
		var texts []string
		for _, w := range m.Words {
			texts = append(texts, w.Word)
			if w.Start < m.WindowStart || w.End > m.WindowEnd {
				t.Errorf("message %d: word %+v outside %v to %v", i, w, m.WindowStart, m.WindowEnd)
			}
		}
		if strings.Join(texts, " ") != m.Transcript {
			t.Errorf("message %d: words %q, transcript %q", i, texts, m.Transcript)
		}
		switch {
		case m.Event == "Update" && state != "awaiting" && (state == "ongoing") == (m.Transcript != ""):
		case m.Event == "StartOfTurn" && state == "ready":
			state = "ongoing"
		case m.Event == "EagerEndOfTurn" && state == "ongoing" && eager && m.Transcript != "":
			state, eagerText = "awaiting", m.Transcript
		case m.Event == "TurnResumed" && state == "awaiting":
			state = "ongoing"
		case m.Event == "EndOfTurn" && (state == "awaiting" && m.Transcript == eagerText || state == "ongoing" && !eager):
			state = "ready"
			turn++
		default:
			t.Errorf("message %d: %s with %q while %s", i, m.Event, m.Transcript, state)
		}
	}
}

// events lists the turn events that are no updates, with what they say.
func events(got []message) []string {
	var out []string
	for _, m := range got {
		if m.Type == "TurnInfo" && m.Event != "Update" {
			out = append(out, m.Event)
		}
	}
	return out
}

func TestFluxKeepsItsRules(t *testing.T) {
	second := make([]int16, 16000)
	for _, test := range []struct {
		name  string
		q     url.Values
		audio func(t *testing.T) []int16
		want  []string
	}{
		{"one turn", fluxParams(), func(t *testing.T) []int16 { return fixture(t, "en-01-clean") },
			[]string{"StartOfTurn", "EagerEndOfTurn", "EndOfTurn"}},
		{"two turns", fluxParams(), func(t *testing.T) []int16 {
			return slices.Concat(fixture(t, "en-01-clean"), second, fixture(t, "en-01-clean"))
		}, []string{"StartOfTurn", "EagerEndOfTurn", "EndOfTurn", "StartOfTurn", "EagerEndOfTurn", "EndOfTurn"}},
		{"a hesitant sentence is one turn", fluxParams(), func(t *testing.T) []int16 {
			return slices.Concat(fixture(t, "en-02-hesitant"), second)
		}, []string{"StartOfTurn", "EagerEndOfTurn", "EndOfTurn"}},
		{"an eager end at the long pause is taken back", fluxParams("eager_eot_threshold", "0.3"), func(t *testing.T) []int16 {
			return slices.Concat(fixture(t, "en-02-hesitant"), second)
		}, []string{"StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"}},
		{"no eager ends unless asked for", fluxParams("eager_eot_threshold", ""), func(t *testing.T) []int16 {
			return slices.Concat(fixture(t, "en-02-hesitant"), second)
		}, []string{"StartOfTurn", "EndOfTurn"}},
		{"a broken sentence ends by the timeout", fluxParams("eot_timeout_ms", "1500"), func(t *testing.T) []int16 {
			return slices.Concat(fixture(t, "en-01-clean")[:24000], second, second)
		}, []string{"StartOfTurn", "EagerEndOfTurn", "EndOfTurn"}},
		{"noise is no turn", fluxParams(), func(t *testing.T) []int16 { return fixture(t, "xx-01-noise-only") }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := wire(t, keyed(simulate.Options{}), "/v2/listen", test.q)
				e.say(test.audio(t))
				got, code := e.finish()
				checkFluxRules(t, got, test.q.Has("eager_eot_threshold"))
				if !slices.Equal(events(got), test.want) {
					t.Errorf("events %q, want %q", events(got), test.want)
				}
				if code != websocket.StatusNoStatusRcvd {
					t.Errorf("closed with %v, want no status", code)
				}
			})
		})
	}
}

// The order holds with any latency.
func TestFluxKeepsItsRulesWhenItIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := simulate.Delay{P50: 200 * time.Millisecond, P99: time.Second}
		e := wire(t, keyed(simulate.Options{Latency: simulate.Latency{STTPartial: slow, STTEager: slow, STTFinal: slow}}), "/v2/listen", fluxParams())
		for range 3 {
			e.say(fixture(t, "en-01-clean"))
		}
		got, _ := e.finish()
		last := -1
		turns := 0
		for _, m := range got {
			if *m.Sequence != last+1 {
				t.Errorf("sequence_id %d after %d", *m.Sequence, last)
			}
			last = *m.Sequence
			if m.Event == "EndOfTurn" {
				turns++
			}
		}
		if turns != 3 {
			t.Errorf("%d turns, want 3", turns)
		}
	})
}

// CloseStream does not end a turn: a last update, and a close without a code.
func TestFluxCloseStreamLeavesTheTurnOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire(t, keyed(simulate.Options{}), "/v2/listen", fluxParams())
		e.say(fixture(t, "en-01-clean")[:32000])
		got, code := e.finish()
		if last := got[len(got)-1]; last.Event != "Update" || last.Transcript == "" || code != websocket.StatusNoStatusRcvd {
			t.Errorf("ended by %v after %+v", code, last)
		}
	})
}

func TestFluxControlMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire(t, keyed(simulate.Options{}), "/v2/listen", fluxParams("model", "flux-general-multi", "language_hint", "en"))
		last := func() message {
			synctest.Wait()
			return e.got[len(e.got)-1]
		}
		e.control(`{"type":"ForceEndTurn"}`)
		if m := last(); m.Type != "Warning" || m.Code != "FORCE_END_TURN_NO_ACTIVE_TURN" {
			t.Errorf("ForceEndTurn without a turn: %+v", m)
		}
		e.control(`{"type":"Configure","thresholds":{"eot_timeout_ms":900},"keyterms":["mesa"],"language_hints":["en","es"]}`)
		if m := last(); m.Type != "ConfigureSuccess" || m.Thresholds.TimeoutMS != 900 {
			t.Errorf("Configure: %+v", m)
		}
		e.control(`{"type":"Configure","thresholds":{"eager_eot_threshold":0.9,"eot_threshold":0.5}}`)
		if m := last(); m.Type != "ConfigureFailure" {
			t.Errorf("Configure with nonsense: %+v", m)
		}
		e.say(fixture(t, "en-01-clean")[:32000])
		e.control(`{"type":"ForceEndTurn"}`)
		if m := last(); m.Event != "EndOfTurn" || m.Transcript == "" {
			t.Errorf("ForceEndTurn: %+v", m)
		}
		e.control(`{"type":"KeepAlive"}`) // Nova's: fatal here
		<-e.over
		if m := e.got[len(e.got)-1]; m.Type != "Error" || m.Code == "" {
			t.Errorf("an unknown message: %+v", m)
		}
		if websocket.CloseStatus(e.err) == -1 {
			t.Errorf("ended by %v, want a close", e.err)
		}
	})
}

// Pings keep an idle socket for longer than the minute that it has.
func TestFluxIsKeptByPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire(t, keyed(simulate.Options{}), "/v2/listen", fluxParams())
		for range 4 {
			time.Sleep(50 * time.Second)
			if err := e.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		<-e.over
		closed, _ := errors.AsType[websocket.CloseError](e.err)
		if idle := time.Since(e.begun); idle != 260*time.Second || closed.Code != websocket.StatusInternalError {
			t.Errorf("closed by %v after %v, want a minute after the last ping", e.err, idle)
		}
	})
}
