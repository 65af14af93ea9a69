package verify

import (
	"slices"

	"kalami/session/learn"
)

// spoiled is a way to spoil a good trial.
type spoiled struct {
	want Invariant
	name string
	// what is said of it; kind is that of the record that it is shown at, empty for none.
	what, kind string
	spoil      func(t *trial)
}

// change changes the first fact of type F that match accepts.
func change[F Fact](t *trial, match func(F) bool, set func(*F)) {
	for i, r := range t.records {
		if f, ok := r.Fact.(F); ok && match(f) {
			set(&f)
			t.records[i].Fact = f
			return
		}
	}
	panic("no such fact")
}

func always[F Fact](F) bool { return true }

func violations() []spoiled {
	return slices.Concat(spoiledMessages(), spoiledEvents(), spoiledHeard(), spoiledAudio(), spoiledNodes())
}

func spoiledMessages() []spoiled {
	return []spoiled{
		{"I1", "lost ack", "it_4 was acknowledged and is not stored", "acknowledged", func(t *trial) {
			t.stored.Messages = t.stored.Messages[:3]
			t.stored.Conversation.NextSeq, t.stored.Conversation.Totals = 4, learn.Totals{Turns: 1, Words: 7, BargeIns: 1}
		}},
		{"I1", "other words", "it_4 was acknowledged with 2 words", "acknowledged", func(t *trial) {
			t.stored.Messages[3].Content, t.stored.Messages[3].Heard = "no, poco", "no, poco"
		}},
		{"I1", "the tutor's", "as the tutor's", "acknowledged", func(t *trial) {
			t.stored.Messages[3].Speaker, t.stored.Conversation.Totals = learn.SpeakerTutor, learn.Totals{Turns: 1, Words: 7, BargeIns: 1}
		}},
		{"I2", "utterance twice", "utterance it_4 is stored twice, as numbers 4 and 5", "committed", func(t *trial) {
			t.store(2, t.stored.Messages[3].Message)
			t.stored.Conversation.NextSeq, t.stored.Conversation.Totals = 6, learn.Totals{Turns: 3, Words: 11, BargeIns: 1}
		}},
		{"I2", "totals", "its messages", "", func(t *trial) { t.stored.Conversation.Totals.Turns++ }},
		{"I2", "ended without an end", "is ended and its end", "", func(t *trial) { t.stored.Conversation.Status = "ended" }},
		{"I3", "a hole in the numbers", "after number 3 has number 5", "committed", func(t *trial) {
			t.stored.Messages[3].Seq, t.stored.Conversation.NextSeq = 5, 6
		}},
		{"I3", "next number", "next message would have number 9", "", func(t *trial) { t.stored.Conversation.NextSeq = 9 }},
		{"I4", "epoch falls", "message 4 is of epoch 1, one before it of epoch 2", "committed", func(t *trial) { t.stored.Messages[3].Epoch = 1 }},
		{"I4", "epoch from the future", "has a message of epoch 2", "", func(t *trial) { t.stored.Conversation.Epoch = 1 }},
		{"I4", "two writers", "node-1 and node-2 both have epoch 1", "took_over", func(t *trial) {
			t.by("node-2")(TookOver{Epoch: 1})
		}},
		{"I4", "stale write", "node-1 wrote in epoch 1, begun", "committed", func(t *trial) {
			t.by("node-1")(Committed{Epoch: 1, Utterance: "it_4", Seq: 4, Speaker: "user", Text: TextOf(typed), Heard: TextOf(typed)})
		}},
		{"I5", "canary", "a marker of tenant t2", "canary", func(t *trial) { t.by("client")(CanarySeen{Of: "t2"}) }},
		{"I5", "another tenant's message", "message 2 belongs to tenant t2", "committed", func(t *trial) { t.stored.Messages[1].TenantID = "t2" }},
		{"I5", "another tenant's conversation", "of tenant t9 is in a conversation of tenant t1", "connected", func(t *trial) {
			change(t, always, func(c *Connected) { c.Tenant = "t9" })
		}},
		{"I7", "analysis lost", "m2 was analysed", "analysed", func(t *trial) { t.stored.Analysed = nil }},
		{"I7", "analysis twice", "m2 has two analyses", "", func(t *trial) { t.stored.Analysed = []string{"m2", "m2"} }},
		{"I7", "analysis of the tutor", "about m3", "", func(t *trial) { t.stored.Analysed = []string{"m2", "m3"} }},
	}
}

