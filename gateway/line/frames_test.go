package line

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kalami/session"
)

// tutor writes frames as DOWNLINK does: it asks before each whether there is room.
type tutor struct {
	line   *Line
	stream uint16
	seq    uint32
	pos    int
}

// speak writes frames of so many milliseconds in turn, as many as there is room for but
// most at the most, and says how many.
func (s *tutor) speak(t *testing.T, most int, ms ...int) (n int) {
	t.Helper()
	for ; n < most && !s.line.Full(); n++ {
		samples := 24 * ms[n%len(ms)]
		f := session.Frame{Stream: s.stream, Seq: s.seq, Pos: uint32(s.pos), Audio: make([]byte, 2*samples)}
		if err := s.line.WriteAudio(f); err != nil {
			t.Fatal(err)
		}
		s.seq++
		s.pos += samples
	}
	return n
}

// deafSocket takes events, and no frame.
type deafSocket struct{ *fakeSocket }

func (s deafSocket) WriteAudio(session.Frame) error {
	<-s.stop
	return &session.End{Reason: session.EndGone}
}

func announce(t *testing.T, l *Line, id string, stream uint16) *tutor {
	t.Helper()
	say(t, l, session.ResponseCreated{Response: session.ResponseInfo{ID: id, ItemID: "it_" + id}, Stream: stream,
		Audio: session.AudioFormat{Format: session.Format{Type: "audio/pcm", Rate: 24000}}})
	return &tutor{line: l, stream: stream}
}

func at(id string, played, buffered float64) session.PlaybackState {
	return session.PlaybackState{ResponseID: id, PlayedMS: played, BufferedMS: buffered}
}

// frames are those of a stream, from one up to another, as they are sent again.
func frames(stream uint16, from, to uint32) (out []string) {
	for seq := from; seq < to; seq++ {
		out = append(out, fmt.Sprintf("%d/%d again", stream, seq))
	}
	return out
}

// The network swallows everything from some moment on, and nobody is told: the socket
// takes all that is written, and nothing is heard from the client. However the tutor goes
// on, when the client is back it gets every frame that it has not.
func TestSwallowedFramesComeAgain(t *testing.T) {
	const forever = 1000
	type talk struct {
		l     *Line
		hear  func(session.Control) // something that arrives from the client
		reply *tutor                // the first, r_1
	}
	for name, c := range map[string]struct {
		// run lets everything happen, and returns with what the client comes back, and
		// what it lacks.
		run func(t *testing.T, k talk) (Return, []string)
	}{
		"in mid-reply": {func(t *testing.T, k talk) (Return, []string) {
			k.reply.speak(t, 5, 100)
			p := at("r_1", 200, 300)
			k.hear(session.PlaybackPosition{PlaybackState: p})
			k.reply.speak(t, forever, 100)
			return Return{LastSeq: 2, Playback: &p}, frames(1, 5, k.reply.seq)
		}},
		"short frames, and a long one when there is hardly room": {func(t *testing.T, k talk) (Return, []string) {
			k.reply.speak(t, 5, 20)
			p := at("r_1", 0, 100)
			k.hear(session.PlaybackPosition{PlaybackState: p})
			k.reply.speak(t, 71, 20) // 1.42 s
			k.reply.speak(t, forever, 100)
			return Return{LastSeq: 2, Playback: &p}, frames(1, 5, k.reply.seq)
		}},
		"before anything was reported": {func(t *testing.T, k talk) (Return, []string) {
			k.reply.speak(t, forever, 100)
			return Return{LastSeq: 2}, frames(1, 0, k.reply.seq)
		}},
		"while the voice keeps everybody waiting": {func(t *testing.T, k talk) (Return, []string) {
			p := at("r_1", 0, 0)
			k.hear(session.PlaybackPosition{PlaybackState: p})
			time.Sleep(2 * reportsLate)
			k.hear(session.Pong{ID: "p"})
			k.reply.speak(t, forever, 40, 100)
			return Return{LastSeq: 2, Playback: &p}, frames(1, 0, k.reply.seq)
		}},
		"on the way to the client alone": {func(t *testing.T, k talk) (Return, []string) {
			k.hear(session.AckEvents{Seq: 2})
			for range 5 {
				k.reply.speak(t, forever, 100)
				time.Sleep(reportsLate)
				k.hear(session.Pong{ID: "p"})
			}
			return Return{LastSeq: 2}, frames(1, 0, k.reply.seq)
		}},
		"and several replies follow": {func(t *testing.T, k talk) (Return, []string) {
			k.reply.speak(t, 8, 100)
			p := at("r_1", 200, 100)
			k.hear(session.PlaybackPosition{PlaybackState: p})
			second := announce(t, k.l, "r_2", 2)
			second.speak(t, 4, 100)
			third := announce(t, k.l, "r_3", 3)
			third.speak(t, forever, 60)
			lacks := slices.Concat([]string{"3 response.created", "4 response.created"},
				frames(1, 3, 8), frames(2, 0, 4), frames(3, 0, third.seq))
			return Return{LastSeq: 2, Playback: &p}, lacks
		}},
		"again, between the events and the frames of a return": {func(t *testing.T, k talk) (Return, []string) {
			k.reply.speak(t, 8, 100)
			k.hear(session.PlaybackPosition{PlaybackState: at("r_1", 200, 100)})
			announce(t, k.l, "r_2", 2).speak(t, 4, 100)
			s := deafSocket{newSocket()}
			go k.l.Attach(s, Return{LastSeq: 2})
			synctest.Wait()
			p := at("r_2", 0, 0) // it has read of that one, and has nothing of the rest of the first
			s.inputs <- session.Input{Control: session.PlaybackPosition{PlaybackState: p}}
			synctest.Wait()
			return Return{LastSeq: 3, Playback: &p}, append(frames(1, 3, 8), frames(2, 0, 4)...)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, s, r := begun(t, Options{})
				k := talk{l: l, reply: &tutor{line: l, stream: 1}, hear: func(c session.Control) {
					s.inputs <- session.Input{Control: c}
					r.next()
				}}
				back, lacks := c.run(t, k)
				time.Sleep(10 * time.Second)
				next := newSocket()
				if err := l.Attach(next, back); err != nil {
					t.Fatal(err)
				}
				r.next()
				lacks = append([]string{fmt.Sprintf("%d session.resumed", back.LastSeq)}, lacks...)
				same(t, "the client gets", next.all(), lacks...)
				l.Close(&session.End{Reason: session.EndNormal})
				<-r.over
			})
		})
	}
}

