package session

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// chaos is a client and a recogniser of which nothing can be relied on.
type chaos struct {
	*talk
	rng     *rand.Rand
	segment int
	said    []string // the words of the segment under way
}

var chaosWords = strings.Fields("ayer fui al mercado con mi madre sopa de verduras y pollo asado sí mhm espera un momento, también hay pescado. ¿Qué? 等一下 no")

// lie is a number that a client may report: true, late, early or nonsense.
func (c *chaos) lie() float64 {
	return []float64{0, -1, 1, 300, 2500, 1e308, math.Inf(1), math.NaN(), c.rng.Float64() * 8000}[c.rng.IntN(9)]
}

// response is the id of a response that there was, lately or long ago, or of none.
func (c *chaos) response() string {
	all := eventsOf[ResponseCreated](c.conn)
	if c.rng.IntN(10) == 0 || len(all) == 0 {
		return "r_none"
	}
	return all[max(0, len(all)-1-c.rng.IntN(2))].Response.ID
}

// control is something that the client may ask for or report.
func (c *chaos) control() Control {
	duplex, kind := []string{"half", "full"}[c.rng.IntN(2)], []string{TurnsPatient, TurnsEndpoint}[c.rng.IntN(2)]
	switch c.rng.IntN(16) {
	case 0:
		return CommitInput{}
	case 1:
		return ClearInput{}
	case 2:
		return HoldTurn{MS: []int{-5, 0, 1, 900, math.MaxInt}[c.rng.IntN(5)]}
	case 3:
		return CreateItem{Text: "¿Y qué más?"}
	case 4:
		return CreateResponse{}
	case 5:
		return CancelResponse{}
	case 6:
		return DeviceState{Route: []string{"speaker", "wired"}[c.rng.IntN(2)], AEC: c.rng.IntN(2) == 0, Muted: c.rng.IntN(4) == 0}
	case 7:
		return UpdateSession{ConfigPatch{Duplex: &duplex}}
	case 8:
		return UpdateSession{ConfigPatch{Audio: &AudioPatch{Input: &InputPatch{TurnDetection: &TurnDetectionPatch{Off: c.rng.IntN(3) == 0, Type: &kind}}}}}
	case 9:
		return PlaybackStarted{ResponseID: c.response(), LatencyMS: c.lie(), BufferMS: c.lie(), SpeechEndMS: c.lie()}
	case 10, 11:
		return PlaybackPosition{PlaybackState: PlaybackState{ResponseID: c.response(), PlayedMS: c.lie(), BufferedMS: c.lie()}}
	case 12:
		return PlaybackStopped{ResponseID: c.response(), PlayedMS: c.lie()}
	case 13:
		return PlaybackCleared{ResponseID: c.response(), PlayedMS: c.lie()}
	case 14:
		return PlaybackMark{ResponseID: c.response(), PlayedMS: c.lie(), Name: "s1"}
	}
	return Pong{ID: "p_none"}
}

// hearing has the recogniser say something, mostly in order.
func (c *chaos) hearing() {
	kind := []providers.HeardKind{providers.HeardStart, providers.HeardUpdate, providers.HeardUpdate, providers.HeardUpdate,
		providers.HeardEagerEnd, providers.HeardResumed, providers.HeardEnd, providers.HeardEnd}[c.rng.IntN(8)]
	switch c.rng.IntN(5) {
	case 0: // the same again
	case 1:
		c.said = c.said[:len(c.said)/2]
	default:
		c.said = append(c.said, chaosWords[c.rng.IntN(len(chaosWords))])
	}
	ev := providers.Heard{Kind: kind, Segment: c.segment, Text: strings.Join(c.said, " "), EndMS: c.sentMS - c.rng.IntN(500)}
	switch c.rng.IntN(12) {
	case 0:
		ev.Segment -= c.rng.IntN(3)
	case 1:
		ev.EndMS = []int{-1, 0, math.MaxInt32}[c.rng.IntN(3)]
	case 2:
		ev.Text = ""
	}
	if h := c.hears.last(); h != nil {
		h.events <- ev
	}
	synctest.Wait()
	if kind == providers.HeardEnd && c.rng.IntN(6) > 0 {
		c.segment += 1 + c.rng.IntN(20)/19
		c.said = nil
	}
}

