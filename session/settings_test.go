package session

import (
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// What a client may change, and what it is told when it may not. A change that is
// refused changes nothing.
func TestSettings(t *testing.T) {
	audio := func(in *InputPatch, out *OutputPatch) Control {
		return UpdateSession{ConfigPatch{Audio: &AudioPatch{Input: in, Output: out}}}
	}
	turns := func(p TurnDetectionPatch) Control { return audio(&InputPatch{TurnDetection: &p}, nil) }
	for name, c := range map[string]struct {
		ask   Control
		code  Code // empty: it is granted
		param string
		check func(Config) bool
	}{
		"nothing":              {ask: UpdateSession{}, check: func(c Config) bool { return c.Duplex == "full" }},
		"half duplex":          {ask: UpdateSession{ConfigPatch{Duplex: new("half")}}, check: func(c Config) bool { return c.Duplex == "half" }},
		"no such duplex":       {ask: UpdateSession{ConfigPatch{Duplex: new("none")}}, code: InvalidEvent, param: "session.duplex"},
		"mic type":             {ask: audio(&InputPatch{Format: &Format{"audio/mpeg", 16000}}, nil), code: UnsupportedFormat, param: "session.audio.input.format"},
		"mic rate":             {ask: audio(&InputPatch{Format: &Format{PCM, 44100}}, nil), code: UnsupportedFormat, param: "session.audio.input.format"},
		"mic rate, fixed":      {ask: audio(&InputPatch{Format: &Format{PCM, 48000}}, nil), code: ConfigLocked, param: "session.audio.input.format"},
		"mic rate, as it is":   {ask: audio(&InputPatch{Format: &Format{PCM, 16000}}, nil), check: func(c Config) bool { return c.Audio.Input.Format.Rate == 16000 }},
		"voice rate":           {ask: audio(nil, &OutputPatch{Format: &Format{PCM, 8000}}), code: UnsupportedFormat, param: "session.audio.output.format"},
		"voice rate, fixed":    {ask: audio(nil, &OutputPatch{Format: &Format{PCM, 16000}}), code: ConfigLocked, param: "session.audio.output.format"},
		"speed":                {ask: audio(nil, &OutputPatch{Speed: new(0.8)}), check: func(c Config) bool { return c.Audio.Output.Speed == 0.8 }},
		"speed, too fast":      {ask: audio(nil, &OutputPatch{Speed: new(1.6)}), code: InvalidEvent, param: "session.audio.output.speed"},
		"patience":             {ask: turns(TurnDetectionPatch{PatienceMS: new(3000)}), check: func(c Config) bool { return c.Audio.Input.TurnDetection.PatienceMS == 3000 }},
		"patience, none":       {ask: turns(TurnDetectionPatch{PatienceMS: new(0)}), code: InvalidEvent, param: "session.audio.input.turn_detection.patience_ms"},
		"patience, overflows":  {ask: turns(TurnDetectionPatch{PatienceMS: new(1000 + 1<<58)}), code: InvalidEvent, param: "session.audio.input.turn_detection.patience_ms"},
		"endpoint":             {ask: turns(TurnDetectionPatch{Type: new(TurnsEndpoint)}), check: func(c Config) bool { return c.Audio.Input.TurnDetection.Type == TurnsEndpoint }},
		"no such turns":        {ask: turns(TurnDetectionPatch{Type: new("server_vad")}), code: InvalidEvent, param: "session.audio.input.turn_detection.type"},
		"no interrupting":      {ask: turns(TurnDetectionPatch{InterruptResponse: new(false)}), check: func(c Config) bool { return !c.Audio.Input.TurnDetection.InterruptResponse }},
		"push-to-talk":         {ask: turns(TurnDetectionPatch{Off: true}), check: func(c Config) bool { return c.Audio.Input.TurnDetection == nil }},
		"tutor's patience":     {ask: SetTutor{PatienceMS: new(800)}, check: func(c Config) bool { return c.Audio.Input.TurnDetection.PatienceMS == 800 }},
		"tutor's, too patient": {ask: SetTutor{PatienceMS: new(4001)}, code: InvalidEvent, param: "patience_ms"},
		"tutor's rate":         {ask: SetTutor{SpeechRate: new(1.5)}, check: func(c Config) bool { return c.Audio.Output.Speed == 1.5 }},
		"tutor's, too slow":    {ask: SetTutor{SpeechRate: new(0.4)}, code: InvalidEvent, param: "speech_rate"},
		"tutor's mode":         {ask: SetTutor{CorrectionMode: new("strict")}, check: func(c Config) bool { return c.CorrectionMode == "strict" }},
		"tutor's, no mode":     {ask: SetTutor{CorrectionMode: new("harsh"), SpeechRate: new(1.5)}, code: InvalidEvent, param: "correction_mode"},
		"resume, too late":     {ask: ResumeSession{}, code: InvalidEvent, param: "type"},
		"cancel nothing":       {ask: CancelResponse{ResponseID: "r_x"}, code: ResponseNotActive, param: "response_id"},
		"not decoded":          {ask: Rejected{Problem{Type: InvalidRequest, Code: InvalidJSON, Param: "type", EventID: "e1"}}, code: InvalidJSON, param: "type"},
		"type nothing":         {ask: CreateItem{Text: " "}, code: InvalidEvent, param: "item.content"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.start()
				k.greeted()
				k.conn.inputs <- Input{Control: c.ask, EventID: "e1"}
				synctest.Wait()
				failed, updated := eventsOf[Failure](k.conn), eventsOf[Updated](k.conn)
				k.finish()
				granted := len(failed) == 0 && len(updated) == 1 && c.check != nil && c.check(updated[0].Session)
				refused := len(updated) == 0 && len(failed) == 1 && failed[0].Error.Code == c.code && failed[0].Error.Param == c.param &&
					failed[0].Error.EventID == "e1" && !failed[0].Error.Fatal
				if c.code == "" && !granted || c.code != "" && !refused {
					t.Errorf("answered %+v, %+v", failed, updated)
				}
			})
		})
	}
}

