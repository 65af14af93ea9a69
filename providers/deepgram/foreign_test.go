package deepgram_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	listenv1api "github.com/deepgram/deepgram-go-sdk/v3/pkg/api/listen/v1/rest"
	v1 "github.com/deepgram/deepgram-go-sdk/v3/pkg/api/listen/v1/websocket/interfaces"
	v2 "github.com/deepgram/deepgram-go-sdk/v3/pkg/api/listen/v2/websocket/interfaces"
	sdk "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/interfaces"
	listen "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/listen"
	fluxclient "github.com/deepgram/deepgram-go-sdk/v3/pkg/client/listen/v2"

	"kalami/providers/simulate"
)

// The vendor's own Go package, which knows nothing of ours, must be able to talk
// to the simulator: else our client and our simulator could share a mistake. What
// it has to deliver is what a bare socket receives for the same audio. That
// package loses messages after CloseStream, so all of it is read before.

// patience is far more than anything here takes.
const patience = 20 * time.Second

// overLoopback serves a simulator on a real socket, for clients that dial themselves.
func overLoopback(t *testing.T) (host string) {
	t.Helper()
	sim := simulate.New(simulate.Options{Key: testKey})
	web := httptest.NewServer(sim)
	t.Cleanup(func() {
		sim.Close()
		web.Close()
	})
	return strings.TrimPrefix(web.URL, "http://")
}

// bare sends audio and a control message over a plain WebSocket and returns every
// message up to the first that says stop.
func bare(t *testing.T, url string, audio []byte, control string, stop func(msg []byte) bool) [][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"token " + testKey}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	go func() {
		for chunk := range slices.Chunk(audio, 2560) {
			_ = c.Write(ctx, websocket.MessageBinary, chunk)
		}
		if control != "" {
			_ = c.Write(ctx, websocket.MessageText, []byte(control))
		}
	}()
	var all [][]byte
	for {
		_, b, err := c.Read(ctx)
		if err != nil {
			t.Fatalf("after %d messages: %v", len(all), err)
		}
		all = append(all, b)
		if stop(b) {
			return all
		}
	}
}

// told1 and told2 name a message by what callers look at.
func told1(r *v1.MessageResponse) string {
	a := v1.Alternative{}
	if len(r.Channel.Alternatives) > 0 {
		a = r.Channel.Alternatives[0]
	}
	s := fmt.Sprintf("Results %.2f+%.2f %v %v %v %q", r.Start, r.Duration, r.IsFinal, r.SpeechFinal, r.FromFinalize, a.Transcript)
	for _, w := range a.Words {
		s += fmt.Sprintf(" %s/%s@%.2f-%.2f", w.Word, w.PunctuatedWord, w.Start, w.End)
	}
	return s
}

func told2(r *v2.TurnInfoResponse) string {
	return fmt.Sprintf("%d %s %d %.2f-%.2f %q %d %.2f", r.SequenceID, r.EventType, r.TurnIndex, r.AudioWindowStart, r.AudioWindowEnd, r.Transcript, len(r.Words), r.EndOfTurnConfidence)
}

