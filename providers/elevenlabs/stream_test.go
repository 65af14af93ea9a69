package elevenlabs_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/providers/elevenlabs"
)

// begin says a text of one flushed clause and ends it.
func begin(t *testing.T, st providers.VoiceStream, text string) providers.Utterance {
	t.Helper()
	u, err := st.Say(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Write(t.Context(), text, true); err != nil {
		t.Fatal(err)
	}
	if err := u.End(t.Context()); err != nil {
		t.Fatal(err)
	}
	return u
}

// heard takes all audio, and what ended it.
func heard(t *testing.T, u providers.Utterance) (ms int, text string, err error) {
	t.Helper()
	for {
		c, err := u.Next(t.Context())
		if err != nil {
			return ms, text, err
		}
		ms += len(c.PCM) / 48
		for _, m := range c.Marks {
			text += m.Char
		}
	}
}

// spelled is a message of n milliseconds whose alignment spells text.
func spelled(context, text string, n int) string {
	var chars, starts, lengths []string
	runes := []rune(text)
	for i, r := range runes {
		chars = append(chars, fmt.Sprintf("%q", string(r)))
		starts = append(starts, fmt.Sprint(i*n/len(runes)))
		lengths = append(lengths, fmt.Sprint(n/len(runes)))
	}
	return fmt.Sprintf(`{"audio":"%s","alignment":{"chars":[%s],"charStartTimesMs":[%s],"charsDurationsMs":[%s]},"context_id":%q}`,
		audio(n), strings.Join(chars, ","), strings.Join(starts, ","), strings.Join(lengths, ","), context)
}

// The context is opened with its settings, and closed only when the alignment
// shows the last letter: earlier the vendor may drop the text.
func TestContextIsClosedWhenEverythingIsSpoken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{}, func(st providers.VoiceStream, v *vendor) {
			u := begin(t, st, "¡Hola, Ana!")
			open, text := v.next(), v.next()
			if open.Text == nil || *open.Text != " " || !strings.Contains(string(open.Settings), `"speed":1.2`) {
				t.Errorf("the context is opened with %v %s", open.Text, open.Settings)
			}
			if *text.Text != "¡Hola, Ana! " || !text.Flush || text.Settings != nil || text.Context != open.Context {
				t.Errorf("then comes %q, flush %v, settings %s", *text.Text, text.Flush, text.Settings)
			}
			v.send(spelled(open.Context, "¡Hola, ", 100))
			synctest.Wait()
			select {
			case m := <-v.got:
				t.Fatalf("too early: %+v", m)
			default:
			}
			v.send(spelled(open.Context, "Ana!", 60))
			if m := v.next(); !m.CloseContext || m.Context != open.Context {
				t.Fatalf("%+v, want the context closed", m)
			}
			v.send(fmt.Sprintf(`{"is_final":true,"context_id":%q}`, open.Context))
			if ms, text, err := heard(t, u); ms != 160 || text != "¡Hola, Ana!" || !errors.Is(err, io.EOF) {
				t.Errorf("heard %d ms %q, %v", ms, text, err)
			}
		})
	})
}

// Without an alignment that adds up the context is closed after a quiet while.
func TestContextIsClosedAfterAQuietWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{}, func(st providers.VoiceStream, v *vendor) {
			u := begin(t, st, "Son las 8.")
			name := v.next().Context
			v.next()
			v.send(fmt.Sprintf(`{"audio":"%s","contextId":%q}`, audio(100), name))
			synctest.Wait()
			began := time.Now()
			if m := v.next(); !m.CloseContext {
				t.Fatalf("%+v", m)
			}
			if d := time.Since(began); d != 1500*time.Millisecond {
				t.Errorf("closed after %v", d)
			}
			v.send(fmt.Sprintf(`{"isFinal":true,"contextId":%q}`, name))
			if ms, _, err := heard(t, u); ms != 100 || !errors.Is(err, io.EOF) {
				t.Errorf("heard %d ms, %v", ms, err)
			}
		})
	})
}

// A slow listener is not taken for a silent vendor, and loses nothing.
func TestSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{}, func(st providers.VoiceStream, v *vendor) {
			u := begin(t, st, "ab")
			name := v.next().Context
			v.next()
			const messages = 200
			go func() {
				for range messages {
					v.send(fmt.Sprintf(`{"audio":"%s","contextId":%q}`, audio(20), name))
				}
				for m := range v.got {
					if m.CloseContext {
						v.send(fmt.Sprintf(`{"isFinal":true,"contextId":%q}`, name))
						return
					}
				}
			}()
			time.Sleep(time.Minute)
			if ms, _, err := heard(t, u); ms != messages*20 || !errors.Is(err, io.EOF) {
				t.Errorf("heard %d ms, %v", ms, err)
			}
		})
	})
}

