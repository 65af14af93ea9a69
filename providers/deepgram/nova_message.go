package deepgram

// The types of Nova's messages that mean something here.
const (
	novaResults       = "Results"
	novaSpeechStarted = "SpeechStarted"
	novaUtteranceEnd  = "UtteranceEnd"
	novaMetadata      = "Metadata"
	vendorError       = "Error"
)

// novaMessage is what is needed of any message of /v1/listen. Word texts wait
// quoted in words until build.
type novaMessage struct {
	kind string // one of the constants above, empty for a type that is not known

	// Results
	transcript                         string
	words                              words
	start, duration, confidence        float64
	language                           string
	isFinal, speechFinal, fromFinalize bool

	timestamp   float64 // SpeechStarted
	lastWordEnd float64 // UtteranceEnd
	code        string  // Error
}

// decode reads one message into m, which it resets first. The message's bytes
// must stay as they are until m's words are built.
func (m *novaMessage) decode(msg []byte) error {
	*m = novaMessage{words: words{scratch: m.words.scratch[:0]}}
	s := scanner{b: msg}
	if s.peek() != '{' {
		return errJSON
	}
	for ok := s.enter('{'); ok; ok = s.more('}') {
		switch string(s.key()) {
		case "type":
			m.kind = known(s.raw(), novaResults, novaSpeechStarted, novaUtteranceEnd, novaMetadata, vendorError)
		case "channel":
			m.decodeChannel(&s)
		case "start":
			m.start = s.number()
		case "duration":
			m.duration = s.number()
		case "is_final":
			m.isFinal = s.boolean()
		case "speech_final":
			m.speechFinal = s.boolean()
		case "from_finalize":
			m.fromFinalize = s.boolean()
		case "timestamp":
			m.timestamp = s.number()
		case "last_word_end":
			m.lastWordEnd = s.number()
		case "variant", "err_code":
			m.code = s.text()
		default:
			s.skip()
		}
	}
	return s.end()
}

// decodeChannel reads the object of a Results; the array of SpeechStarted and
// UtteranceEnd is stepped over.
func (m *novaMessage) decodeChannel(s *scanner) {
	for ok := s.enter('{'); ok; ok = s.more('}') {
		if string(s.key()) != "alternatives" {
			s.skip()
			continue
		}
		first := true
		for ok := s.enter('['); ok; ok = s.more(']') {
			if !first {
				s.skip()
				continue
			}
			first = false
			m.decodeAlternative(s)
		}
	}
}

func (m *novaMessage) decodeAlternative(s *scanner) {
	for ok := s.enter('{'); ok; ok = s.more('}') {
		switch string(s.key()) {
		case "transcript":
			m.transcript = s.text()
		case "confidence":
			m.confidence = s.number()
		case "languages":
			m.language = firstLanguage(s)
		case "words":
			m.words.scan(s)
		default:
			s.skip()
		}
	}
}
