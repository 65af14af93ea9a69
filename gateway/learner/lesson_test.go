package learner

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kalami/session"
)

// A lesson whose socket is cut comes back with the newest token, says what it has seen
// and sends again what the server has not got; what is said meanwhile follows, too.
func TestLessonComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, s, _ := open(t)
		speak(t, l, 50)
		synctest.Wait()
		s.says(2, session.InputAck{Input: session.InputPos{Stream: 1, Seq: 29}})
		s.says(3, session.ResumptionUpdate{Resume: session.Resume{Token: "kr_2", WindowMS: 600_000}, Resumable: true})
		synctest.Wait()
		frames, events := s.got()
		checkRun(t, frames, 0, 0, 50)
		if ack := events[len(events)-1]; ack != (session.AckEvents{Seq: 3}) {
			t.Errorf("the new token was answered with %+v", ack)
		}
		s.end(io.ErrUnexpectedEOF)
		speak(t, l, 7)
		s = <-st.dialled
		synctest.Wait()
		frames, events = s.got()
		if len(frames) != 0 || s.credential != "kr_2" || len(events) != 1 {
			t.Fatalf("with %q came %d frames and %+v", s.credential, len(frames), events)
		}
		if r := first[session.ResumeSession](t, events); r.SessionID != "vs_1" || r.LastSeq != 3 || r.Input != (session.InputPos{Stream: 1, NextSeq: 57}) || r.Playback != nil {
			t.Errorf("it came back with %+v", r)
		}
		s.says(3, resumed("kr_3", 25, nil))
		synctest.Wait()
		speak(t, l, 5)
		s.says(4, session.Ping{ID: "p"})
		synctest.Wait()
		frames, events = s.got()
		checkRun(t, frames, 30, 27, 32)
		if first[session.AckEvents](t, events).Seq != 3 || first[session.Pong](t, events).ID != "p" {
			t.Errorf("it sent %+v", events)
		}
		want := []string{"session.created", "input_audio_buffer.ack", "session.resumption_update", "session.resumed", "ping"}
		if !slices.Equal(st.types, want) {
			t.Errorf("told %v, want %v", st.types, want)
		}
		if len(st.back) != 1 || !st.back[0].Warm || st.back[0].Again != 27 || st.back[0].Attempts != 1 || len(st.lost) != 1 || !errors.Is(st.lost[0], io.ErrUnexpectedEOF) {
			t.Errorf("told %+v after %v", st.back, st.lost)
		}
	})
}

// What a server has and has not acknowledged is kept: when it is gone before it could
// store it, the next one gets it.
func TestLessonKeepsWhatIsNotAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, s, _ := open(t)
		speak(t, l, 50)
		s.end(io.EOF)
		s = <-st.dialled
		s.says(1, resumed("kr_2", 50, nil)) // the same node
		synctest.Wait()
		frames, _ := s.got()
		checkRun(t, frames, 50, 0, 0)
		time.Sleep(settled)
		s.end(io.EOF)
		s = <-st.dialled
		s.says(1, resumed("kr_3", 10, nil)) // another one
		synctest.Wait()
		frames, _ = s.got()
		checkRun(t, frames, 10, 40, 40)
	})
}

// Events that came twice are told once; where some are missing, the client does not go on
// as if nothing were.
func TestLessonSeesHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, _, s, _ := open(t)
		for _, seq := range []uint64{2, 2, 1, 3, 5} {
			s.says(seq, session.NotUnderstood{})
		}
		s = <-st.dialled
		synctest.Wait()
		_, events := s.got()
		if r := first[session.ResumeSession](t, events); r.LastSeq != 3 || len(st.types) != 3 {
			t.Errorf("it came back having seen %d; told %v", r.LastSeq, st.types)
		}
		if !errors.Is(st.lost[0], errHole) {
			t.Errorf("lost for %v", st.lost)
		}
	})
}

