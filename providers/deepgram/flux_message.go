package deepgram

// fluxTurnInfo is, beside vendorError, the type of /v2/listen's messages that
// means something here.
const fluxTurnInfo = "TurnInfo"

// The events of a TurnInfo.
const (
	fluxStart   = "StartOfTurn"
	fluxUpdate  = "Update"
	fluxEager   = "EagerEndOfTurn"
	fluxResumed = "TurnResumed"
	fluxEnd     = "EndOfTurn"
)

// fluxMessage is what is needed of any message of /v2/listen.
type fluxMessage struct {
	kind string // a constant, empty for a type that is not known

	// TurnInfo
	event                  string // a constant, empty for an event that is not known
	transcript             string
	words                  words
	windowStart, windowEnd float64
	language               string

	code string // Error
}

// decode reads one message into m, which it resets first. The message's bytes
// must stay as they are until m's words are built.
func (m *fluxMessage) decode(msg []byte) error {
	*m = fluxMessage{words: words{scratch: m.words.scratch[:0]}}
	s := scanner{b: msg}
	if s.peek() != '{' {
		return errJSON
	}
	for ok := s.enter('{'); ok; ok = s.more('}') {
		switch string(s.key()) {
		case "type":
			m.kind = known(s.raw(), fluxTurnInfo, vendorError)
		case "event":
			m.event = known(s.raw(), fluxUpdate, fluxStart, fluxEager, fluxResumed, fluxEnd)
		case "transcript":
			m.transcript = s.text()
		case "words":
			m.words.scan(&s)
		case "audio_window_start":
			m.windowStart = s.number()
		case "audio_window_end":
			m.windowEnd = s.number()
		case "languages":
			m.language = firstLanguage(&s)
		case "code":
			m.code = s.text()
		default:
			s.skip()
		}
	}
	return s.end()
}
