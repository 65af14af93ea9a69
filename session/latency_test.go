package session

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
)

// Where a reply's time went, for replies to turns, for drafts, and for those that
// nothing was spoken before.
func TestLatencyByStage(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(1_700_000_000, 0).Add(time.Duration(ms) * time.Millisecond) }
	spoken := replyTimes{speechEnd: at(0), final: at(350), turnEnd: at(900), asked: at(900), firstToken: at(1300), firstClause: at(1400),
		firstAudio: at(1550), firstSent: at(1553), reported: at(1640), way: 20 * time.Millisecond, client: 1655 * time.Millisecond}
	with := func(change func(*replyTimes)) replyTimes {
		changed := spoken
		change(&changed)
		return changed
	}
	for name, c := range map[string]struct {
		times replyTimes
		want  Latency
	}{
		"a turn": {spoken, Latency{EndpointMS: 900, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3,
			FirstAudioMS: 1553, BufferMS: 87, HeardMS: 1640, ClientMS: 1655}},
		"a loudspeaker with a delay of its own": {with(func(r *replyTimes) { r.buffer = 180 * time.Millisecond }),
			Latency{EndpointMS: 900, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3,
				FirstAudioMS: 1553, BufferMS: 200, HeardMS: 1753, ClientMS: 1655}},
		"a delay that is not believed": {with(func(r *replyTimes) { r.buffer = time.Minute }),
			Latency{EndpointMS: 900, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3,
				FirstAudioMS: 1553, BufferMS: 1087, HeardMS: 2640, ClientMS: 1655}},
		"a report that was held up": {with(func(r *replyTimes) { r.buffer = 37 * time.Millisecond }),
			Latency{EndpointMS: 900, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3,
				FirstAudioMS: 1553, BufferMS: 72, HeardMS: 1625, ClientMS: 1655}},
		"heard before it was sent": {with(func(r *replyTimes) { r.reported = at(1000) }),
			Latency{EndpointMS: 900, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3,
				FirstAudioMS: 1553, HeardMS: 1553, ClientMS: 1655}},
		"a client that says nothing": {with(func(r *replyTimes) { r.reported, r.client = time.Time{}, 0 }),
			Latency{EndpointMS: 900, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3, FirstAudioMS: 1553}},
		"a draft whose audio was ready": {with(func(r *replyTimes) { r.turnEnd = at(2000); r.firstSent = at(2004); r.reported = at(2030) }),
			Latency{EndpointMS: 2000, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 4, DraftMS: 650,
				FirstAudioMS: 2004, BufferMS: 26, HeardMS: 2030, ClientMS: 1655}},
		"a draft that was not": {with(func(r *replyTimes) { r.turnEnd = at(1350) }),
			Latency{EndpointMS: 1350, STTFinalMS: 350, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3, DraftMS: 450,
				FirstAudioMS: 1553, BufferMS: 87, HeardMS: 1640, ClientMS: 1655}},
		"typed": {with(func(r *replyTimes) { r.speechEnd, r.final = time.Time{}, time.Time{} }),
			Latency{LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, EgressMS: 3, BufferMS: 87}},
		"interrupted before its first word": {replyTimes{speechEnd: at(0), final: at(350), turnEnd: at(900), asked: at(900)},
			Latency{EndpointMS: 900, STTFinalMS: 350}},
		"committed while speaking": {replyTimes{speechEnd: at(910), turnEnd: at(900), asked: at(900), firstToken: at(950)}, Latency{LLMFirstMS: 50}},
	} {
		if got := c.times.latency(); got != c.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

// Where speech ended, by the voice and the words.
func TestEndOfSpeech(t *testing.T) {
	for name, c := range map[string]struct {
		voices         []stretch
		wordMS, wantMS int64
	}{
		"voice and word agree":                     {[]stretch{{0, 1010}}, 900, 1010},
		"a word that is drawn out":                 {[]stretch{{0, 3000}}, 1000, 3000},
		"a word that ends late":                    {[]stretch{{0, 1000}}, 1300, 1000},
		"two phrases":                              {[]stretch{{0, 1000}, {1600, 2400}}, 2350, 2400},
		"a cough after them":                       {[]stretch{{0, 1000}, {1600, 1900}}, 980, 1000},
		"a last word too soft to be a voice":       {[]stretch{{0, 1000}}, 1800, 1800},
		"a voice that goes on, which is noise":     {[]stretch{{0, 0}}, 1800, 1800},
		"no voice":                                 {nil, 1800, 1800},
		"words without times":                      {[]stretch{{0, 1000}, {1600, 2000}}, 0, 2000},
		"words without times, voice of long since": {[]stretch{{0, 90}}, 0, 0},
		"nothing": {nil, 0, 0},
	} {
		if got := endOfSpeech(c.voices, c.wordMS, 100); got != c.wantMS {
			t.Errorf("%s: speech ended at %d ms, want %d", name, got, c.wantMS)
		}
	}
}

// The clock knows when audio was spoken although its frames come late, one and all or
// many at once, and finds its way after a microphone that was closed.
func TestClockWithoutJitter(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	start := time.Unix(1_700_000_000, 0)
	var c clock
	if !c.promptly(100).IsZero() {
		t.Error("a time before the first frame")
	}
	way, closed := 40*time.Millisecond, time.Duration(0)
	last := start
	for n := 1; n <= 1500; n++ {
		if n == 700 {
			closed = 3 * time.Second // no frames, and audio time stands still
		}
		spoken := start.Add(time.Duration(n)*20*time.Millisecond + closed)
		late := time.Duration(rng.IntN(60)) * time.Millisecond
		if n%10 >= 5 {
			late = 0
		}
		if n > 1000 && n < 1050 { // the network is stuck for a second, then all comes at once
			late = start.Add(time.Duration(1050)*20*time.Millisecond + closed).Sub(spoken)
		}
		last = later(last, spoken.Add(way+late))
		c.advance(int64(n*20), last)
		if n%100 == 70 {
			if got := c.promptly(int64(n*20) - 300).Sub(spoken.Add(-300 * time.Millisecond)); got != way {
				t.Errorf("frame %d came %v after it was spoken, want %v", n, got, way)
			}
		}
	}
}

// farClient is a learner at the end of a long, uneven line, who measures by their own
// clock. Everything happens in its run, in steps of 5 ms.
type farClient struct {
	k      *talk
	rng    *rand.Rand
	way    time.Duration // of the line, each way
	jitter int           // the most milliseconds by which something is late to the server
	buffer time.Duration // of the player

	under   []arrival // on the line to the server, in order
	seen    int       // of what the server wrote
	speakMS int       // voice that is still to be spoken
	said    time.Time // when the speech ended; zero when it was answered
	saidMS  int       // where
}

type arrival struct {
	at time.Time
	in Input
}

// send puts something on the line, which may delay it but keeps the order.
func (f *farClient) send(at time.Time, in Input) {
	at = at.Add(f.way + time.Duration(f.rng.IntN(f.jitter+1))*time.Millisecond)
	if n := len(f.under); n > 0 {
		at = later(at, f.under[n-1].at)
	}
	f.under = append(f.under, arrival{at, in})
}

// run speaks, listens and reports until cond holds.
func (f *farClient) run(cond func() bool) {
	f.k.t.Helper()
	for step := 0; !cond(); step++ {
		if step > 10_000 {
			f.k.t.Fatalf("did not happen\n%s", f.k.story())
		}
		if step%4 == 3 {
			f.frame()
		}
		f.listen()
		for len(f.under) > 0 && !f.under[0].at.After(time.Now()) {
			f.k.conn.inputs <- f.under[0].in
			f.under = f.under[1:]
		}
		time.Sleep(5 * time.Millisecond)
		synctest.Wait()
	}
}

// frame sends the last 20 ms.
func (f *farClient) frame() {
	pcm, loud := make([]byte, 640), min(20, f.speakMS)
	for i := 0; i < loud*32; i += 2 {
		pcm[i+1] = byte(8 * (1 - i/2%2*2))
	}
	now := time.Now()
	if f.speakMS > 0 && f.speakMS <= 20 {
		f.said, f.saidMS = now.Add(time.Duration(loud-20)*time.Millisecond), f.k.sentMS+loud
	}
	f.speakMS -= loud
	f.send(now, Input{Frame: Frame{Stream: 1, Seq: uint32(f.k.sentMS / 20), Pos: uint32(f.k.sentMS * 16), Audio: pcm}})
	f.k.sentMS += 20
}

// listen takes what the server has written.
func (f *farClient) listen() {
	log := f.k.conn.all()
	for _, w := range log[f.seen:] {
		switch e := w.event.(type) {
		case Ping:
			f.send(w.at.Add(f.way), Input{Control: Pong{ID: e.ID}})
		case nil:
			if w.frame.Seq > 0 {
				continue
			}
			heard := w.at.Add(f.way + f.buffer)
			m := PlaybackStarted{BufferMS: float64(f.buffer.Milliseconds())}
			for _, r := range eventsOf[ResponseCreated](f.k.conn) {
				m.ResponseID = r.Response.ID
			}
			if !f.said.IsZero() {
				m.LatencyMS, m.SpeechEndMS = float64(heard.Sub(f.said).Milliseconds()), float64(f.saidMS)
				f.said = time.Time{}
			}
			f.send(heard, Input{Control: m})
		}
	}
	f.seen = len(log)
}

// What the server works out from end to end is what the client measures, over a line of
// 60 ms each way, with a player that buffers 80 ms: to 10 ms, and what the line is uneven by.
func TestServerAndClientAgreeOnLatency(t *testing.T) {
	for name, jitter := range map[string]int{"an even line": 0, "things are up to 20 ms late": 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newTalk(t)
				k.params.Config.Audio.Input.TurnDetection.Type = TurnsEndpoint
				k.start()
				f := &farClient{k: k, rng: rand.New(rand.NewPCG(1, 1)), way: 60 * time.Millisecond, jitter: jitter, buffer: 80 * time.Millisecond}
				const turns = 12
				f.talk(turns)
				k.finish()
				for i, e := range eventsOf[ResponseDone](k.conn) {
					l := e.Latency
					if i == 0 {
						if l.HeardMS != 0 || l.ClientMS != 0 || l.EndpointMS != 0 || l.LLMFirstMS == 0 {
							t.Errorf("the greeting: %+v", l)
						}
						continue
					}
					if apart := l.HeardMS - l.ClientMS; l.ClientMS < 500 || apart < -10-jitter || apart > 10+2*jitter {
						t.Errorf("turn %d: the server works out %d ms and the client measures %d", i, l.HeardMS, l.ClientMS)
					}
				}
				kept := 0
				for _, m := range k.journal.stored() {
					if m.Timings.ClientMS > 0 && m.Timings.HeardMS > 0 && m.Timings.BufferMS > 0 {
						kept++
					}
				}
				if kept != turns {
					t.Errorf("%d messages are kept with what the client measured, want %d", kept, turns)
				}
			})
		})
	}
}