// Nobody can send again what was said more than 15 s ago: the server is told that there
// is a hole. Without a server the attempts become rare, and never stop.
func TestLessonIsLongAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, s, _ := open(t)
		speak(t, l, 10)
		st.refusing(errors.New("no route"))
		s.end(io.EOF)
		for range 60 {
			time.Sleep(time.Second)
			speak(t, l, 50)
		}
		st.refusing(nil)
		s = <-st.dialled
		s.says(1, resumed("kr_2", 10, nil))
		synctest.Wait()
		frames, _ := s.got()
		checkRun(t, frames, 60*50+10-ringFrames, int(ringFrames), int(ringFrames))
		if frames[0].Flags&session.FlagDiscontinuity == 0 || frames[1].Flags&session.FlagDiscontinuity != 0 {
			t.Error("the hole is not marked, or more than it")
		}
		for i, most := range []time.Duration{100, 250, 500, 1000, 2000, 5000, 5000, 5000} {
			// The first dial was the lesson's begin, and the second came at once.
			if wait := st.at[i+2].Sub(st.at[i+1]); wait > most*time.Millisecond {
				t.Errorf("attempt %d came after %v, at most %d ms are allowed", i+2, wait, most)
			}
		}
		if n := len(st.at); n < 60/5 || n > 120 {
			t.Errorf("%d attempts in a minute", n)
		}
	})
}

// What is said into a connection that leads nowhere is not lost: the client leaves it while
// it still has all of that.
func TestLessonInAHole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, _, _ := open(t)
		speak(t, l, 100) // the server needs a second or two of what it has still
		for len(st.dialled) == 0 {
			speak(t, l, 1)
			time.Sleep(FrameTime)
		}
		next := <-st.dialled
		next.says(1, resumed("kr_2", 0, nil))
		synctest.Wait()
		frames, _ := next.got()
		if len(frames) == 0 || frames[0].Seq != 0 || frames[0].Flags&session.FlagDiscontinuity != 0 {
			t.Errorf("%d frames are sent again, from %+v", len(frames), frames[:min(1, len(frames))])
		}
	})
}

// When the server goes away, the client is at the next socket before it leaves the old
// one: every frame is sent once, and it is never away.
func TestLessonMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, old, _ := open(t)
		speak(t, l, 20)
		old.says(2, session.GoAway{Reason: "deploy", TimeLeftMS: 20_000, Reconnect: session.Reconnecting{Resume: true, AfterMS: 300}})
		time.Sleep(299 * time.Millisecond)
		if len(st.dialled) > 0 {
			t.Error("it did not wait for its turn")
		}
		next := <-st.dialled
		old.says(3, session.SpeechStarted{}) // the next node has another one of that number
		speak(t, l, 5)
		synctest.Wait()
		if old.closed {
			t.Error("it left before it had arrived")
		}
		next.says(2, resumed("kr_2", 25, nil))
		next.says(3, session.NotUnderstood{})
		synctest.Wait()
		speak(t, l, 5)
		old.says(4, session.NotUnderstood{})
		synctest.Wait()
		frames, _ := old.got()
		checkRun(t, frames, 0, 0, 25)
		frames, _ = next.got()
		checkRun(t, frames, 25, 0, 5)
		if !old.closed || len(st.back) != 1 || !st.back[0].Planned || st.back[0].Away != 0 || !slices.Equal(st.lost, []error{nil}) {
			t.Errorf("the old socket was closed: %v; told %+v, %v", old.closed, st.back, st.lost)
		}
		if want := []string{"session.created", "session.goaway", "session.resumed", "tutor.not_understood"}; !slices.Equal(st.types, want) {
			t.Errorf("told %v, want %v", st.types, want)
		}
	})
}

// A move that comes to nothing: what the old socket has said meanwhile counts after all,
// and the lesson goes on there.
func TestLessonStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, old, _ := open(t)
		old.says(2, session.GoAway{Reason: "deploy", Reconnect: session.Reconnecting{Resume: true}})
		next := <-st.dialled
		synctest.Wait()
		old.says(3, session.SpeechStarted{})
		synctest.Wait()
		if n := len(st.types); n != 2 {
			t.Errorf("told %v before it is known which socket counts", st.types)
		}
		next.end(websocket.CloseError{Code: websocket.StatusTryAgainLater})
		synctest.Wait()
		old.says(4, session.NotUnderstood{})
		synctest.Wait()
		if want := []string{"session.created", "session.goaway", "input_audio_buffer.speech_started", "tutor.not_understood"}; !slices.Equal(st.types, want) {
			t.Errorf("told %v, want %v", st.types, want)
		}
		speak(t, l, 5)
		synctest.Wait()
		if frames, _ := old.got(); len(frames) != 5 || len(st.back) != 0 {
			t.Errorf("%d frames came over the old socket; back %+v", len(frames), st.back)
		}
	})
}

