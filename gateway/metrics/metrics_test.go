package metrics

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"kalami/providers/failover"
	"kalami/session"
)

// gathered returns the metrics by name.
func gathered(t *testing.T, m *Metrics) map[string]*dto.MetricFamily {
	t.Helper()
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	families := map[string]*dto.MetricFamily{}
	for _, f := range all {
		families[f.GetName()] = f
	}
	return families
}

// samples returns how often each histogram of a family was told something, by its labels' values.
func samples(f *dto.MetricFamily) map[string]uint64 {
	told := map[string]uint64{}
	for _, m := range f.Metric {
		var labels []string
		for _, l := range m.Label { // in the order of their names
			labels = append(labels, l.GetValue())
		}
		if n := m.Histogram.GetSampleCount(); n > 0 {
			told[strings.Join(labels, " ")] = n
		}
	}
	return told
}

func newMetrics() *Metrics { return New("v1.2.3", func() int { return 3 }) }

// Names, units and help are as Prometheus wants them.
func TestNamesAreLinted(t *testing.T) {
	problems, err := testutil.GatherAndLint(newMetrics().registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "kalami_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Every counter that a session can count is shown, at 0 before it is counted, and by no
// other's name.
func TestEveryCounterIsShown(t *testing.T) {
	m := newMetrics()
	names := described()
	for i, c := range session.Counters() {
		opts, ok := names[c]
		if !ok || opts.Help == "" || !strings.HasSuffix(opts.Name, "_total") {
			t.Errorf("%s is not described: %+v", c, opts)
			continue
		}
		if f := gathered(t, m)[opts.Name]; f == nil || f.Metric[0].Counter.GetValue() != 0 {
			t.Errorf("%s does not begin at 0: %v", opts.Name, f)
		}
		m.Count(c, 0)
		m.Count(c, -1)
		m.Count(c, 1000*(i+1))
		want := float64(1000 * (i + 1))
		if c == session.DraftMSWon {
			want /= 1000 // seconds
		}
		if got := gathered(t, m)[opts.Name].Metric[0].Counter.GetValue(); got != want {
			t.Errorf("%s is %v, want %v", opts.Name, got, want)
		}
		delete(names, c)
	}
	if len(names) > 0 {
		t.Errorf("described and never counted: %v", slices.Collect(maps.Keys(names)))
	}
	m.Count("what the learner said", 1) // is not a counter, and gets nowhere
}

// A turn is seen in the stages that it passed, also in those that took no time; what a
// reply did not pass, or nobody measured, is not.
func TestStagesOfATurn(t *testing.T) {
	whole := session.Latency{EndpointMS: 350, STTFinalMS: 340, LLMFirstMS: 400, ClauseMS: 100, TTSFirstMS: 150, FirstAudioMS: 1003, BufferMS: 60, HeardMS: 1063, ClientMS: 1071}
	drafted := whole
	drafted.DraftMS = 200
	for name, c := range map[string]struct {
		told                               session.Latency
		stages, first, voice, apart, drafs map[string]uint64
	}{
		"a turn": {told: whole,
			stages: map[string]uint64{"false endpoint": 1, "false stt_final": 1, "false llm_first": 1, "false clause": 1, "false tts_first": 1, "false egress": 1, "false client_buffer": 1},
			first:  map[string]uint64{"false": 1}, voice: map[string]uint64{"false server": 1, "false client": 1}, apart: map[string]uint64{"": 1}},
		"a drafted one": {told: drafted,
			stages: map[string]uint64{"true endpoint": 1, "true stt_final": 1, "true llm_first": 1, "true clause": 1, "true tts_first": 1, "true egress": 1, "true client_buffer": 1},
			first:  map[string]uint64{"true": 1}, voice: map[string]uint64{"true server": 1, "true client": 1}, apart: map[string]uint64{"": 1}, drafs: map[string]uint64{"": 1}},
		"a client that says nothing": {told: session.Latency{EndpointMS: 350, LLMFirstMS: 400, TTSFirstMS: 150, FirstAudioMS: 900},
			stages: map[string]uint64{"false endpoint": 1, "false llm_first": 1, "false clause": 1, "false tts_first": 1, "false egress": 1},
			first:  map[string]uint64{"false": 1}},
		"a greeting": {told: session.Latency{LLMFirstMS: 400, TTSFirstMS: 150, BufferMS: 20},
			stages: map[string]uint64{"false llm_first": 1, "false tts_first": 1, "false client_buffer": 1}},
		"interrupted before its first token": {told: session.Latency{EndpointMS: 350, STTFinalMS: 340},
			stages: map[string]uint64{"false endpoint": 1, "false stt_final": 1}},
		"nothing": {},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMetrics()
			m.Turn(c.told)
			all := gathered(t, m)
			for family, want := range map[string]map[string]uint64{
				"kalami_turn_stage_seconds": c.stages, "kalami_turn_first_audio_seconds": c.first,
				"kalami_turn_voice_to_voice_seconds": c.voice, "kalami_turn_estimate_error_seconds": c.apart, "kalami_draft_lead_seconds": c.drafs,
			} {
				if got := samples(all[family]); !maps.Equal(got, want) {
					t.Errorf("%s was told %v, want %v", family, got, want)
				}
			}
		})
	}
}

