package simulate

import "time"

// The messages of /v1/listen, as the service spells them.
type (
	novaResults struct {
		Type         string       `json:"type"`
		ChannelIndex [2]int       `json:"channel_index"`
		Duration     float64      `json:"duration"`
		Start        float64      `json:"start"`
		IsFinal      bool         `json:"is_final"`
		SpeechFinal  bool         `json:"speech_final"`
		FromFinalize bool         `json:"from_finalize"`
		Channel      novaChannel  `json:"channel"`
		Metadata     novaMetaInfo `json:"metadata"`
	}
	novaChannel struct {
		Alternatives     []novaAlternative `json:"alternatives"`
		DetectedLanguage string            `json:"detected_language,omitempty"` // recorded audio alone
	}
	novaAlternative struct {
		Transcript string     `json:"transcript"`
		Confidence float64    `json:"confidence"`
		Languages  []string   `json:"languages,omitempty"`
		Words      []novaWord `json:"words"`
	}
	novaWord struct {
		Word           string  `json:"word"`
		Start          float64 `json:"start"`
		End            float64 `json:"end"`
		Confidence     float64 `json:"confidence"`
		PunctuatedWord string  `json:"punctuated_word,omitempty"`
		Language       string  `json:"language,omitempty"`
	}
	novaMetaInfo struct {
		RequestID string    `json:"request_id"`
		ModelInfo modelInfo `json:"model_info"`
		ModelUUID string    `json:"model_uuid"`
	}
	modelInfo struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Arch    string `json:"arch"`
	}
	// novaSpeechStarted has an array where novaResults has an object.
	novaSpeechStarted struct {
		Type      string  `json:"type"`
		Channel   [2]int  `json:"channel"`
		Timestamp float64 `json:"timestamp"`
	}
	novaUtteranceEnd struct {
		Type        string  `json:"type"`
		Channel     [2]int  `json:"channel"`
		LastWordEnd float64 `json:"last_word_end"`
	}
	novaMetadata struct {
		Type           string               `json:"type"`
		TransactionKey string               `json:"transaction_key"`
		RequestID      string               `json:"request_id"`
		SHA256         string               `json:"sha256"`
		Created        string               `json:"created"`
		Duration       float64              `json:"duration"`
		Channels       int                  `json:"channels"`
		Models         []string             `json:"models,omitempty"`
		ModelInfo      map[string]modelInfo `json:"model_info,omitempty"`
	}
	novaError struct {
		Type        string `json:"type"`
		Variant     string `json:"variant"`
		Description string `json:"description"`
		Message     string `json:"message"`
	}
)

// The messages of /v2/listen.
type (
	// sequence is the place of a message among all that the server sent.
	sequence struct {
		ID int `json:"sequence_id"`
	}
	fluxConnected struct {
		Type      string `json:"type"`
		RequestID string `json:"request_id"`
		sequence
	}
	fluxTurnInfo struct {
		Type      string `json:"type"`
		RequestID string `json:"request_id"`
		sequence
		Event       string     `json:"event"`
		TurnIndex   int        `json:"turn_index"`
		WindowStart float64    `json:"audio_window_start"`
		WindowEnd   float64    `json:"audio_window_end"`
		Transcript  string     `json:"transcript"`
		Words       []fluxWord `json:"words"`
		Confidence  float64    `json:"end_of_turn_confidence"`
		Languages   []string   `json:"languages,omitempty"`
		Hinted      []string   `json:"languages_hinted,omitempty"`
	}
	// fluxWord comes with its punctuation.
	fluxWord struct {
		Word       string  `json:"word"`
		Confidence float64 `json:"confidence"`
		Start      float64 `json:"start"`
		End        float64 `json:"end"`
	}
	fluxConfigured struct {
		Type      string `json:"type"`
		RequestID string `json:"request_id"`
		sequence
		Thresholds *fluxThresholds `json:"thresholds,omitempty"`
		Keyterms   []string        `json:"keyterms,omitempty"`
		Hints      []string        `json:"language_hints,omitempty"`
	}
	// fluxNotice is an Error, which is fatal, or a Warning.
	fluxNotice struct {
		Type string `json:"type"`
		sequence
		Code        string `json:"code"`
		Description string `json:"description"`
	}
)

func (s *sequence) number(n int) { s.ID = n }

// seconds is how Deepgram tells a place in the audio.
func seconds(ms int) float64 { return float64(ms) / 1000 }

// created is a Metadata's time stamp.
func created() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// modelUUID stands for every model, and info describes one.
const modelUUID = "5f1d0a52-7b0c-4d3e-9a6b-2c4e8f9d1b37"

func info(model string) modelInfo {
	return modelInfo{Name: model, Version: "simulated", Arch: model}
}
