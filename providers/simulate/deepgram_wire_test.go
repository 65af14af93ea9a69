package simulate_test

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/providers/providertest"
	"kalami/providers/simulate"
)

// A hesitant sentence: every pause of endpointing is a speech_final, words are
// placed in the audio, and the gap between words is told once.
func TestNovaHearsAHesitantSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire(t, keyed(simulate.Options{}), "/v1/listen", novaParams())
		if e.header.Get("dg-request-id") == "" {
			t.Error("the handshake has no dg-request-id")
		}
		pcm := slices.Concat(fixture(t, "en-02-hesitant"), make([]int16, 16000))
		e.say(pcm)
		got, code := e.finish()
		if code != websocket.StatusNormalClosure || got[len(got)-1].Type != "Metadata" || len(got[len(got)-1].Models) != 1 {
			t.Errorf("ended by %v after %+v, want Metadata and 1000", code, got[len(got)-1])
		}
		var texts []string
		window, toldAt, wordAt, ends, starts := 0.0, 0.0, 0.0, 0, 0
		for _, m := range got {
			switch m.Type {
			case "Results":
				end := math.Round((m.Start+m.Duration)*1000) / 1000
				if m.Start != window || end-toldAt > 1.001 {
					t.Errorf("a window from %v to %v after one to %v, told at %v", m.Start, end, window, toldAt)
				}
				toldAt = end
				text, words := m.said(t)
				for _, w := range words {
					if w.Punctuated == "" || strings.ToLower(w.Word) != w.Word || w.Start < window || w.End > toldAt {
						t.Errorf("word %+v in a window from %v to %v", w, window, toldAt)
					}
				}
				if m.IsFinal {
					window = toldAt
					if text != "" {
						texts = append(texts, text)
						if words[0].Start < wordAt {
							t.Errorf("word %+v begins before the last final's end at %v", words[0], wordAt)
						}
						wordAt = words[len(words)-1].End
						if !m.SpeechFinal {
							t.Errorf("%q ended without speech_final", text)
						}
					}
				}
			case "SpeechStarted":
				starts++
			case "UtteranceEnd":
				ends++
				if m.LastWordEnd != wordAt {
					t.Errorf("UtteranceEnd after %v, the last word ended at %v", m.LastWordEnd, wordAt)
				}
			}
		}
		if len(texts) != 3 || starts < 3 || strings.Join(texts, " ") != "I would like to book a table for two people at eight o'clock." {
			t.Errorf("%d speech starts, finals %q; want the line in three stretches", starts, texts)
		}
		if ends != 2 { // after the pause of 1.2 s and at the end, not after that of 0.7
			t.Errorf("%d UtteranceEnds, want 2", ends)
		}
	})
}

// Without speech there are empty interims once a second, and no words.
func TestNovaHearsNothingInNoise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire(t, keyed(simulate.Options{}), "/v1/listen", novaParams())
		noise := fixture(t, "xx-01-noise-only")
		e.say(slices.Concat(noise, noise))
		got, _ := e.finish()
		interims, finals := 0, 0
		for _, m := range got[:len(got)-1] {
			if m.Type != "Results" {
				t.Errorf("%s in noise", m.Type)
				continue
			}
			if text, words := m.said(t); text != "" || len(words) > 0 {
				t.Errorf("heard %q in noise", text)
			}
			if m.IsFinal {
				finals++
			} else {
				interims++
			}
		}
		if interims < 6 || finals != 1 { // the window of five seconds ends once
			t.Errorf("%d interims and %d finals in eight seconds", interims, finals)
		}
	})
}