// The number of series does not grow with what happens, and bounds are where turns are.
func TestSeriesAreBounded(t *testing.T) {
	m := newMetrics()
	count := func() (n int) {
		for _, f := range gathered(t, m) {
			for _, metric := range f.Metric {
				n++
				if h := metric.Histogram; h != nil {
					n += len(h.Bucket) + 2
				}
			}
		}
		return n
	}
	before := count()
	var sessions sync.WaitGroup
	for range 8 {
		sessions.Go(func() {
			for ms := range 1000 {
				m.Turn(session.Latency{EndpointMS: ms, LLMFirstMS: ms, TTSFirstMS: ms, FirstAudioMS: ms * 10, HeardMS: ms * 11, ClientMS: ms * 12, DraftMS: ms % 2})
				m.Count(session.Interruptions, 1)
			}
		})
	}
	sessions.Wait()
	if after := count(); after != before || after > 2000 {
		t.Errorf("%d series, %d before", after, before)
	}
	bounds := turnBounds()
	if !slices.IsSorted(bounds) || !slices.IsSorted(stageBounds()) || len(slices.Compact(slices.Clone(bounds))) != len(bounds) {
		t.Errorf("bounds out of order: %v, %v", bounds, stageBounds())
	}
	for i, b := range bounds {
		if b > .4 && b <= 1.2 && b-bounds[i-1] > .0201 {
			t.Errorf("between %v and %v s there is more than 20 ms", bounds[i-1], b)
		}
	}
}

// A scraper gets it all as text.
func TestHandler(t *testing.T) {
	m := newMetrics()
	m.Turn(session.Latency{EndpointMS: 350, LLMFirstMS: 400, TTSFirstMS: 150, FirstAudioMS: 900})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := w.Body.String()
	for _, line := range []string{
		`kalami_build_info{version="v1.2.3"} 1`, "kalami_sessions_active 3",
		`kalami_turn_first_audio_seconds_bucket{drafted="false",le="0.88"} 0`,
		`kalami_turn_first_audio_seconds_bucket{drafted="false",le="0.9"} 1`,
		`kalami_turn_stage_seconds_sum{drafted="false",stage="llm_first"} 0.4`,
		"kalami_drafts_started_total 0", "go_goroutines ",
	} {
		if !strings.Contains(body, "\n"+line) {
			t.Errorf("no line %q", line)
		}
	}
}