// What a client does about the end of its socket is the code's range to say.
func TestLessonHeedsCloseCodes(t *testing.T) {
	for _, c := range []struct {
		code   websocket.StatusCode
		resume bool
		ticket bool
		err    bool
	}{
		{code: 1000}, {code: 1001, resume: true}, {code: 1002, err: true}, {code: 1008, err: true}, {code: 1009, err: true},
		{code: 1011, resume: true}, {code: 1012, resume: true}, {code: 1013, ticket: true},
		{code: 4100, resume: true}, {code: 4101, resume: true}, {code: 4102, resume: true}, {code: 4177, resume: true},
		{code: 4200, ticket: true}, {code: 4201, ticket: true}, {code: 4202, err: true}, {code: 4277, ticket: true},
		{code: 4400, err: true}, {code: 4401, ticket: true}, {code: 4403, err: true}, {code: 4409, err: true}, {code: 4477, err: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			st, _, s, done := open(t)
			s.end(websocket.CloseError{Code: c.code})
			if !c.resume && !c.ticket {
				if err := <-done; (err != nil) != c.err || c.err && websocket.CloseStatus(err) != c.code {
					t.Errorf("%d: ended with %v", c.code, err)
				}
				if len(st.dialled) > 0 {
					t.Errorf("%d: it came back", c.code)
				}
				return
			}
			s = <-st.dialled
			if c.resume && s.credential != "kr_1" || c.ticket && (s.credential != "kt_1" || st.tickets[len(st.tickets)-1] != "c_1") {
				t.Errorf("%d: it came back with %q, having asked for %q", c.code, s.credential, st.tickets)
			}
			s.end(websocket.CloseError{Code: c.code}) // again, before it has let the client in
			switch c.code {
			case codeUnauthorised: // one new ticket, once
				if err := <-done; websocket.CloseStatus(err) != c.code {
					t.Errorf("%d twice: ended with %v", c.code, err)
				}
			default:
				s = <-st.dialled
			}
		})
	}
}

// A server may be so slow with an attempt that the lesson has given it up, and come back by
// another, when it lets it in: the lesson has superseded itself, and goes on. Superseded
// by somebody else it is over.
func TestLessonSupersedesItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, _, s, done := open(t)
		s.end(io.EOF)
		<-st.dialled // which says nothing until it is given up
		s = <-st.dialled
		s.says(1, resumed("kr_2", 0, nil))
		time.Sleep(settled)
		s.end(websocket.CloseError{Code: codeSuperseded})
		s = <-st.dialled
		if s.credential != "kr_1" {
			t.Errorf("it came back with %q, want the token of the attempt that it gave up", s.credential)
		}
		s.says(1, resumed("kr_3", 0, nil))
		time.Sleep(settled)
		s.end(websocket.CloseError{Code: codeSuperseded})
		if err := <-done; websocket.CloseStatus(err) != codeSuperseded {
			t.Errorf("superseded once more it ended with %v", err)
		}
	})
}

// A lesson that is ended while it is away comes back to say so.
func TestLessonEndsWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, l, s, done := open(t)
		s.end(io.EOF)
		s = <-st.dialled
		l.End()
		s.says(1, resumed("kr_2", 0, nil))
		synctest.Wait()
		_, events := s.got()
		first[session.EndSession](t, events)
		s.end(websocket.CloseError{Code: 1000})
		if err := <-done; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}

