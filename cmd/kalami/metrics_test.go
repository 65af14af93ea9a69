package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"kalami/providers/failover"
	"kalami/providers/simulate"
	"kalami/session"
	"kalami/session/learn"
)

// scrape reads the metrics, by their names with labels.
func scrape(t *testing.T, h *house) map[string]float64 {
	t.Helper()
	status, body := fetch(t, "http://"+h.scraped.Addr().String()+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	values := map[string]float64{}
	for lines := bufio.NewScanner(strings.NewReader(body)); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			values[name] = v
		}
	}
	return values
}

// fetch gets a page.
func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	}()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// A conversation is seen where Prometheus looks: its turn by stages, with what the
// client measured, and an interruption. Nothing that was said is, and the port that
// learners reach shows none of it.
func TestMetricsOfAConversation(t *testing.T) {
	t.Parallel()
	h := openHouse(t, backends()[0], simulate.BenchLatency(), "KALAMI_METRICS_ADDR=127.0.0.1:0")
	if before := scrape(t, h); before["kalami_sessions_active"] != 0 || before["kalami_interruptions_total"] != 0 {
		t.Errorf("before: %v", before)
	}
	p := join(t, h.url(), "en", "B2")
	await[session.ResponseDone](p, 1)
	p.mic.Say(recording(t, "en-01-clean"))
	await[session.ResponseDone](p, 2)
	now := scrape(t, h)
	for name, want := range map[string]float64{
		"kalami_sessions_active": 1,
		`kalami_turn_stage_seconds_count{drafted="false",stage="llm_first"}`:                        2, // the greeting's, too
		`kalami_turn_stage_seconds_count{drafted="false",stage="endpoint"}`:                         1,
		`kalami_turn_first_audio_seconds_count{drafted="false"}`:                                    1,
		`kalami_turn_voice_to_voice_seconds_count{drafted="false",measured_by="server"}`:            1,
		`kalami_turn_voice_to_voice_seconds_count{drafted="false",measured_by="client"}`:            1,
		`kalami_turn_voice_to_voice_seconds_bucket{drafted="false",measured_by="client",le="+Inf"}`: 1,
		"kalami_turn_estimate_error_seconds_count":                                                  1,
		"kalami_client_reports_clamped_total":                                                       0,
	} {
		either := now[name] + now[strings.Replace(name, `"false"`, `"true"`, 1)] // whether it was drafted is not the matter here
		if strings.Contains(name, "drafted") && either != want || !strings.Contains(name, "drafted") && now[name] != want {
			t.Errorf("%s is %v, want %v", name, now[name], want)
		}
	}
	for _, kind := range failover.Parts() {
		kinds := 0
		for name, state := range now {
			if strings.HasPrefix(name, fmt.Sprintf("kalami_provider_breaker_state{kind=%q,", kind)) && state == 0 {
				kinds++
			}
		}
		if kinds == 0 {
			t.Errorf("no breaker of %s is known", kind)
		}
	}
	for _, kind := range []string{`kind="llm",outcome="ok",provider="anthropic"`, `kind="tts",outcome="ok",provider="elevenlabs"`} {
		if name := "kalami_provider_requests_total{" + kind + "}"; now[name] < 1 {
			t.Errorf("%s is %v", name, now[name])
		}
	}
	if sum := now["kalami_turn_estimate_error_seconds_sum"]; sum < 0 || sum > 60 {
		t.Errorf("server and client are %v s apart", sum)
	}
	_, page := fetch(t, "http://"+h.scraped.Addr().String()+"/metrics")
	for _, said := range []string{"o'clock", "visiting", "evening", await[session.Created](p, 1).Session.ConversationID, `language="`, learn.PersonalTenant} {
		if strings.Contains(page, said) {
			t.Errorf("the metrics hold %q", said)
		}
	}
	if status, _ := fetch(t, h.url()+"/metrics"); status != http.StatusNotFound {
		t.Errorf("the port that learners reach answers /metrics with %d", status)
	}
	if err := p.call.Send(session.EndSession{}); err != nil {
		t.Fatal(err)
	}
	if err := <-p.ended; err != nil {
		t.Errorf("the call ended with %v", err)
	}
}

// A server whose address for metrics is taken says so and teaches all the same; one
// that is to have none has none.
func TestMetricsAddressIsNotToBeHad(t *testing.T) {
	t.Parallel()
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for addr, warns := range map[string]bool{taken.Addr().String(): true, "off": false} {
		h := openDemo(t, backends()[0], "KALAMI_METRICS_ADDR="+addr)
		if status, _ := fetch(t, h.url()+"/livez"); status != http.StatusOK || h.scraped != nil {
			t.Errorf("with metrics at %s the server answers %d", addr, status)
		}
		if err := h.end(); err != nil {
			t.Errorf("with metrics at %s it ended with %v", addr, err)
		}
		if warned := strings.Contains(h.log.String(), "KALAMI_METRICS_ADDR"); warned != warns {
			t.Errorf("with metrics at %s the log says %s", addr, h.log)
		}
	}
}

func TestMetricsAddr(t *testing.T) {
	checkAccepts[MetricsAddr](t, []accept{
		{in: "127.0.0.1:9464", want: "127.0.0.1:9464"},
		{in: "[::1]:0", want: "[::1]:0"},
		{in: "metrics.internal:9464", want: "metrics.internal:9464"},
		{in: "off", want: "off"},
		{in: "9464", err: "host:port"},
		{in: ":9464", err: "host:port"},
		{in: "127.0.0.1", err: "host:port"},
		{in: "http://127.0.0.1:9464", err: "host:port"},
		{in: "127.0.0.1:99999", err: "a port between"},
		{in: "127.0.0.1:http", err: "a port between"},
		{in: "127.0.0.1:+1", err: "a port between"},
	})
}