// talk has so many turns with the tutor, after its greeting. The recogniser is 350 ms
// behind and places its words no better than recognisers do.
func (f *farClient) talk(turns int) {
	answers := func() int { return len(eventsOf[ResponseDone](f.k.conn)) }
	f.run(func() bool { return answers() == 1 })
	for turn := range turns {
		f.speakMS = 700 + 7*turn
		f.run(func() bool { return !f.said.IsZero() })
		end := f.said.Add(f.way + 350*time.Millisecond)
		f.run(func() bool { return time.Now().After(end) })
		word := providers.Word{Text: "Hola", StartMS: f.saidMS - 500, EndMS: f.saidMS - 90}
		f.k.hears.last().events <- providers.Heard{Kind: providers.HeardEnd, Segment: turn, Text: "Hola", EndMS: word.EndMS, Words: []providers.Word{word}}
		f.run(func() bool { return answers() == turn+2 })
	}
}

// A client that claims what cannot be is not believed, and it is counted.
func TestClaimsOfLatencyAreBounded(t *testing.T) {
	for name, m := range map[string]PlaybackStarted{
		"for ever":          {LatencyMS: math.Inf(1)},
		"longer than it is": {LatencyMS: 3_600_000, BufferMS: 3_600_000},
		"not a number":      {LatencyMS: math.NaN(), BufferMS: math.NaN()},
		"before it spoke":   {LatencyMS: -1, BufferMS: math.Inf(-1)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, meter := newTalk(t), &countingMeter{}
				k.host.Meter = meter
				k.start()
				k.greeted()
				k.say("Hola")
				k.until("it is answered", func() bool {
					return slices.ContainsFunc(k.conn.all(), func(w written) bool { return w.event == nil && w.frame.Stream == 2 })
				})
				m.ResponseID = eventsOf[ResponseCreated](k.conn)[1].Response.ID
				k.send(m)
				k.until("it is over", func() bool { return len(eventsOf[ResponseDone](k.conn)) == 2 })
				k.finish()
				l := eventsOf[ResponseDone](k.conn)[1].Latency
				if l.ClientMS != 0 || l.BufferMS > 20 || l.HeardMS == 0 || l.HeardMS-l.FirstAudioMS > 20 {
					t.Errorf("claimed %+v, taken as %+v", m, l)
				}
				if n := meter.counted(ReportsClamped); (n > 0) != (m.LatencyMS > 0) {
					t.Errorf("%d claims counted", n)
				}
				if told := meter.told(); len(told) != 2 || told[1] != l {
					t.Errorf("the meter was told %+v", told)
				}
			})
		})
	}
}