func TestNovaParameters(t *testing.T) {
	count := func(got []message, is func(message) bool) int {
		n := 0
		for _, m := range got {
			if is(m) {
				n++
			}
		}
		return n
	}
	for _, test := range []struct {
		name   string
		params url.Values
		check  func(t *testing.T, got []message)
	}{
		{"no interims, no VAD events unless asked for", novaParams("interim_results", "", "utterance_end_ms", "", "vad_events", ""), func(t *testing.T, got []message) {
			if n := count(got, func(m message) bool { return m.Type != "Metadata" && !m.IsFinal }); n > 0 {
				t.Errorf("%d messages that are no finals", n)
			}
		}},
		{"plain words unless formatted", novaParams("smart_format", ""), func(t *testing.T, got []message) {
			for _, m := range got {
				if m.Type != "Results" {
					continue
				}
				if text, words := m.said(t); text != strings.ToLower(text) || strings.ContainsAny(text, ".,") || len(words) > 0 && words[0].Punctuated != "" {
					t.Errorf("%q %+v", text, words)
				}
			}
		}},
		{"no speech_final without endpointing", novaParams("endpointing", "false"), func(t *testing.T, got []message) {
			if n := count(got, func(m message) bool { return m.SpeechFinal }); n > 0 {
				t.Errorf("%d times speech_final", n)
			}
			if n := count(got, func(m message) bool { return m.Type == "UtteranceEnd" }); n != 1 {
				t.Errorf("%d UtteranceEnds, want the fallback's one", n)
			}
		}},
		{"several languages", novaParams("language", "multi", "language_hint", "es"), func(t *testing.T, got []message) {
			text, _ := got[len(got)-2].said(t)
			for _, m := range got {
				if m.Type == "Results" && m.SpeechFinal {
					text, _ = m.said(t)
				}
			}
			if !strings.HasPrefix(text, "Hola") || !strings.Contains(string(got[len(got)-3].Channel)+string(got[len(got)-2].Channel)+string(got[3].Channel), `"languages":["es"]`) {
				t.Errorf("heard %q, want the hint's language", text)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := wire(t, keyed(simulate.Options{}), "/v1/listen", test.params)
				e.say(slices.Concat(fixture(t, "en-01-clean"), make([]int16, 16000)))
				got, _ := e.finish()
				test.check(t, got)
			})
		})
	}
}

func TestNovaControlMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := wire(t, keyed(simulate.Options{}), "/v1/listen", novaParams())
		pcm := fixture(t, "en-01-clean")
		e.say(pcm[:24000])
		e.control(`{"type":"KeepAlive"}`)
		e.control(`{"type":"Unheard"}`)
		e.control(`{"type":"Finalize"}`)
		synctest.Wait()
		last := e.got[len(e.got)-1]
		if text, _ := last.said(t); !last.FromFinalize || !last.IsFinal || text == "" {
			t.Errorf("Finalize was answered by %+v", last)
		}
		e.say(pcm[24000:32000])
		e.write(websocket.MessageBinary, nil) // the end of the stream, as for the real service
		<-e.over
		n := len(e.got)
		if text, _ := e.got[n-2].said(t); e.got[n-1].Type != "Metadata" || !e.got[n-2].IsFinal || text == "" || websocket.CloseStatus(e.err) != websocket.StatusNormalClosure {
			t.Errorf("an empty message ended the stream by %v after %+v, %+v", e.err, e.got[n-2], e.got[n-1])
		}
	})
}

func TestNovaIdleAndUndecodable(t *testing.T) {
	for _, test := range []struct {
		name   string
		params url.Values
		send   func(e *ear)
		code   websocket.StatusCode
		reason string
		after  time.Duration
	}{
		{"nothing is sent", novaParams(), func(*ear) {}, websocket.StatusInternalError, "https://dpgr.am/net0001", 10 * time.Second},
		{"a keep-alive postpones it", novaParams(), func(e *ear) { time.Sleep(9 * time.Second); e.control(`{"type":"KeepAlive"}`) }, websocket.StatusInternalError, "net0001", 19 * time.Second},
		{"no container", novaParams("encoding", "", "sample_rate", ""), func(e *ear) { e.write(websocket.MessageBinary, []byte("not audio")) }, websocket.StatusPolicyViolation, "DATA-0000", 0},
		{"no JSON", novaParams(), func(e *ear) { e.control(`{"type":`) }, websocket.StatusPolicyViolation, "DATA-0000", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := wire(t, keyed(simulate.Options{}), "/v1/listen", test.params)
				test.send(e)
				<-e.over
				closed, _ := errors.AsType[websocket.CloseError](e.err)
				if closed.Code != test.code || !strings.Contains(closed.Reason, test.reason) || time.Since(e.begun) != test.after {
					t.Errorf("ended by %v after %v", e.err, time.Since(e.begun))
				}
				if n := len(e.got); n != 1 || e.got[0].Type != "Metadata" || len(e.got[0].Models) != 0 {
					t.Errorf("got %+v, want the short Metadata before the close", e.got)
				}
			})
		})
	}
}

