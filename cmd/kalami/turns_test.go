package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"kalami/gateway/learner"
	"kalami/providers/simulate"
	"kalami/session/learn"
)

// writer is a learner who writes and sends recordings, over HTTP alone.
type writer struct {
	t              *testing.T
	h              *house
	token, session string
}

// newWriter registers somebody who learns Spanish and starts a session.
func newWriter(t *testing.T, h *house) *writer {
	t.Helper()
	w := &writer{t: t, h: h}
	w.post("/auth/register", map[string]any{"email": "ana@example.org", "password": "good enough", "name": "Ana"}, http.StatusCreated)
	in := w.send("/auth/login", "application/x-www-form-urlencoded", strings.NewReader("username=ana@example.org&password=good+enough"), http.StatusOK)
	w.token = in["access_token"].(string)
	profile := w.post("/users/profiles", map[string]any{"target_language": "es", "cefr_level": "A2"}, http.StatusCreated)
	session := w.post("/conversations/sessions", map[string]any{"profile_id": profile["id"], "topic": "Dinner"}, http.StatusCreated)
	w.session = "/conversations/sessions/" + session["id"].(string)
	return w
}

// send posts a body and returns the answer, which must have this status.
func (w *writer) send(path, contentType string, body io.Reader, want int) map[string]any {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.h.url()+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	return w.do(req, want)
}

func (w *writer) do(req *http.Request, want int) (answer map[string]any) {
	w.t.Helper()
	if w.token != "" {
		req.Header.Set("Authorization", "Bearer "+w.token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() {
		_ = res.Body.Close()
		http.DefaultClient.CloseIdleConnections()
	}()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		w.t.Fatalf("%s %s: %s, want %d: %.300s, %v", req.Method, req.URL.Path, res.Status, want, b, err)
	}
	if len(b) > 0 && b[0] == '[' {
		b = append(append([]byte(`{"all":`), b...), '}')
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		w.t.Fatalf("%s: %v in %.300s", req.URL.Path, err, b)
	}
	return answer
}

// post sends JSON.
func (w *writer) post(path string, body map[string]any, want int) map[string]any {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.send(path, "application/json", bytes.NewReader(b), want)
}

// get reads; a list is under "all".
func (w *writer) get(path string) map[string]any {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.h.url()+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.do(req, http.StatusOK)
}

// said are the session's messages, the tutor's in brackets.
func (w *writer) said() (all []string) {
	w.t.Helper()
	for _, m := range w.get(w.session + "/messages")["all"].([]any) {
		text := m.(map[string]any)["content"].(string)
		if m.(map[string]any)["role"] == "assistant" {
			text = "[" + text + "]"
		}
		all = append(all, text)
	}
	return all
}

// isClip checks that an answer's sound is one whole MP3.
func isClip(t *testing.T, answer map[string]any) {
	t.Helper()
	text, _ := answer["assistant_audio_base64"].(string)
	mp3, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(mp3) < 1000 || !bytes.HasPrefix(mp3, []byte("ID3")) && (mp3[0] != 0xff || mp3[1]&0xe0 != 0xe0) {
		t.Errorf("the clip is no MP3: %d bytes, %v", len(mp3), err)
	}
}

// A learner writes and talks, turn by turn: the mistake is corrected on the learner's
// own message, the answer is heard, the model knows what was said before and hears
// nothing twice, and the totals count the voice alone.
func TestTurnByTurn(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		w := newWriter(t, h)

		first := w.post(w.session+"/text", map[string]any{"text": "Yo soy muy cansado porque trabajo mucho."}, http.StatusOK)
		reply := simulate.Scripts()["es"].Turns[1].Tutor
		if first["assistant_text"] != reply || first["analysed"] != true {
			t.Errorf("answered %v", first)
		}
		isClip(t, first)
		correction := map[string]any{"original": "soy muy cansado", "corrected": "estoy muy cansado", "category": "word_choice",
			"explanation": `Use "estar" for how you feel at the moment, "ser" for what you are like.`, "start": 3.0, "end": 18.0}
		if got := first["corrections"].([]any); len(got) != 1 || !sameJSON(got[0], correction) {
			t.Errorf("corrections %v, want %v", got, correction)
		}
		if got := first["vocabulary_introduced"].([]any); len(got) != 1 || got[0] != "sopa de verduras" {
			t.Errorf("words %v", got)
		}

		// What the simulator hears of recorded speech are the script's lines in turn.
		wav := learner.Recording{Rate: 16000, PCM: loudPCM(2)}.WAV()
		var form bytes.Buffer
		parts := multipart.NewWriter(&form)
		file, err := parts.CreateFormFile("audio", "turn.wav")
		if err == nil {
			_, err = file.Write(wav)
		}
		if err != nil || parts.Close() != nil {
			t.Fatal(err)
		}
		second := w.send("/api"+w.session+"/audio", parts.FormDataContentType(), &form, http.StatusOK)
		heard := simulate.Scripts()["es"].Turns[0]
		if second["user_text"] != heard.Learner || second["assistant_text"] != heard.Tutor {
			t.Errorf("answered %v", second)
		}
		isClip(t, second)
		third := w.post(w.session+"/audio", map[string]any{"audio_base64": base64.StdEncoding.EncodeToString(wav), "format": "wav"}, http.StatusOK)
		want := []string{"Yo soy muy cansado porque trabajo mucho.", "[" + reply + "]", heard.Learner, "[" + heard.Tutor + "]",
			third["user_text"].(string), "[" + third["assistant_text"].(string) + "]"}
		if got := w.said(); strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("stored %q, want %q", got, want)
		}

		h.asked.mu.Lock()
		var lines []string
		for _, m := range h.asked.prompts[len(h.asked.prompts)-2].Messages { // the last is the analysis
			lines = append(lines, m.Content[0].Text)
		}
		h.asked.mu.Unlock()
		if len(lines) != 5 || lines[4] != third["user_text"] || lines[0] != want[0] || lines[1] != reply {
			t.Errorf("the model was told %q", lines)
		}
		now := w.get(w.session)
		if now["corrections_made"] == 0.0 || now["message_count"] != 6.0 || now["speaking_seconds"].(float64) > 4 || now["speaking_seconds"] == 0.0 {
			t.Errorf("session %v", now)
		}
		if own := w.get(w.session + "/messages")["all"].([]any)[0].(map[string]any)["grammar_corrections"].([]any); len(own) != 1 || !sameJSON(own[0], correction) {
			t.Errorf("the message's corrections %v", own)
		}
	})
}

