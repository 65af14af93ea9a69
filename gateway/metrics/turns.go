package metrics

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kalami/session"
)

// The values of the label stage.
const (
	stageEndpoint     = "endpoint"
	stageSTTFinal     = "stt_final"
	stageLLMFirst     = "llm_first"
	stageClause       = "clause"
	stageTTSFirst     = "tts_first"
	stageEgress       = "egress"
	stageClientBuffer = "client_buffer"
)

// The values of the label measured_by.
const (
	byServer = "server"
	byClient = "client"
)

// turns are the histograms of where a turn's time goes.
type turns struct {
	stage        *prometheus.HistogramVec
	firstAudio   *prometheus.HistogramVec
	voiceToVoice *prometheus.HistogramVec
	apart, lead  prometheus.Histogram
	deadAir      prometheus.Histogram
}

func newTurns(registry *prometheus.Registry) turns {
	t := turns{
		stage: prometheus.NewHistogramVec(histogram("kalami_turn_stage_seconds",
			"How long each stage of an answer took; drafted says whether the answer was begun before the turn ended.", stageBounds()), []string{"stage", "drafted"}),
		firstAudio: prometheus.NewHistogramVec(histogram("kalami_turn_first_audio_seconds",
			"From the end of the learner's speech to the first frame of the answer being written.", turnBounds()), []string{"drafted"}),
		voiceToVoice: prometheus.NewHistogramVec(histogram("kalami_turn_voice_to_voice_seconds",
			"From the end of the learner's speech to the first sample of the answer being heard, as the server works it out and as the client measures it.",
			turnBounds()), []string{"measured_by", "drafted"}),
		apart: prometheus.NewHistogram(histogram("kalami_turn_estimate_error_seconds",
			"How far the server's figure for voice to voice is from the client's.", []float64{.001, .002, .005, .01, .015, .02, .03, .05, .1, .2, .5, 1})),
		lead: prometheus.NewHistogram(histogram("kalami_draft_lead_seconds",
			"How much of an answer's making was done when the turn ended, for answers that were drafted.", stageBounds())),
		deadAir: prometheus.NewHistogram(histogram("kalami_dead_air_seconds",
			"How long learners heard nothing while an answer was owed: before its first frame, and where its audio ran dry.",
			[]float64{.1, .25, .5, .75, 1, 1.5, 2, 2.1, 2.25, 2.5, 3, 4, 6, 8, 10})),
	}
	registry.MustRegister(t.stage, t.firstAudio, t.voiceToVoice, t.apart, t.lead, t.deadAir)
	for _, drafted := range []string{"false", "true"} { // all series are there from the start
		for _, stage := range []string{stageEndpoint, stageSTTFinal, stageLLMFirst, stageClause, stageTTSFirst, stageEgress, stageClientBuffer} {
			t.stage.WithLabelValues(stage, drafted)
		}
		t.firstAudio.WithLabelValues(drafted)
		for _, by := range []string{byServer, byClient} {
			t.voiceToVoice.WithLabelValues(by, drafted)
		}
	}
	return t
}

// histogram describes a histogram that is classic and native: native buckets are no
// more than 2 % wide, which at 800 ms is less than 20.
func histogram(name, help string, bounds []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds,
		NativeHistogramBucketFactor: 1.02, NativeHistogramMaxBucketNumber: 200, NativeHistogramMinResetDuration: time.Hour}
}

// turnBounds resolve 20 ms where the latency of turns is decided.
func turnBounds() []float64 {
	bounds := []float64{.05, .1, .2, .3}
	for ms := 400; ms <= 1200; ms += 20 {
		bounds = append(bounds, float64(ms)/1000)
	}
	return append(bounds, 1.3, 1.4, 1.5, 1.75, 2, 2.5, 3, 4, 5, 7.5, 10)
}

// stageBounds are for parts of a turn, from what takes no time to patience with an
// unfinished sentence.
func stageBounds() []float64 {
	return slices.Concat([]float64{.001, .0025, .005, .01, .02, .04, .06, .08, .1, .12, .14, .16, .18, .2},
		[]float64{.25, .3, .35, .4, .45, .5, .6, .7, .8, .9, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 6})
}

// Turn implements [session.Meter].
func (m *Metrics) Turn(l session.Latency) {
	t, drafted := &m.turns, strconv.FormatBool(l.DraftMS > 0)
	// A stage of 0 ms was passed all the same if what comes after it was.
	answered, heard := l.FirstAudioMS > 0, l.HeardMS > 0
	for _, s := range []struct {
		name   string
		ms     int
		passed bool
	}{
		{stageEndpoint, l.EndpointMS, answered}, {stageSTTFinal, l.STTFinalMS, false}, {stageLLMFirst, l.LLMFirstMS, answered},
		{stageClause, l.ClauseMS, answered}, {stageTTSFirst, l.TTSFirstMS, answered}, {stageEgress, l.EgressMS, answered},
		{stageClientBuffer, l.BufferMS, heard},
	} {
		if s.passed || s.ms > 0 {
			t.stage.WithLabelValues(s.name, drafted).Observe(seconds(s.ms))
		}
	}
	if answered {
		t.firstAudio.WithLabelValues(drafted).Observe(seconds(l.FirstAudioMS))
	}
	if heard {
		t.voiceToVoice.WithLabelValues(byServer, drafted).Observe(seconds(l.HeardMS))
	}
	if l.ClientMS > 0 {
		t.voiceToVoice.WithLabelValues(byClient, drafted).Observe(seconds(l.ClientMS))
	}
	if heard && l.ClientMS > 0 {
		t.apart.Observe(math.Abs(seconds(l.HeardMS - l.ClientMS)))
	}
	if l.DraftMS > 0 {
		t.lead.Observe(seconds(l.DraftMS))
	}
}

// DeadAir implements [session.Meter].
func (m *Metrics) DeadAir(silent time.Duration) { m.turns.deadAir.Observe(silent.Seconds()) }

func seconds(ms int) float64 { return float64(ms) / 1000 }
