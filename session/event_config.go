package session

// Config is the session's effective configuration, the `session` object of the protocol.
type Config struct {
	ID             string `json:"id" example:"vs_1"`
	ConversationID string `json:"conversation_id"`
	ProfileID      string `json:"profile_id"`
	Language       string `json:"language" doc:"The language that is learned" example:"es"`
	NativeLanguage string `json:"native_language" example:"en"`
	Level          string `json:"level" enum:"A1,A2,B1,B2,C1,C2"`
	Topic          string `json:"topic,omitempty" example:"General conversation"`
	// ScenarioID is empty for free talk.
	ScenarioID     string      `json:"scenario_id,omitempty" doc:"What is played; absent for free talk" example:"order-in-a-cafe"`
	CorrectionMode string      `json:"correction_mode" doc:"flow, balanced, strict, elicit or silent; empty for the level's default" example:"balanced"`
	Duplex         string      `json:"duplex" enum:"full,half" doc:"half: the learner's microphone is closed while the tutor speaks"`
	Audio          AudioConfig `json:"audio"`
	// Parts says who hears, thinks and speaks: "deepgram" …, or "demo".
	Parts Parts `json:"parts" doc:"Who hears, thinks and speaks"`
	// Demo holds what the demo tutor needs said aloud about itself; nil when no part is simulated.
	Demo *DemoInfo `json:"demo,omitempty" doc:"There when a part is simulated"`
}

// AudioConfig holds both directions' audio settings.
type AudioConfig struct {
	Input  InputConfig  `json:"input" doc:"The learner's direction"`
	Output OutputConfig `json:"output" doc:"The tutor's direction"`
}

// InputConfig is the learner's direction.
type InputConfig struct {
	Format Format `json:"format"`
	// TurnDetection is nil for push-to-talk: turns end by input_audio_buffer.commit alone.
	TurnDetection *TurnDetection `json:"turn_detection" doc:"How a turn of the learner ends; null for push-to-talk"`
}

// TurnDetection says how a learner's turn ends and whether speech interrupts the tutor.
type TurnDetection struct {
	// Type is [TurnsPatient] or [TurnsEndpoint].
	Type              string `json:"type" enum:"patient,endpoint" doc:"patient: the turn ends after silence that fits the learner; endpoint: where the recogniser says so, which is sooner and cuts a hesitant learner off"`
	PatienceMS        int    `json:"patience_ms" doc:"Silence before the tutor speaks; 0 for the level's default" example:"1500"`
	InterruptResponse bool   `json:"interrupt_response" doc:"Whether speech of the learner interrupts the tutor" example:"true"`
	// adapts: nobody chose PatienceMS, so that it follows the learner's pauses.
	adapts bool
}

// OutputConfig is the tutor's direction.
type OutputConfig struct {
	Format Format  `json:"format"`
	Voice  string  `json:"voice,omitempty" doc:"The vendor's id of the voice"`
	Speed  float64 `json:"speed" doc:"1 is the voice's own pace; 0 the level's default" example:"1"`
}

// Parts names the provider of each part of the tutor.
type Parts struct {
	STT string `json:"stt" doc:"Who hears: a vendor, or demo" example:"deepgram"`
	LLM string `json:"llm" doc:"Who thinks" example:"anthropic"`
	TTS string `json:"tts" doc:"Who speaks" example:"elevenlabs"`
}

// DemoInfo tells the learner that a part is simulated, and how to make it real.
type DemoInfo struct {
	// Missing lists the environment variables that would turn real parts on.
	Missing []string `json:"missing" doc:"The environment variables that would turn real parts on"`
	// Script is what the simulated recogniser will hear, line by line, in this
	// language; empty when recognition is real.
	Script []string `json:"script,omitempty" doc:"What the simulated recogniser will hear, line by line; absent when recognition is real"`
}