// Silence is no turn; a vendor that fails is told, and what the learner wrote is kept
// and answered with the next; a turn in an ended session is refused.
func TestTurnsInTrouble(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		w := newWriter(t, h)
		silence := base64.StdEncoding.EncodeToString(learner.Recording{Rate: 16000, PCM: make([]byte, 32000)}.WAV())
		if got := w.post(w.session+"/audio", map[string]any{"audio_base64": silence}, http.StatusOK); got["code"] != "not_heard" || got["user_text"] != "" {
			t.Errorf("silence is answered with %v", got)
		}
		if got := w.said(); len(got) != 0 {
			t.Errorf("silence left %q", got)
		}

		for _, vendor := range []simulate.Vendor{simulate.Anthropic, simulate.OpenAI} {
			h.vendors.Inject(simulate.Fault{Vendor: vendor, Kind: simulate.FaultStatus, Status: 500})
		}
		got := w.post(w.session+"/text", map[string]any{"text": "Hola."}, http.StatusServiceUnavailable)
		if got["detail"] != "Error processing text: the tutor cannot answer just now, try again shortly" {
			t.Errorf("refused with %v", got)
		}
		if got := w.said(); len(got) != 1 || got[0] != "Hola." {
			t.Errorf("stored %q", got)
		}
		answered := w.post(w.session+"/text", map[string]any{"text": "¿Me oye?", "generate_audio": false}, http.StatusOK)
		if answered["assistant_audio_base64"] != nil || len(w.said()) != 3 {
			t.Errorf("answered %v, stored %q", answered, w.said())
		}

		w.post(w.session+"/end", nil, http.StatusOK)
		if got := w.post(w.session+"/text", map[string]any{"text": "Adiós."}, http.StatusBadRequest); got["detail"] != "Session has ended" {
			t.Errorf("refused with %v", got)
		}
	})
}

// A turn that is posted while the session is live raises its epoch, so that the live
// one's next message is refused; what becomes of it then is tested in package session.
func TestTurnTakesALiveSessionOver(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b backend) {
		h := openHouse(t, b, simulate.Latency{})
		w := newWriter(t, h)
		id := strings.TrimPrefix(w.session, "/conversations/sessions/")
		before, err := h.db.TakeOver(context.WithoutCancel(t.Context()), "personal", w.get(w.session)["user_id"].(string), id) // as a live session does
		if err != nil {
			t.Fatal(err)
		}
		w.post(w.session+"/text", map[string]any{"text": "Hola.", "generate_audio": false}, http.StatusOK)
		now, err := h.db.Conversation(t.Context(), before.TenantID, before.UserID, id)
		if err != nil || now.Epoch <= before.Epoch || now.NextSeq != 3 {
			t.Errorf("epoch %d after %d, next message %d, %v", now.Epoch, before.Epoch, now.NextSeq, err)
		}
		late := learn.Message{TenantID: before.TenantID, ConversationID: id, UtteranceID: "u-1", Seq: before.NextSeq, Speaker: learn.SpeakerLearner, Content: "¿Oye?"}
		if err := h.db.AppendMessage(t.Context(), before.Epoch, late); !errors.Is(err, learn.ErrFenced) {
			t.Errorf("the live session's next message: %v, want fenced", err)
		}
	})
}

// loudPCM is so many seconds of sound.
func loudPCM(seconds int) []byte {
	pcm := make([]byte, seconds*32000)
	for i := 0; i < len(pcm); i += 2 {
		pcm[i+1] = byte(20 * (i / 40 % 2))
	}
	return pcm
}

// sameJSON compares two decoded values.
func sameJSON(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