// Whoever turns push-to-talk off gets the patience of their level, or their own.
func TestPatienceAfterPushToTalk(t *testing.T) {
	for _, own := range []int{0, 2600} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.params.Config.Level, k.params.Config.Audio.Input.TurnDetection = "A1", nil
			k.params.Profile = learn.Profile{PatienceMS: own}
			k.start()
			k.send(UpdateSession{ConfigPatch{Audio: &AudioPatch{Input: &InputPatch{TurnDetection: &TurnDetectionPatch{}}}}})
			td := eventsOf[Updated](k.conn)[0].Session.Audio.Input.TurnDetection
			if want := cmpOr(own, 2000); td == nil || td.PatienceMS != want || !td.InterruptResponse {
				t.Errorf("turn detection %+v, want %d ms", td, want)
			}
			k.finish()
		})
	}
}

// Beginners mix their own language in, and the recogniser is told.
func TestHints(t *testing.T) {
	for level, want := range map[string]int{"A1": 2, "B1": 2, "B2": 0, "C2": 0} {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.params.Config.Level = level
			k.start()
			k.finish()
			if got := k.hears.last().opt.Hints; len(got) != want {
				t.Errorf("%s hints %v", level, got)
			}
		})
	}
}

// The longest duration is announced a minute before it ends the session.
func TestLongestDuration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.host.Limits = Limits{MaxDurationMS: 90_000}
		k.start()
		k.mic(91_000, false)
		if end := <-k.result; end.Reason != EndMaxDuration {
			t.Errorf("ended as %v", end)
		}
		var away, fatal time.Time
		for _, w := range k.conn.all() {
			switch e := w.event.(type) {
			case GoAway:
				away = w.at
				if e.Reason != "max_duration" || e.TimeLeftMS != 60_000 {
					t.Errorf("announced as %+v", e)
				}
			case Failure:
				fatal = w.at
				if e.Error.Code != MaxDuration || !e.Error.Fatal {
					t.Errorf("ended with %+v", e)
				}
			}
		}
		if got := fatal.Sub(away); got != time.Minute {
			t.Errorf("announced %v before", got)
		}
		if c := k.journal.ended; len(c) != 1 || c[0].EndReason != "max_duration" {
			t.Errorf("closed as %+v", c)
		}
	})
}

// The access token is about to end: the client is asked for another in time, and the
// session goes on when it brings one.
func TestAccessTokenRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.ValidUntil = time.Now().Add(90 * time.Second)
		k.start()
		k.mic(29_000, false)
		if n := len(eventsOf[AuthExpiring](k.conn)); n != 0 {
			t.Error("asked more than a minute before")
		}
		k.mic(3000, false)
		asked := eventsOf[AuthExpiring](k.conn)
		if len(asked) != 1 || asked[0].ExpiresAt != k.params.ValidUntil.UTC().Format(time.RFC3339) {
			t.Errorf("asked %+v", asked)
		}
		k.send(AuthRenewed{Until: time.Now().Add(100 * time.Second)})
		k.mic(95_000, false)
		if n := len(eventsOf[AuthExpiring](k.conn)); n != 2 {
			t.Errorf("asked %d times, want again for the new one", n)
		}
		k.finish()
	})
}

