package session

import (
	"fmt"
	"slices"

	"kalami/providers"
	"kalami/session/learn"
	"kalami/session/turntaking"
)

// PCM is the one audio type that every client and server has.
const PCM = "audio/pcm"

// The sample rates, in hertz, that are negotiated: of the learner's microphone and of the tutor's voice.
var (
	inputRates  = []int{8000, 16000, 24000, 48000}
	outputRates = []int{16000, 24000}
)

// CheckInput says whether f can be the learner's format.
func CheckInput(f Format) bool { return f.Type == PCM && slices.Contains(inputRates, f.Rate) }

// CheckOutput says whether f can be the tutor's format.
func CheckOutput(f Format) bool { return f.Type == PCM && slices.Contains(outputRates, f.Rate) }

// The kinds of turn detection.
const (
	// TurnsPatient ends a turn when the learner has been silent for as long as their
	// level or their own setting says.
	TurnsPatient = "patient"
	// TurnsEndpoint ends it as soon as the recogniser says that the segment is over,
	// there are words and no voice goes on: for benches, and clients that want speed
	// and no patience. Patience still ends the turn when the recogniser never does.
	TurnsEndpoint = "endpoint"
)

// CheckTurns says whether kind is a kind of turn detection.
func CheckTurns(kind string) bool { return kind == TurnsPatient || kind == TurnsEndpoint }

// Bounds of a learner's own patience setting.
const (
	MinPatience = turntaking.MinPatience
	MaxPatience = turntaking.MaxPatience
)

func patienceOK(ms int) bool {
	return MinPatience.Milliseconds() <= int64(ms) && int64(ms) <= MaxPatience.Milliseconds()
}

func speedOK(x float64) bool { return 0.5 <= x && x <= 1.5 }

// Completed is c with what it does not say filled in from the profile and its level, as a
// session does it.
func (c Config) Completed(p learn.Profile) Config {
	level := learn.Level(c.Level)
	if c.Duplex == "" {
		c.Duplex = "full"
	}
	if c.CorrectionMode == "" {
		c.CorrectionMode = string(cmpOr(p.CorrectionMode, learn.DefaultCorrection(level)))
	}
	if c.Audio.Input.Format == (Format{}) {
		c.Audio.Input.Format = Format{Type: PCM, Rate: 16000}
	}
	if c.Audio.Output.Format == (Format{}) {
		c.Audio.Output.Format = Format{Type: PCM, Rate: 24000}
	}
	if c.Audio.Output.Speed == 0 {
		c.Audio.Output.Speed = cmpOr(p.SpeechRate, learn.SpeechRate(level))
	}
	c.Audio.Output.Voice = cmpOr(c.Audio.Output.Voice, p.VoiceID)
	if td := c.Audio.Input.TurnDetection; td != nil && td.PatienceMS == 0 {
		filled := *td
		filled.adapts = p.PatienceMS == 0
		filled.PatienceMS = cmpOr(p.PatienceMS, int(turntaking.Adapted(level, p.Habits).Milliseconds()))
		c.Audio.Input.TurnDetection = &filled
	}
	return c
}

// choose takes the learner's own patience, which is never adapted.
func (td *TurnDetection) choose(ms int) { td.PatienceMS, td.adapts = ms, false }

// cmpOr returns the first of two values that is not zero.
func cmpOr[T comparable](a, b T) T {
	var zero T
	if a != zero {
		return a
	}
	return b
}

// clone copies the configuration, so that what a client was told does not change under it.
func (c Config) clone() Config {
	if td := c.Audio.Input.TurnDetection; td != nil {
		copied := *td
		c.Audio.Input.TurnDetection = &copied
	}
	return c
}

// merge applies a patch. Formats are fixed once audio has flowed: heard for the
// learner's direction, spoken for the tutor's.
func (a *AudioConfig) merge(p *AudioPatch, heard, spoken bool) *Problem {
	if in := p.Input; in != nil {
		if in.Format != nil && *in.Format != a.Input.Format {
			if problem := checkFormat("session.audio.input.format", *in.Format, CheckInput, inputRates, heard); problem != nil {
				return problem
			}
			a.Input.Format = *in.Format
		}
		if problem := a.Input.mergeTurns(in.TurnDetection); problem != nil {
			return problem
		}
	}
	if out := p.Output; out != nil {
		if out.Format != nil && *out.Format != a.Output.Format {
			if problem := checkFormat("session.audio.output.format", *out.Format, CheckOutput, outputRates, spoken); problem != nil {
				return problem
			}
			a.Output.Format = *out.Format
		}
		if out.Speed != nil {
			if !speedOK(*out.Speed) {
				return &Problem{Type: InvalidRequest, Code: InvalidEvent, Param: "session.audio.output.speed", Message: "The speed is between 0.5 and 1.5."}
			}
			a.Output.Speed = *out.Speed
		}
	}
	return nil
}

// checkFormat says what is wrong with a wish for another format.
func checkFormat(param string, f Format, ok func(Format) bool, rates []int, locked bool) *Problem {
	if !ok(f) {
		return &Problem{Type: InvalidRequest, Code: UnsupportedFormat, Param: param,
			Message: fmt.Sprintf("The format is %s at one of %v hertz.", PCM, rates)}
	}
	if locked {
		return &Problem{Type: InvalidRequest, Code: ConfigLocked, Param: param, Message: "The format is fixed once audio has flowed."}
	}
	return nil
}

// mergeTurns applies a patch of the turn detection.
func (in *InputConfig) mergeTurns(p *TurnDetectionPatch) *Problem {
	if p == nil {
		return nil
	}
	if p.Off {
		in.TurnDetection = nil
		return nil
	}
	td := TurnDetection{Type: TurnsPatient, InterruptResponse: true} // the level's patience
	if in.TurnDetection != nil {
		td = *in.TurnDetection
	}
	if p.Type != nil {
		if !CheckTurns(*p.Type) {
			return &Problem{Type: InvalidRequest, Code: InvalidEvent, Param: "session.audio.input.turn_detection.type",
				Message: "Turn detection is patient or endpoint."}
		}
		td.Type = *p.Type
	}
	if p.PatienceMS != nil {
		if !patienceOK(*p.PatienceMS) {
			return &Problem{Type: InvalidRequest, Code: InvalidEvent, Param: "session.audio.input.turn_detection.patience_ms",
				Message: "Patience is between 800 and 4000 milliseconds."}
		}
		td.choose(*p.PatienceMS)
	}
	if p.InterruptResponse != nil {
		td.InterruptResponse = *p.InterruptResponse
	}
	in.TurnDetection = &td
	return nil
}

// follow makes the vendors' options those of a configuration. Beginners' own
// language is hinted to the recogniser, because they mix it in; from B2 on only
// the target language is expected.
func (s *settings) follow(c Config) {
	listen := &providers.ListenOptions{Language: c.Language, SampleRate: c.Audio.Input.Format.Rate, Encoding: providers.PCM16}
	if learn.Level(c.Level) < learn.B2 && c.NativeLanguage != "" && c.NativeLanguage != c.Language {
		listen.Hints = []string{c.Language, c.NativeLanguage}
	}
	s.listen.Store(listen)
	s.rate.Store(int32(c.Audio.Input.Format.Rate))
	s.speak.Store(&providers.SpeakOptions{Language: c.Language, VoiceID: c.Audio.Output.Voice,
		SampleRate: c.Audio.Output.Format.Rate, Speed: c.Audio.Output.Speed})
}