func spoiledEvents() []spoiled {
	return []spoiled{
		{"I3", "a hole in the events", "event 5 follows event 3", "event", func(t *trial) {
			t.records = slices.DeleteFunc(t.records, func(r Record) bool {
				e, ok := r.Fact.(EventReceived)
				return ok && e.Seq == 4
			})
		}},
		{"I3", "an event twice", "event 8 follows event 8", "event", func(t *trial) {
			t.by("client")(EventReceived{Seq: 8, Type: "ping"})
		}},
		{"I3", "resumed elsewhere", "resumed with number 4", "connected", func(t *trial) {
			t.by("client")(Connected{How: "resumed", Seq: 4, LastSeq: 4})
		}},
		{"I3", "restarted below", "restarted with number 8", "connected", func(t *trial) {
			t.by("client")(Connected{How: "restarted", Seq: 8, LastSeq: 8})
		}},
		{"I3", "created late", "first event has number 3", "connected", func(t *trial) {
			t.by("client")(Connected{How: "created", Seq: 3})
		}},
		{"I3", "begins otherwise", `begins with "surprised"`, "connected", func(t *trial) {
			t.by("client")(Connected{How: "surprised", Seq: 8})
		}},
		{"I3", "a response after its end", "response.created of response r_2 after it was done", "event", func(t *trial) {
			t.by("client")(EventReceived{Seq: 9, Type: "response.created", Response: "r_2"})
		}},
		{"I3", "an item done twice", "item it_4 is done twice", "event", func(t *trial) {
			t.by("client")(EventReceived{Seq: 9, Type: "conversation.item.done", Item: "it_4"})
		}},
		{"I12", "unknown code", "closed with 4777", "closed", func(t *trial) { t.by("client")(Closed{Code: 4777}) }},
	}
}

func spoiledHeard() []spoiled {
	cut := func(o PlaybackOver) bool { return o.Cut }
	return []spoiled{
		{"I6", "a sentence twice", "heard again: it ends at word 5", "sentence_heard", func(t *trial) {
			t.by("client")(SentenceHeard{Response: "r_1", Item: "it_3", Mark: "s1", Text: TextOf("¡Qué bien! ¿Hacía sol? Me")},
				SentenceHeard{Response: "r_1", Item: "it_3", Mark: "s2", Text: TextOf("¡Qué bien! ¿Hacía sol? Me")})
		}},
		{"I6", "less is stored", "5 words were heard, and 4 are stored", "sentence_heard", func(t *trial) {
			t.by("client")(SentenceHeard{Item: "it_3", Text: TextOf("¡Qué bien! ¿Hacía sol? Me")})
			t.stored.Messages[2].Heard = "¡Qué bien! ¿Hacía sol?"
			change(t, cut, func(o *PlaybackOver) { o.Text = Text{} })
		}},
		{"I6", "other words", "the first 2 words", "sentence_heard", func(t *trial) {
			change(t, func(s SentenceHeard) bool { return s.Item == "it_3" }, func(s *SentenceHeard) { s.Text = TextOf("¡Qué mal!") })
		}},
		{"I6", "the end differs", "6 words", "playback_over", func(t *trial) {
			change(t, cut, func(o *PlaybackOver) { o.Text = TextOf("¡Qué bien! ¿Hacía sol? Me gusta") })
		}},
		{"I6", "less than heard", "over at word 1, and 4 were heard", "playback_over", func(t *trial) {
			change(t, cut, func(o *PlaybackOver) { o.Text = TextOf("¡Qué") })
		}},
		{"I6", "heard and not stored", "item it_9 was heard and is not stored", "sentence_heard", func(t *trial) {
			t.stored.Conversation.EndReason = "normal"
			t.by("client")(SentenceHeard{Response: "r_9", Item: "it_9", Mark: "s1", Text: TextOf("¡Adiós!")})
		}},
		{"I6", "not interrupted", "was cut and is stored as heard to its end", "playback_over", func(t *trial) {
			t.stored.Messages[2].Interrupted, t.stored.Conversation.Totals.BargeIns = false, 0
		}},
	}
}