// run does anything for a while, and then nothing for two minutes.
func (c *chaos) run(steps int) {
	for range steps {
		switch c.rng.IntN(6) {
		case 0:
			c.send(c.control())
		case 1, 2:
			c.hearing()
		default:
			c.mic(20*(1+c.rng.IntN(40)), c.rng.IntN(3) == 0)
		}
	}
	c.mic(130_000, false)
}

// check looks at what the client got and what was stored.
func (c *chaos) check() {
	c.answered()
	created, committed := map[string]bool{}, 0
	streams := map[uint16]bool{}
	for _, w := range c.conn.all() {
		switch e := w.event.(type) {
		case nil:
			if !streams[w.frame.Stream] {
				c.t.Errorf("audio of stream %d, of which the client does not know", w.frame.Stream)
			}
		case ResponseCreated:
			created[e.Response.ID], streams[e.Stream] = true, true
		case ClearAudio:
			delete(streams, e.Stream)
		case CaptionDelta:
			if !created[e.ResponseID] {
				c.t.Errorf("captions of %s, of which the client does not know", e.ResponseID)
			}
		case Committed:
			committed++
		case NotUnderstood:
			if e.ItemID == "" {
				c.t.Error("an item without an id was not understood")
			}
		case ResponseDone:
			for name, ms := range map[string]int{"heard": e.Latency.HeardMS, "client": e.Latency.ClientMS, "buffer": e.Latency.BufferMS} {
				if ms < 0 || ms > 1e6 {
					c.t.Errorf("%s after %d ms", name, ms)
				}
			}
		case Failure:
			if e.Error.Code == InternalError {
				c.t.Errorf("%+v", e)
			}
		}
	}
	voiced := 0
	for _, m := range c.journal.stored() {
		if m.Speaker == learn.SpeakerLearner && m.Source == "voice" {
			voiced++
		}
		if m.Audio < 0 || m.Audio > time.Hour {
			c.t.Errorf("audio of %v", m.Audio)
		}
	}
	if voiced != committed {
		c.t.Errorf("%d turns were told, and %d stored", committed, voiced)
	}
}

// Whatever clients and recognisers do: the session lives, every response ends once, and
// without help, nobody hears or sees of drafts, and what is told is what is stored.
func TestChaos(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newDrafting(t)
				k.host.Limits.MaxDurationMS, k.host.Limits.IdleTimeoutMS = 1<<30, 1<<30
				for range 400 {
					k.tutor.replies = append(k.tutor.replies, longMenu)
				}
				s := &speaker{buffer: 120 * time.Millisecond, deaf: seed%3 == 1, mute: seed%4 == 3}
				switch seed % 5 { // the vendors are not better
				case 1:
					k.voice.breaks, k.voice.plain = 2, true
				case 2:
					k.voice.late = true
				case 3:
					k.tutor.breaks, k.host.Nudges = true, true
				case 4:
					k.voice.early = true
				}
				k.listen(s)
				k.start()
				c := &chaos{talk: k, rng: rand.New(rand.NewPCG(seed, 1))}
				c.run(300)
				if begun, over := len(eventsOf[ResponseCreated](k.conn)), len(eventsOf[ResponseDone](k.conn)); begun != over {
					t.Errorf("%d of %d responses are over two minutes later", over, begun)
				}
				calls := k.calls()
				sum := k.summary()
				if n := len(eventsOf[ResponseCreated](k.conn)) + sum.Dropped; calls > n {
					t.Errorf("the tutor was asked %d times for %d answers and drafts", calls, n)
				}
				if sum.Started != sum.Released+sum.Dropped {
					t.Errorf("drafts %+v", sum)
				}
				c.check()
			})
		})
	}
}