// decode1 names a raw message of /v1/listen the way v1Ears does.
func decode1(t *testing.T, msg []byte) string {
	t.Helper()
	var kind struct{ Type string }
	if err := json.Unmarshal(msg, &kind); err != nil {
		t.Fatal(err)
	}
	var err error
	out := kind.Type
	switch kind.Type {
	case "Results":
		var r v1.MessageResponse
		err = json.Unmarshal(msg, &r)
		out = told1(&r)
	case "SpeechStarted":
		var r v1.SpeechStartedResponse
		err = json.Unmarshal(msg, &r)
		out = fmt.Sprintf("SpeechStarted %.2f", r.Timestamp)
	case "UtteranceEnd":
		var r v1.UtteranceEndResponse
		err = json.Unmarshal(msg, &r)
		out = fmt.Sprintf("UtteranceEnd %.2f", r.LastWordEnd)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// v1Ears gathers what the vendor's client delivers of /v1/listen.
type v1Ears struct{ got chan string }

func (e v1Ears) Open(*v1.OpenResponse) error         { return nil }
func (e v1Ears) Close(*v1.CloseResponse) error       { return nil }
func (e v1Ears) Metadata(*v1.MetadataResponse) error { return nil }
func (e v1Ears) Message(r *v1.MessageResponse) error { e.got <- told1(r); return nil }
func (e v1Ears) Error(r *v1.ErrorResponse) error     { e.got <- "error " + r.ErrMsg; return nil }
func (e v1Ears) UnhandledEvent(b []byte) error       { e.got <- "unhandled " + string(b); return nil }
func (e v1Ears) SpeechStarted(r *v1.SpeechStartedResponse) error {
	e.got <- fmt.Sprintf("SpeechStarted %.2f", r.Timestamp)
	return nil
}
func (e v1Ears) UtteranceEnd(r *v1.UtteranceEndResponse) error {
	e.got <- fmt.Sprintf("UtteranceEnd %.2f", r.LastWordEnd)
	return nil
}

// expect compares what arrives with what must.
func expect(t *testing.T, got <-chan string, want []string) {
	t.Helper()
	late := time.After(patience)
	for i, w := range want {
		select {
		case g := <-got:
			if g != w {
				t.Fatalf("message %d:\ngot  %s\nwant %s", i, g, w)
			}
		case <-late:
			t.Fatalf("message %d of %d did not arrive: %s", i, len(want), w)
		}
	}
}

func TestForeignClientHearsNova(t *testing.T) {
	host := overLoopback(t)
	audio := append(samples(t, hesitant), make([]byte, 2*16000*2)...) // and silence, for UtteranceEnd
	raw := bare(t, "ws://"+host+"/v1/listen?model=nova-3&language=en&encoding=linear16&sample_rate=16000&interim_results=true&"+
		"endpointing=400&utterance_end_ms=1000&vad_events=true&smart_format=true", audio, `{"type":"Finalize"}`,
		func(b []byte) bool { return strings.Contains(string(b), `"from_finalize":true`) })
	var want []string
	kinds := map[string]int{}
	for _, b := range raw {
		w := decode1(t, b)
		want = append(want, w)
		name, _, _ := strings.Cut(w, " ")
		kinds[name]++
	}
	if kinds["Results"] < 5 || kinds["SpeechStarted"] < 2 || kinds["UtteranceEnd"] == 0 {
		t.Fatalf("too little to compare: %v", kinds)
	}

	ears := v1Ears{got: make(chan string, len(want)+8)}
	client, err := listen.NewWSUsingCallback(t.Context(), testKey, &sdk.ClientOptions{Host: "ws://" + host},
		&sdk.LiveTranscriptionOptions{Model: "nova-3", Language: "en", Encoding: "linear16", SampleRate: 16000, InterimResults: true,
			Endpointing: "400", UtteranceEndMs: "1000", VadEvents: true, SmartFormat: true}, ears)
	if err != nil || client == nil || !client.Connect() {
		t.Fatalf("no connection: %v", err)
	}
	defer client.Stop()
	for chunk := range slices.Chunk(audio, 2560) {
		if _, err := client.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.Finalize(); err != nil {
		t.Fatal(err)
	}
	expect(t, ears.got, want)
}

// v2Ears gathers what the vendor's client delivers of /v2/listen.
type v2Ears struct{ got chan string }

func (e v2Ears) Open(*v2.OpenResponse) error   { return nil }
func (e v2Ears) Close(*v2.CloseResponse) error { return nil }
func (e v2Ears) Connected(r *v2.ConnectedResponse) error {
	e.got <- fmt.Sprintf("%d Connected", r.SequenceID)
	return nil
}
func (e v2Ears) TurnInfo(r *v2.TurnInfoResponse) error { e.got <- told2(r); return nil }
func (e v2Ears) ConfigureSuccess(r *v2.ConfigureSuccessResponse) error {
	e.got <- fmt.Sprintf("%d ConfigureSuccess %v", r.SequenceID, r.Thresholds.EotTimeoutMs)
	return nil
}
func (e v2Ears) ConfigureFailure(r *v2.ConfigureFailureResponse) error {
	e.got <- fmt.Sprintf("%d ConfigureFailure", r.SequenceID)
	return nil
}
func (e v2Ears) FatalError(r *v2.FatalErrorResponse) error { e.got <- "fatal " + r.Code; return nil }
func (e v2Ears) Error(r *v2.ErrorResponse) error           { e.got <- "error " + r.ErrMsg; return nil }
func (e v2Ears) UnhandledEvent(b []byte) error             { e.got <- "unhandled " + string(b); return nil }

func TestForeignClientHearsFlux(t *testing.T) {
	host := overLoopback(t)
	audio := samples(t, cleanWAV)
	raw := bare(t, "ws://"+host+"/v2/listen?model=flux-general-multi&language_hint=en&language_hint=es&encoding=linear16&sample_rate=16000&"+
		"eager_eot_threshold=0.4", audio, "", func(b []byte) bool { return strings.Contains(string(b), `"EndOfTurn"`) })
	want := []string{"0 Connected"}
	for _, b := range raw[1:] {
		var r v2.TurnInfoResponse
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		want = append(want, told2(&r))
	}
	if len(want) < 10 {
		t.Fatalf("too little to compare: %q", want)
	}

	ears := v2Ears{got: make(chan string, len(want)+64)}
	client, err := fluxclient.NewWSUsingCallback(t.Context(), testKey, &sdk.ClientOptionsV2{Host: "ws://" + host},
		&sdk.FluxTranscriptionOptions{Model: "flux-general-multi", LanguageHint: []string{"en", "es"}, Encoding: "linear16", SampleRate: 16000, EagerEotThreshold: 0.4}, ears)
	if err != nil || client == nil || !client.Connect() {
		t.Fatalf("no connection: %v", err)
	}
	defer client.Stop()
	for chunk := range slices.Chunk(audio, 2560) {
		if _, err := client.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, ears.got, want)
	for len(ears.got) > 0 { // the silence after the turn
		<-ears.got
	}
	if err := client.Configure(&sdk.FluxConfigureOptions{Thresholds: &sdk.FluxThresholds{EotTimeoutMs: 800}}); err != nil {
		t.Fatal(err)
	}
	late := time.After(patience)
	for {
		select {
		case g := <-ears.got:
			if strings.HasSuffix(g, "ConfigureSuccess 800") {
				return
			}
			if !strings.Contains(g, " Update ") {
				t.Fatalf("got %s", g)
			}
		case <-late:
			t.Fatal("no answer to Configure")
		}
	}
}

func TestForeignClientTranscribesARecording(t *testing.T) {
	host := overLoopback(t)
	client := listenv1api.New(listen.NewREST(testKey, &sdk.ClientOptions{Host: "http://" + host}))
	r, err := client.FromFile(t.Context(), cleanWAV, &sdk.PreRecordedTranscriptionOptions{Model: "nova-3", Language: "en", SmartFormat: true, Utterances: true})
	if err != nil {
		t.Fatal(err)
	}
	a := r.Results.Channels[0].Alternatives[0]
	if a.Transcript != english || len(a.Words) != 13 || len(r.Results.Utterances) != 1 || r.Metadata.RequestID == "" || r.Metadata.Duration < 4 {
		t.Errorf("heard %q in %d words, %d utterances, %v s", a.Transcript, len(a.Words), len(r.Results.Utterances), r.Metadata.Duration)
	}
}