// A reply that another node had begun goes on here in a stream of its own, and its places
// count from its beginning: what the client reports of what it had before is none of the
// stream's frames.
func TestPlacesOfRespokenReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s := New(Options{}), newSocket()
		r := read(l)
		err := l.Attach(s, Return{Cold: true, Playback: &session.PlaybackState{ResponseID: "r_1", PlayedMS: 900, BufferedMS: 400},
			Response: &session.ResumedResponse{ID: "r_1", Action: session.ActionRespeak, AudioEndMS: 1000}})
		if err != nil {
			t.Fatal(err)
		}
		rest := announce(t, l, "r_1", 7)
		rest.speak(t, 10, 100)
		p := at("r_1", 1100, 100) // two frames of the stream
		s.inputs <- session.Input{Control: session.PlaybackPosition{PlaybackState: p}}
		r.next()
		s.Abort()
		r.next()
		next := newSocket()
		if err := l.Attach(next, Return{LastSeq: 1, Playback: &p}); err != nil {
			t.Fatal(err)
		}
		same(t, "the client gets", next.all(), append([]string{"1 session.resumed"}, frames(7, 2, 10)...)...)
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// The answer to a return is lost, and with it that the reply goes on in another stream:
// who comes back once more is told again, and gets that stream from its beginning, until it
// is known to have heard of it or the reply is over.
func TestLostAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		respeak := session.ResumedResponse{ID: "r_1", ItemID: "it_1", Action: session.ActionRespeak, AudioEndMS: 1000}
		first := at("r_1", 300, 1200)
		l, s := New(Options{Next: 41}), newSocket()
		r := read(l)
		if err := l.Attach(s, Return{LastSeq: 40, Cold: true, Playback: &first, Response: &respeak}); err != nil {
			t.Fatal(err)
		}
		r.next()
		comes := func(what string, lastSeq uint64, played session.PlaybackState, want *session.ResumedResponse, counts session.PlaybackState, gets ...string) {
			t.Helper()
			s.Abort()
			s = newSocket()
			if err := l.Attach(s, Return{LastSeq: lastSeq, Playback: &played}); err != nil {
				t.Fatal(err)
			}
			got := s.answers[0]
			if (got == nil) != (want == nil) || got != nil && *got != *want {
				t.Errorf("%s: it is told %+v, want %+v", what, got, want)
			}
			synctest.Wait()
			for len(r.got) > 0 {
				in := <-r.got
				if m, ok := in.Control.(session.Attached); ok && *m.Playback != counts {
					t.Errorf("%s: the session is told %+v, want %+v", what, *m.Playback, counts)
				}
			}
			same(t, what, s.all()[1:], gets...)
		}
		again, repeated := respeak, respeak
		repeated.Repeat = true
		comes("before the stream is announced", 40, at("r_1", 600, 900), &repeated, at("r_1", 600, 400))
		l.respoken.Repeat, respeak.Repeat = false, false
		comes("before it reaches the place", 40, at("r_1", 600, 400), &again, at("r_1", 600, 400))
		announce(t, l, "r_1", 7).speak(t, 3, 100)
		comes("unaware of the stream", 40, at("r_1", 1500, 0), &repeated, at("r_1", 1000, 0), append([]string{"41 response.created"}, frames(7, 0, 3)...)...)
		going := session.ResumedResponse{ID: "r_1", ItemID: "it_r_1", Action: session.ActionContinue}
		comes("aware of it", 41, at("r_1", 1000, 100), &going, at("r_1", 1000, 100), frames(7, 1, 3)...)
		say(t, l, session.ClearAudio{ResponseID: "r_1", Stream: 7})
		comes("when it was stopped", 40, at("r_1", 1500, 0), nil, at("r_1", 1500, 0), "41 response.created", "42 output_audio_buffer.clear")
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// There is room for 1.5 s for a client that reports what it has, and for 6 s for one that
// acknowledges events alone; either is waited for.
func TestRoomForFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, r := begun(t, Options{})
		hear := func(c session.Control) {
			s.inputs <- session.Input{Control: c}
			r.next()
		}
		one := &tutor{line: l, stream: 1}
		hear(session.AckEvents{Seq: 1})
		if n := one.speak(t, 1000, 100); n != 60 {
			t.Errorf("room for %d frames of 100 ms, want 60", n)
		}
		hear(session.PlaybackPosition{PlaybackState: at("r_1", 5000, 400)})
		if n := one.speak(t, 1000, 100); n != 9 {
			t.Errorf("room for %d frames besides 6, want 9", n)
		}
		time.Sleep(reportsLate)
		hear(session.Pong{ID: "p"})
		if n := one.speak(t, 1000, 100); n != 45 {
			t.Errorf("room for %d frames besides 15 when it has stopped to report, want 45", n)
		}
		say(t, l, session.Ping{})
		hear(session.AckEvents{Seq: 3})
		if n := len(l.frames.kept); n != 0 {
			t.Errorf("%d frames are kept that the client has", n)
		}
		one.speak(t, 3, 100)
		say(t, l, session.ClearAudio{ResponseID: "r_1", Stream: 1})
		if n := len(l.frames.kept); n != 0 {
			t.Errorf("%d frames are kept that nobody wants", n)
		}
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}

// A client that never says what it has is waited for until it is clear that it does not
// know that it should; what is kept for it stays bounded. One word, and it is waited for.
func TestClientThatNeverTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, s, r := begun(t, Options{})
		hear := func(c session.Control) {
			s.inputs <- session.Input{Control: c}
			r.next()
		}
		one := &tutor{line: l, stream: 1}
		hear(session.Pong{ID: "p"})
		if n := one.speak(t, 1000, 100); n != 60 {
			t.Errorf("room for %d frames of 100 ms, want 60", n)
		}
		time.Sleep(reportsLate)
		hear(session.Pong{ID: "p"})
		if n := one.speak(t, 40, 100); n != 40 || len(l.frames.kept) != 15 {
			t.Errorf("%d frames were written, want 40, and %d are kept, want 15", n, len(l.frames.kept))
		}
		hear(session.PlaybackPosition{PlaybackState: at("r_1", 100, 0)})
		if !l.Full() {
			t.Error("it says that it lacks more than is kept, and is sent more")
		}
		l.Close(&session.End{Reason: session.EndNormal})
		<-r.over
	})
}