// The round trip is measured from the client's answer to a ping, and nothing else.
func TestRoundTrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.mic(1_100, false)
		ping := eventsOf[Ping](k.conn)
		if len(ping) != 1 {
			t.Fatalf("%d pings in the first second", len(ping))
		}
		k.send(Pong{ID: "p_other"})
		k.mic(100, false)
		k.send(Pong{ID: ping[0].ID})
		k.mic(500, false)
		k.send(Pong{ID: ping[0].ID})
		k.send(InputDropped{})
		k.send(AckEvents{Seq: 3})
		k.mic(10_000, false)
		k.finish()
		if again := eventsOf[Ping](k.conn); again[1].RTTMS < 100 || again[1].RTTMS > 300 {
			t.Errorf("the round trip is %d ms", again[1].RTTMS)
		}
		if w := eventsOf[Warning](k.conn); len(w) != 1 || w[0].Code != WarnInputOverrun {
			t.Errorf("warnings %+v", w)
		}
	})
}

// The learner goes on while the tutor thinks: nothing of that answer was heard, and
// the next one knows all that was said.
func TestInterruptedWhileThinking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.start()
		k.greeted()
		k.tutor.mu.Lock()
		k.tutor.replies = []string{"uno dos tres cuatro cinco seis siete ocho nueve diez once doce.", "Ya entiendo."}
		k.tutor.mu.Unlock()
		k.say("Ayer fui al mercado.")
		k.until("the tutor thinks", func() bool { return len(eventsOf[ResponseCreated](k.conn)) == 2 })
		k.hear(providers.HeardUpdate, "con mi hermana")
		k.until("what was heard is known", func() bool { return len(eventsOf[Truncated](k.conn)) == 1 })
		k.hear(providers.HeardEnd, "con mi hermana")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 3 })
		k.finish()
		k.answered()
		if cut := eventsOf[Truncated](k.conn)[0]; cut.AudioEndMS != 0 || cut.Transcript != "" {
			t.Errorf("heard %+v", cut)
		}
		lines := k.tutor.prompt(2).Lines
		if n := len(lines); n < 2 || lines[n-2].Text != "Ayer fui al mercado." || lines[n-1].Text != "con mi hermana" {
			t.Errorf("the tutor is told %+v", lines)
		}
		if end := k.journal.ended[0]; end.Totals.BargeIns != 0 || end.Totals.Turns != 2 {
			t.Errorf("totals %+v", end.Totals)
		}
	})
}

// Without interruptions what is said over the tutor waits for its end and is answered then.
func TestWithoutInterruptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.params.Config.Audio.Input.TurnDetection.InterruptResponse = false
		k.tutor.replies = []string{menu, "Claro."}
		k.start()
		k.mic(400, false)
		k.say("Quiero una mesa.")
		k.until("it is answered", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
		k.finish()
		if n := len(eventsOf[ClearAudio](k.conn)); n != 0 {
			t.Errorf("the tutor was interrupted %d times", n)
		}
		if got := k.transcripts(); len(got) != 1 {
			t.Errorf("turns %q", got)
		}
	})
}

// The tutor fails: before its first word it apologises, after it what was said stays.
func TestTutorBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newTalk(t)
		k.tutor.replies = []string{"Esta frase es entera. Esta otra no se"}
		k.tutor.breaks = true
		k.start()
		k.greeted()
		k.finish()
		done := eventsOf[ResponseDone](k.conn)[0].Response
		if done.Status != "failed" || done.Details == nil || done.Details.Reason != "error" {
			t.Errorf("ended as %+v", done)
		}
		if got := k.captions(); got != "Esta frase es entera. " {
			t.Errorf("the learner reads %q", got)
		}
		if f := eventsOf[Failure](k.conn); len(f) != 1 || f[0].Error.Code != LLMUnavailable {
			t.Errorf("failures %+v", f)
		}
	})
}

// A client that asks for much at once, and reads, gets all its answers.
func TestBurstOfControls(t *testing.T) {
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			k := newTalk(t)
			k.start()
			const burst = 200 // as many as the gateway lets pass at once
			for range burst {
				k.conn.inputs <- Input{Control: SetTutor{SpeechRate: new(1.1)}}
			}
			synctest.Wait()
			if n := len(eventsOf[Updated](k.conn)); n != burst {
				t.Fatalf("%d answers to %d wishes", n, burst)
			}
			k.finish()
		})
	}
}