// The package's documentation names every metric, and no other.
func TestNamesAreDocumented(t *testing.T) {
	source, err := os.ReadFile("metrics.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, _, _ := strings.Cut(string(source), "\npackage ")
	documented := map[string]string{} // labels by name
	for _, m := range regexp.MustCompile(`(?m)^//\t(kalami_\w+)(?:\{([\w,]+)\})?`).FindAllStringSubmatch(doc, -1) {
		documented[m[1]] = m[2]
	}
	counters := map[string]bool{}
	for _, opts := range described() {
		counters[opts.Name] = true
	}
	m := newMetrics()
	m.Breaker(failover.Replies, "anthropic", failover.Closed)
	for name, f := range gathered(t, m) {
		if !strings.HasPrefix(name, "kalami_") || counters[name] {
			continue
		}
		labels, ok := documented[name]
		delete(documented, name)
		var shown []string
		for _, l := range f.Metric[0].Label {
			shown = append(shown, l.GetName())
		}
		want := strings.FieldsFunc(labels, func(r rune) bool { return r == ',' })
		if slices.Sort(want); !ok || !slices.Equal(shown, want) {
			t.Errorf("%s%v is documented as %v (%v)", name, shown, want, ok)
		}
	}
	if len(documented) > 0 {
		t.Errorf("documented and not there: %v", slices.Collect(maps.Keys(documented)))
	}
}

// A store that is away is shown for as long as it is.
func TestDegraded(t *testing.T) {
	m := newMetrics()
	shown := func() map[string]float64 {
		values := map[string]float64{}
		for _, g := range gathered(t, m)["kalami_degraded"].Metric {
			values[g.Label[0].GetValue()] = g.Gauge.GetValue()
		}
		return values
	}
	for _, c := range []struct {
		store StoreName
		away  bool
		want  map[string]float64
	}{
		{Redis, false, map[string]float64{"redis": 0, "db": 0}},
		{Redis, true, map[string]float64{"redis": 1, "db": 0}},
		{Database, true, map[string]float64{"redis": 1, "db": 1}},
		{Redis, false, map[string]float64{"redis": 0, "db": 1}},
	} {
		m.Degraded(c.store, c.away)
		if got := shown(); !maps.Equal(got, c.want) {
			t.Errorf("%s away %v: %v, want %v", c.store, c.away, got, c.want)
		}
	}
}

// What becomes of vendors is shown by what they do, who they are and how it went; a
// vendor is there, with all that may become of its calls, before it is called.
func TestVendors(t *testing.T) {
	m := newMetrics()
	m.Breaker(failover.Replies, "anthropic", failover.Closed)
	m.Breaker(failover.Replies, "openai", failover.Closed)
	series := func() int { return len(gathered(t, m)["kalami_provider_requests_total"].Metric) }
	if got, want := series(), 2*len(failover.Outcomes()); got != want {
		t.Errorf("%d series before the first call, want %d", got, want)
	}
	m.Requested(failover.Replies, "anthropic", failover.OK)
	m.Requested(failover.Replies, "anthropic", "overloaded")
	m.Requested(failover.Replies, "anthropic", "overloaded")
	m.Breaker(failover.Replies, "anthropic", failover.Open)
	m.FailedOver(failover.Speech, failover.AfterFirst)
	m.Hedged(failover.Replies, true)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range []string{
		`kalami_provider_requests_total{kind="llm",outcome="ok",provider="anthropic"} 1`,
		`kalami_provider_requests_total{kind="llm",outcome="overloaded",provider="anthropic"} 2`,
		`kalami_provider_requests_total{kind="llm",outcome="overloaded",provider="openai"} 0`,
		`kalami_provider_breaker_state{kind="llm",provider="anthropic"} 2`,
		`kalami_provider_breaker_state{kind="llm",provider="openai"} 0`,
		`kalami_provider_failovers_total{kind="tts",when="after_first"} 1`,
		`kalami_provider_failovers_total{kind="stt",when="after_first"} 0`,
		`kalami_provider_hedges_total{won="false"} 0`,
		`kalami_provider_hedges_total{won="true"} 1`,
	} {
		if !strings.Contains(w.Body.String(), "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	if got, want := series(), 2*len(failover.Outcomes()); got != want {
		t.Errorf("%d series after the calls, want %d: an outcome is not listed", got, want)
	}
}