// A socket on which nothing comes is given up: after the heartbeat's time, or soon when
// a reply is due.
func TestLessonGivesUpASilentSocket(t *testing.T) {
	for name, c := range map[string]struct {
		reply bool
		after time.Duration
	}{"nobody speaks": {false, 12 * time.Second}, "in mid-reply": {true, 4 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, _, s, _ := open(t)
				s.says(2, session.Ping{ID: "p"})
				if c.reply {
					s.says(3, reply(1))
					s.plays(session.Frame{Stream: 1, Audio: make([]byte, 24000*2)}) // a second of it
				}
				began := time.Now()
				<-st.dialled
				if took := time.Since(began); took < c.after || took > c.after+2*lookEvery {
					t.Errorf("it took %v, want %v", took, c.after)
				}
			})
		})
	}
}

// reply begins a reply, or its rest, in a stream.
func reply(stream uint16) session.ResponseCreated {
	return session.ResponseCreated{Response: session.ResponseInfo{ID: "r_1"}, Stream: stream,
		Audio: session.AudioFormat{Format: session.Format{Type: session.PCM, Rate: rate}}}
}

// The reply that was under way is heard without a hole or anything twice, however the
// server goes on with it.
func TestLessonHearsOn(t *testing.T) {
	pcm := samples(2 * time.Second) // 1 s before the break, 400 ms of it heard when it is over
	second := 2 * rate
	at := func(d time.Duration) int { return int(d*rate/time.Second) * 2 }
	for name, c := range map[string]struct {
		response *session.ResumedResponse
		goOn     func(s *socket)
		want     []byte
	}{
		"continue, with frames it had": {
			&session.ResumedResponse{ID: "r_1", Action: session.ActionContinue},
			func(s *socket) {
				s.plays(session.Frame{Stream: 1, Seq: 4, Pos: uint32(second/2 - 4800), Audio: pcm[second-9600 : second]})
				s.plays(session.Frame{Stream: 1, Seq: 5, Pos: uint32(second/2 - 2400), Audio: pcm[second-4800 : 2*second], Flags: session.FlagEndOfStream})
			}, pcm,
		},
		"truncated": {
			&session.ResumedResponse{ID: "r_1", Action: session.ActionTruncated, AudioEndMS: 700}, func(*socket) {}, pcm[:at(700*time.Millisecond)],
		},
		"respeak after what it has": {
			&session.ResumedResponse{ID: "r_1", Action: session.ActionRespeak, AudioEndMS: 600},
			func(s *socket) {
				s.says(3, reply(2))
				s.plays(session.Frame{Stream: 1, Seq: 9, Pos: uint32(second / 2), Audio: pcm[:4800]}) // of the stream that is void
				s.plays(session.Frame{Stream: 2, Audio: pcm[second:], Flags: session.FlagEndOfStream})
			}, slices.Concat(pcm[:at(600*time.Millisecond)], pcm[second:]),
		},
		"respeak of what it was hearing": {
			&session.ResumedResponse{ID: "r_1", Action: session.ActionRespeak, AudioEndMS: 200, Repeat: true},
			func(s *socket) {
				s.says(3, reply(2))
				s.plays(session.Frame{Stream: 2, Audio: pcm[second:], Flags: session.FlagEndOfStream})
			}, slices.Concat(pcm[:at(400*time.Millisecond)], pcm[second:]),
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, _, s, _ := open(t)
				s.says(2, reply(1))
				s.plays(session.Frame{Stream: 1, Audio: pcm[:second]})
				time.Sleep(400 * time.Millisecond)
				s.end(io.EOF)
				s = <-st.dialled
				synctest.Wait()
				_, events := s.got()
				if r := first[session.ResumeSession](t, events); r.Playback == nil || r.Playback.ResponseID != "r_1" || r.Playback.PlayedMS+r.Playback.BufferedMS != 1000 {
					t.Errorf("it came back playing %+v", r.Playback)
				}
				s.says(2, resumed("kr_2", 0, c.response))
				c.goOn(s)
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if !bytes.Equal(st.heard, c.want) {
					t.Errorf("heard %d bytes, want %d", len(st.heard), len(c.want))
				}
				_, events = s.got()
				stopped := first[session.PlaybackStopped](t, events)
				if stopped.ResponseID != "r_1" {
					t.Errorf("it said %+v", stopped)
				}
			})
		})
	}
}