// A vendor's failures are errors of the utterance, never its end.
func TestVendorFails(t *testing.T) {
	tests := []struct {
		name string
		send string // %s is the context
		want providers.Kind
		text string
	}{
		{"final without audio", `{"isFinal":true,"contextId":"%s"}`, providers.Unavailable, "without audio"},
		{"error of the context", `{"message":"engine","error":"engine","code":1008,"contextId":"%s"}`, providers.Unavailable, "engine"},
		{"quota", `{"message":"This request exceeds your quota.","error":"quota_exceeded","code":1008}%.0s`, providers.Quota, "quota"},
		{"contexts", `{"message":"Maximum simultaneous contexts","error":"max_active_conversations","code":1008}%.0s`, providers.Overloaded, "simultaneous"},
		{"idle", `{"message":"Have not received","error":"input_timeout_exceeded","code":1008}%.0s`, providers.Unavailable, "input_timeout"},
		{"abuse", `{"message":"Unusual activity","error":"detected_unusual_activity","code":1008}%.0s`, providers.Denied, "nusual"},
		{"not base64", `{"audio":"!!!!","contextId":"%s"}`, providers.Unavailable, "illegal base64"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				converse(t, elevenlabs.Options{}, func(st providers.VoiceStream, v *vendor) {
					u := begin(t, st, "Hola.")
					v.send(fmt.Sprintf(tc.send, v.next().Context))
					_, _, err := heard(t, u)
					e, ok := errors.AsType[*providers.Error](err)
					if !ok || e.Kind != tc.want || e.RequestID != "req-1" || !strings.Contains(err.Error(), tc.text) {
						t.Errorf("%v (%T)", err, err)
					}
				})
			})
		})
	}
}

// A vendor that never says the final word is given up in the end, and so is the stream.
func TestNoFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{FinalWait: 3 * time.Second}, func(st providers.VoiceStream, v *vendor) {
			u := begin(t, st, "Hola.")
			began := time.Now()
			_, _, err := heard(t, u)
			if providers.KindOf(err) != providers.Unavailable || time.Since(began) != 6*time.Second || st.Alive() {
				t.Errorf("%v after %v, alive %v", err, time.Since(began), st.Alive())
			}
		})
	})
}

// A context counts until its final has arrived: with four of them closing, Say
// waits for one, or for its context, and at last gives the stream up.
func TestSayWaitsForAFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{SlotWait: time.Second}, func(st providers.VoiceStream, v *vendor) {
			var names []string
			for range 4 {
				u, err := st.Say(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if err := u.Write(t.Context(), "Hola. ", true); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				names = append(names, v.next().Context)
				v.next()
				u.Cancel()
				if m := v.next(); !m.CloseContext {
					t.Fatalf("%+v", m)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, err := st.Say(ctx); !errors.Is(err, context.DeadlineExceeded) || !st.Alive() {
				t.Fatalf("%v, alive %v", err, st.Alive())
			}
			go func() {
				time.Sleep(500 * time.Millisecond)
				v.send(spelled(names[2], "Hola", 50)) // late, and dropped
				v.send(fmt.Sprintf(`{"isFinal":true,"contextId":%q}`, names[2]))
			}()
			began := time.Now()
			u, err := st.Say(t.Context())
			if err != nil || time.Since(began) != 500*time.Millisecond {
				t.Fatalf("%v after %v", err, time.Since(began))
			}
			if err := u.Write(t.Context(), "Otra. ", true); err != nil {
				t.Fatal(err)
			}
			v.next()
			v.next()
			_, err = st.Say(t.Context())
			if providers.KindOf(err) != providers.Overloaded || st.Alive() {
				t.Errorf("%v, alive %v; want the stream given up", err, st.Alive())
			}
		})
	})
}

// What was cancelled before anything was written never reaches the vendor.
func TestCancelBeforeText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{}, func(st providers.VoiceStream, v *vendor) {
			for range 20 {
				u, err := st.Say(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				u.Cancel()
				synctest.Wait()
			}
			select {
			case m := <-v.got:
				t.Errorf("the vendor was told %+v", m)
			default:
			}
		})
	})
}

// An idle socket is kept alive each minute.
func TestKeepAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{}, func(st providers.VoiceStream, v *vendor) {
			for range 3 {
				began := time.Now()
				m := v.next()
				if m.Text == nil || *m.Text != "" || m.Context != "" || time.Since(began) != time.Minute {
					t.Errorf("%+v after %v", m, time.Since(began))
				}
			}
		})
	})
}

// A peer that takes nothing holds up neither Write beyond its context, nor Cancel,
// nor Close; the watchdog ends the stream.
func TestPeerTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		converse(t, elevenlabs.Options{WriteTimeout: 2 * time.Second}, func(st providers.VoiceStream, v *vendor) {
			u, err := st.Say(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			for err == nil { // the vendor's inbox of 64 fills, then the pipe, then the queue
				err = u.Write(ctx, "Hola. ", false)
			}
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("Write: %v after %v", err, time.Since(began))
			}
			u.Cancel()
			if time.Since(began) != time.Second {
				t.Errorf("Cancel took until %v", time.Since(began))
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if st.Alive() {
				t.Error("the watchdog let the stream live")
			}
			for len(v.got) > 0 {
				<-v.got
			}
		})
	})
}