func spoiledAudio() []spoiled {
	return []spoiled{
		{"I8", "a hole in the tutor's audio", "and 30 is missing", "audio", func(t *trial) {
			change(t, func(a AudioReceived) bool { return a.From == 30 }, func(a *AudioReceived) { a.From = 31 })
		}},
		{"I8", "an acknowledgement falls", "frame 5 of stream 1 is acknowledged after frame 129", "mic_acked", func(t *trial) {
			t.by("client")(Connected{How: "resumed", Seq: 8, LastSeq: 8, Warm: true}, MicAcked{Stream: 1, Seq: 129}, MicAcked{Stream: 1, Seq: 5})
		}},
		{"I8", "more acknowledged than sent", "130 were sent", "mic_acked", func(t *trial) { t.by("client")(MicAcked{Stream: 1, Seq: 130}) }},
		{"I8", "audio from the future", "from frame 131 on, and 130 were sent", "connected", func(t *trial) {
			t.by("client")(Connected{How: "resumed", Seq: 8, LastSeq: 8, Stream: 1, Next: 131})
		}},
		{"I8", "frames that no session took", "frame 130 of stream 1", "mic_acked", func(t *trial) {
			t.by("client")(MicSent{Stream: 1, From: 130, Next: 131}, MicAcked{Stream: 1, Seq: 130})
		}},
		{"I8", "words lost", "7 words were said in frames 20 to 90", "said", func(t *trial) {
			t.stored.Messages = slices.Delete(t.stored.Messages, 1, 2)
			for i := range t.stored.Messages {
				t.stored.Messages[i].Seq = i + 1
			}
			t.stored.Conversation.NextSeq, t.stored.Conversation.Totals = 4, learn.Totals{Turns: 1, Words: 2, BargeIns: 1}
			t.stored.Analysed = nil
			t.records = slices.DeleteFunc(t.records, func(r Record) bool {
				ack, acked := r.Fact.(Acknowledged)
				_, analysed := r.Fact.(Analysed)
				return analysed || acked && ack.Item == "it_2"
			})
		}},
		{"I8", "words doubled", "message 5 holds 7 words that were not said", "", func(t *trial) {
			t.store(2, learn.Message{UtteranceID: "it_5", Speaker: learn.SpeakerLearner, Source: "voice", Content: spoken, Heard: spoken})
			t.stored.Conversation.NextSeq, t.stored.Conversation.Totals = 6, learn.Totals{Turns: 3, Words: 16, BargeIns: 1}
		}},
	}
}

func spoiledNodes() []spoiled {
	quiet := func(c Counted) bool { return c.When == WhenQuiet }
	return []spoiled{
		{"I9", "leaked cap", "holds 0 sessions, and 1 are counted", "counted", func(t *trial) { change(t, quiet, func(c *Counted) { c.Caps = 1 }) }},
		{"I9", "leaked session", "holds 1 sessions and has no clients", "counted", func(t *trial) {
			change(t, quiet, func(c *Counted) { c.Sessions, c.Caps = 1, 1 })
		}},
		{"I9", "leaked key", "has left 3 keys", "counted", func(t *trial) { change(t, quiet, func(c *Counted) { c.Keys = 3 }) }},
		{"I9", "leaked goroutine", "has 21 goroutines", "counted", func(t *trial) { change(t, quiet, func(c *Counted) { c.Goroutines = 21 }) }},
		{"I9", "leaked file", "has 10 open files", "counted", func(t *trial) { change(t, quiet, func(c *Counted) { c.Files = 10 }) }},
		{"I10", "canary in a log", "node.log line 2 holds canary 1", "", func(t *trial) { t.logs["node.log"] += "password=sw0rdfish" }},
		{"I11", "too many hedges", "11 of 31 calls", "vendor_called", func(t *trial) {
			for range 10 {
				t.on("").by("node-2")(VendorCalled{Part: "tts", Vendor: "openai", Why: WhyRetry})
			}
		}},
	}
}
