package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"kalami/session"
)

// ask has the simulated model say something to a learner's line, and returns how many
// tokens it says it sent.
func ask(t *testing.T, v *vendors, language, line string) int {
	t.Helper()
	body := fmt.Sprintf(`{"model":"m","max_tokens":100,"stream":true,"system":"You teach (%s).","messages":[{"role":"user","content":%q}]}`, language, line)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+"/v1/messages", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", "key")
	r.Header.Set("Anthropic-Version", "2023-06-01")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	events, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v: %s", res.Status, err, events)
	}
	var last struct{ Usage session.Usage }
	for data := range bytes.SplitSeq(events, []byte("\n")) {
		if data, ok := bytes.CutPrefix(data, []byte("data: ")); ok && bytes.Contains(data, []byte(`"message_delta"`)) {
			if err := json.Unmarshal(data, &last); err != nil {
				t.Fatal(err)
			}
		}
	}
	return last.Usage.OutputTokens
}

// Every answer has the tokens that the figures speak of, and what the model sends is
// counted.
func TestAnswers(t *testing.T) {
	v, err := startVendors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		http.DefaultClient.CloseIdleConnections()
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}()
	asked, sent := 0, 0
	for language, script := range scripts() {
		for _, turn := range script.Turns[:2] {
			n := ask(t, v, language, turn.Learner)
			if n != replyTokens {
				t.Errorf("%q is answered with %d tokens", turn.Learner, n)
			}
			asked, sent = asked+1, sent+n
		}
	}
	if calls, tokens := int(v.calls.Load()), int(v.tokens.Load()); calls != asked || tokens != sent {
		t.Errorf("counted %d calls and %d tokens, want %d and %d", calls, tokens, asked, sent)
	}
}

// Every line is long enough to be heard, begins and ends with a voice, and hesitates in
// between when it is to.
func TestUtterances(t *testing.T) {
	const frame = micRate / 50 * 2
	for language, script := range scripts() {
		all, err := utterances("../speech", language)
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range all {
			length := time.Duration(len(u.fluent)) * time.Second / (2 * micRate)
			if least := spokenFor(script.Turns[i]); length < least {
				t.Errorf("%q lasts %v, want %v at least", script.Turns[i].Learner, length, least)
			}
			for _, pcm := range [][]byte{u.fluent, u.hesitant} {
				if level(pcm[:frame]) < loud || level(pcm[len(pcm)-frame:]) < loud {
					t.Errorf("%q does not begin and end with a voice", script.Turns[i].Learner)
				}
			}
			if !bytes.Contains(u.hesitant, make([]byte, int(pauseTime.Seconds()*micRate)*2)) {
				t.Errorf("%q has no pause", script.Turns[i].Learner)
			}
		}
	}
	if _, err := utterances(t.TempDir(), "en"); err == nil {
		t.Error("a folder without recordings has some")
	}
}

// The figures are those of the samples, and the lines for machines have them.
func TestReport(t *testing.T) {
	var s samples
	for i := range 100 {
		s = append(s, time.Duration(100-i)*time.Millisecond)
	}
	if s.at(0.5) != 50 || s.at(0.95) != 95 || s.at(0.99) != 99 || s.at(1) != 100 || samples(nil).at(0.5) != 0 {
		t.Errorf("quantiles %d %d %d", s.at(0.5), s.at(0.95), s.at(0.99))
	}
	turns := []measured{{first: 700 * time.Millisecond, latency: session.Latency{HeardMS: 695}}, {first: 900 * time.Millisecond, hesitant: true}}
	c := &class{drafts: "on", endpoint: true, byWhom: map[string][]measured{"B1": turns}, greetings: 2, calls: 5, tokens: 66, usage: 60}
	got := report([]*class{c})
	for _, want := range []string{
		"turn_latency drafts=on p50_ms=700 p95_ms=900 p99_ms=900 llm_calls_per_turn=1.50 wasted_tokens=6\n",
		"latency_agreement p50_ms=5 p95_ms=5\n", "| on | 2 | 1 | 700 ms | 900 ms | 900 ms | 1.50 | 6 |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("there is no %q in\n%s", want, got)
		}
	}
}

// What cannot be used is said.
func TestRefuses(t *testing.T) {
	for _, args := range [][]string{{"x"}, {"-drafts", "maybe"}, {"-learners", "0"}, {"-length", "-1s"}, {"-speech", t.TempDir()}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}
