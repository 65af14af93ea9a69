package simulate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// maxRecording bounds a recorded file: 17 minutes at 16 kHz.
const maxRecording = 32 << 20

// The answer of POST /v1/listen.
type (
	recordedAnswer struct {
		Metadata recordedMetadata `json:"metadata"`
		Results  recordedResults  `json:"results"`
	}
	recordedMetadata struct {
		TransactionKey string               `json:"transaction_key"`
		RequestID      string               `json:"request_id"`
		SHA256         string               `json:"sha256"`
		Created        string               `json:"created"`
		Duration       float64              `json:"duration"`
		Channels       int                  `json:"channels"`
		Models         []string             `json:"models"`
		ModelInfo      map[string]modelInfo `json:"model_info"`
	}
	recordedResults struct {
		Channels   []novaChannel       `json:"channels"`
		Utterances []recordedUtterance `json:"utterances,omitempty"`
	}
	recordedUtterance struct {
		ID         string     `json:"id"`
		Start      float64    `json:"start"`
		End        float64    `json:"end"`
		Confidence float64    `json:"confidence"`
		Channel    int        `json:"channel"`
		Transcript string     `json:"transcript"`
		Words      []novaWord `json:"words"`
	}
)

// handleRecorded serves POST /v1/listen.
func (s *Server) handleRecorded(w http.ResponseWriter, r *http.Request) {
	id, fault, ok := s.admit(w, r)
	if !ok {
		return
	}
	q, wrong := s.novaQuery(r.URL.Query())
	if wrong != nil {
		wrong.refuse(w, r, id)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRecording))
	if err != nil {
		(&deepgramRefusal{Status: http.StatusRequestEntityTooLarge, Code: "PAYLOAD_TOO_LARGE", Msg: "The recording is too long."}).refuse(w, r, id)
		return
	}
	heard, wrong := unpack(&q, r.Header.Get("Content-Type"), body)
	if wrong != nil {
		wrong.refuse(w, r, id)
		return
	}
	if !s.sleep(r.Context(), s.opt.Latency.STTFinal) || s.recordedFault(w, r, fault) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Query().Get("callback") != "" { // the transcript would be posted there; nothing is called from here
		_, _ = w.Write(mustJSON(map[string]string{"request_id": id}))
		return
	}
	answer := transcribe(&q, heard)
	answer.Metadata.RequestID, answer.Metadata.SHA256 = id, fingerprint(body)
	if r.URL.Query().Get("utterances") != "true" {
		answer.Results.Utterances = nil
	}
	for i := range answer.Results.Utterances {
		answer.Results.Utterances[i].ID = s.requestUUID()
	}
	if r.URL.Query().Get("detect_language") == "true" {
		answer.Results.Channels[0].DetectedLanguage = primaryTag(q.language)
	}
	_, _ = w.Write(mustJSON(answer))
}

// recordedFault lets a fault answer; true when it did.
func (s *Server) recordedFault(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case FaultCut, FaultEnd, FaultClose:
		s.abort(w)
	case FaultStall:
		s.stall(r.Context())
	case FaultGarbage, FaultStreamError:
		_, _ = w.Write([]byte(`{"metadata":{"request_id":`))
	default:
		return false
	}
	return true
}

// unpack opens a request's audio: raw by the parameters, else a file of a recorder.
func unpack(q *novaQuery, contentType string, body []byte) (recorded, *deepgramRefusal) {
	if strings.HasPrefix(contentType, "application/json") {
		if !json.Valid(body) {
			return recorded{}, badRequest("Bad Request", "Failed to parse the JSON body.")
		}
		return recorded{}, badRequest("REMOTE_CONTENT_ERROR", "The remote server hosting the media could not be reached: this simulator fetches nothing.")
	}
	if q.format.rate > 0 && len(body) > 0 {
		pcm, _ := q.format.decode(body, nil)
		return recorded{pcm: pcm, rate: q.format.rate, took: length(len(pcm), q.format.rate)}, nil
	}
	heard, err := openRecorded(body)
	if err != nil || heard.rate < 8000 {
		return recorded{}, badRequest("Bad Request", "Bad Request: failed to process audio: corrupt or unsupported data")
	}
	return heard, nil
}

// transcribe hears a whole recording.
func transcribe(q *novaQuery, heard recorded) recordedAnswer {
	const confidence = 0.98
	ear := newHearing(heard.rate, q.script)
	var all []heardWord
	var said []recordedUtterance
	utterance := func() {
		words := ear.take()
		if len(words) == 0 {
			return
		}
		all = append(all, words...)
		a := q.alternative(words, confidence)
		said = append(said, recordedUtterance{
			Start: a.Words[0].Start, End: a.Words[len(words)-1].End, Confidence: confidence,
			Transcript: a.Transcript, Words: a.Words,
		})
	}
	const splitMS = 800 // the default of utt_split
	ear.feed(heard.pcm, func() {
		if !ear.voice && ear.quietMS >= splitMS {
			utterance()
		}
	})
	utterance()
	return recordedAnswer{
		Metadata: recordedMetadata{
			TransactionKey: "deprecated", Created: created(), Duration: heard.took.Seconds(),
			Channels: 1, Models: []string{modelUUID}, ModelInfo: map[string]modelInfo{modelUUID: info(q.model)},
		},
		Results: recordedResults{
			Channels:   []novaChannel{{Alternatives: []novaAlternative{q.alternative(all, confidence)}}},
			Utterances: said,
		},
	}
}

// fingerprint is the metadata's sha256 of what was sent.
func fingerprint(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