// A WAV file may be streamed as it is.
func TestNovaHearsAContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file, err := os.ReadFile("testdata/en-01-clean.wav")
		if err != nil {
			t.Fatal(err)
		}
		e := wire(t, keyed(simulate.Options{}), "/v1/listen", novaParams("encoding", "", "sample_rate", ""))
		for chunk := range slices.Chunk(file, 30) { // the header in pieces
			e.write(websocket.MessageBinary, chunk)
		}
		got, _ := e.finish()
		if !slices.ContainsFunc(got, func(m message) bool { return m.SpeechFinal && strings.Contains(string(m.Channel), "o'clock.") }) {
			t.Errorf("the line was not heard in %d messages", len(got))
		}
	})
}

// Latencies count from the end of speech, and what is final does not wait behind
// partial results.
func TestLatencyIsKept(t *testing.T) {
	const endOfSpeech = 3500 * time.Millisecond // the last loud frame of en-01-clean, in audio and, in real time, on the clock
	near := func(t *testing.T, what string, at, want time.Duration) {
		t.Helper()
		if d := at - want; d < -60*time.Millisecond || d > 60*time.Millisecond {
			t.Errorf("%s after %v, want %v", what, at, want)
		}
	}
	t.Run("nova", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := wire(t, keyed(simulate.Options{Latency: simulate.BenchLatency()}), "/v1/listen", novaParams("endpointing", "100"))
			e.say(fixture(t, "en-01-clean"))
			got, _ := e.finish()
			for _, m := range got {
				if m.SpeechFinal && strings.Contains(string(m.Channel), "o'clock.") {
					near(t, "speech_final", m.at, endOfSpeech+350*time.Millisecond)
					return
				}
			}
			t.Error("no speech_final with the last word")
		})
	})
	t.Run("flux", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			e := wire(t, keyed(simulate.Options{Latency: simulate.BenchLatency()}), "/v2/listen", fluxParams())
			e.say(fixture(t, "en-01-clean"))
			got, _ := e.finish()
			for _, m := range got {
				switch m.Event {
				case "EagerEndOfTurn":
					near(t, "EagerEndOfTurn", m.at, endOfSpeech+150*time.Millisecond)
				case "EndOfTurn":
					near(t, "EndOfTurn", m.at, endOfSpeech+350*time.Millisecond)
					return
				}
			}
			t.Error("no EndOfTurn")
		})
	})
}

// Close ends every connection and waits for what serves it.
func TestCloseEndsEveryStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := keyed(simulate.Options{})
		client := providertest.Serve(t, sim)
		dial := func() (*websocket.Conn, error) {
			c, _, err := websocket.Dial(t.Context(), "http://deepgram.test/v1/listen?"+novaParams().Encode(),
				&websocket.DialOptions{HTTPClient: client, HTTPHeader: http.Header{"Authorization": {"Bearer " + deepgramKey}}})
			return c, err
		}
		sim.Inject(simulate.Fault{Vendor: simulate.Deepgram, Kind: simulate.FaultStall})
		for range 5 { // the first is stalled
			c, err := dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.CloseNow()
		}
		synctest.Wait()
		begun := time.Now()
		sim.Close()
		if took := time.Since(begun); took > 0 {
			t.Errorf("Close took %v", took)
		}
		if _, err := dial(); err == nil {
			t.Error("a closed simulator takes streams")
		}
	})
}
