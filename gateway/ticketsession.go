package gateway

import (
	"kalami/session"
	"kalami/session/learn"
)

// sessionRequest is the part of a session's configuration that a client may choose
// when it asks for a ticket; what is left out takes the profile's or the protocol's value.
type sessionRequest struct {
	Duplex *string      `json:"duplex" enum:"full,half" doc:"half: the learner's microphone is closed while the tutor speaks"`
	Audio  audioRequest `json:"audio"`
}

type audioRequest struct {
	Input  inputRequest  `json:"input" doc:"The learner's direction"`
	Output outputRequest `json:"output" doc:"The tutor's direction"`
}

type inputRequest struct {
	Format *session.Format `json:"format" doc:"audio/pcm at 8000, 16000, 24000 or 48000 Hz"`
	// TurnDetection is null for push-to-talk.
	TurnDetection optional[turnDetectionRequest] `json:"turn_detection" doc:"How a turn of the learner ends; null for push-to-talk"`
}

type outputRequest struct {
	Format *session.Format `json:"format" doc:"audio/pcm at 16000 or 24000 Hz"`
	Speed  *float64        `json:"speed" doc:"How fast the tutor speaks; 1 is the voice's own pace" minimum:"0.5" maximum:"1.5"`
	Voice  *string         `json:"voice" doc:"The vendor's id of a voice" maxLength:"64"`
}

type turnDetectionRequest struct {
	Type              *string `json:"type" enum:"patient,endpoint" doc:"patient: the turn ends after silence that fits the learner; endpoint: where the recogniser says so, which is sooner and cuts a hesitant learner off"`
	PatienceMS        *int    `json:"patience_ms" doc:"Silence before the tutor speaks, in milliseconds" minimum:"800" maximum:"4000"`
	InterruptResponse *bool   `json:"interrupt_response" doc:"Whether speech of the learner interrupts the tutor"`
}

const (
	duplexFull = "full"
	duplexHalf = "half"
	audioPCM   = "audio/pcm"
)

// check names every field at fault by its dotted path.
func (in sessionRequest) check(f *faults) {
	if d := in.Duplex; d != nil && *d != duplexFull && *d != duplexHalf {
		f.add("session.duplex", "must be full or half")
	}
	checkFormat(f, "session.audio.input.format", in.Audio.Input.Format, 8000, 16000, 24000, 48000)
	checkFormat(f, "session.audio.output.format", in.Audio.Output.Format, 16000, 24000)
	if td := in.Audio.Input.TurnDetection; td.set && !td.null {
		if t := td.value.Type; t != nil && !session.CheckTurns(*t) {
			f.add("session.audio.input.turn_detection.type", "must be %s or %s", session.TurnsPatient, session.TurnsEndpoint)
		}
		if p := td.value.PatienceMS; p != nil {
			number(f, "session.audio.input.turn_detection.patience_ms", *p, minPatienceMS, maxPatienceMS)
		}
	}
	if v := in.Audio.Output.Speed; v != nil {
		number(f, "session.audio.output.speed", *v, minSpeed, maxSpeed)
	}
	if v := in.Audio.Output.Voice; v != nil {
		f.voiceID("session.audio.output.voice", *v)
	}
}

// checkFormat accepts PCM at one of the rates.
func checkFormat(f *faults, field string, format *session.Format, rates ...int) {
	if format == nil {
		return
	}
	if format.Type != audioPCM {
		f.add(field+".type", "must be %s", audioPCM)
	}
	for _, r := range rates {
		if format.Rate == r {
			return
		}
	}
	f.add(field+".rate", "must be one of %v", rates)
}

// sessionConfig is the configuration that the socket starts with: the request over the
// profile over the protocol's defaults. in has been checked.
func (s *Server) sessionConfig(t Ticket, p learn.Profile, u learn.User, in sessionRequest) session.Config {
	c := session.Config{
		ConversationID: t.ConversationID,
		ProfileID:      p.ID,
		Language:       p.TargetLanguage,
		NativeLanguage: u.NativeLanguage,
		Level:          string(p.Level),
		Topic:          t.Topic,
		ScenarioID:     t.ScenarioID,
		CorrectionMode: string(p.CorrectionMode),
		Duplex:         valueOr(in.Duplex, duplexFull),
		Parts:          s.opts.Parts,
	}
	if s.opts.Demo != nil {
		c.Demo = s.opts.Demo(p.TargetLanguage)
	}
	c.Audio.Input.Format = valueOr(in.Audio.Input.Format, session.Format{Type: audioPCM, Rate: 16000})
	if td := in.Audio.Input.TurnDetection; !td.null {
		c.Audio.Input.TurnDetection = &session.TurnDetection{
			Type:       valueOr(td.value.Type, session.TurnsPatient),
			PatienceMS: valueOr(td.value.PatienceMS, p.PatienceMS),
			// A half-duplex client's microphone hears the tutor: only its button interrupts.
			InterruptResponse: c.Duplex == duplexFull && valueOr(td.value.InterruptResponse, true),
		}
	}
	c.Audio.Output = session.OutputConfig{
		Format: valueOr(in.Audio.Output.Format, session.Format{Type: audioPCM, Rate: 24000}),
		Voice:  valueOr(in.Audio.Output.Voice, p.VoiceID),
		Speed:  valueOr(in.Audio.Output.Speed, p.SpeechRate),
	}
	return c
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
