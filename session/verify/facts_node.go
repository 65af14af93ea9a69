package verify

// What nodes see. A node has a new name each time that its process starts.
type (
	// NodeStarted is the first record of a node.
	NodeStarted struct{}
	// TookOver says that the node owns the conversation from now on.
	TookOver struct {
		Epoch   int64  `json:"epoch"`
		Session string `json:"session,omitempty"`
	}
	// Committed says that the store has kept a message, or has said that it had it already.
	Committed struct {
		Epoch     int64  `json:"epoch"` // the writer's
		Utterance string `json:"utterance"`
		Seq       int    `json:"seq"`
		Speaker   string `json:"speaker"` // user, assistant
		// TookUS is how long the store took, in microseconds up to this record.
		TookUS int64 `json:"took_us"`
		// Text is the message's content, and Heard what of it was heard.
		Text
		Heard Text `json:"heard"`
	}
	// WriteRefused says that the store has refused a message.
	WriteRefused struct {
		Epoch     int64  `json:"epoch"`
		Utterance string `json:"utterance,omitempty"`
		// Fenced: because the conversation is somebody else's.
		Fenced bool `json:"fenced,omitempty"`
	}
	// ConversationEnded says that the store has closed the conversation for good.
	ConversationEnded struct {
		Epoch  int64  `json:"epoch"`
		Reason string `json:"reason"`
	}
	// SessionEnded says how a session of this node ended; its conversation may go on
	// elsewhere.
	SessionEnded struct {
		Epoch   int64  `json:"epoch"`
		Session string `json:"session"`
		Reason  string `json:"reason"`
	}
	// MicTaken are frames of the microphone that the session has taken in, From up to and
	// without Next.
	MicTaken struct {
		Stream uint16 `json:"stream"`
		From   uint32 `json:"from"`
		Next   uint32 `json:"next"`
	}
	// Analysed says that the analysis of a learner's message is stored.
	Analysed struct {
		Message string `json:"message"` // the message's id
	}
	// VendorCalled is one call to a vendor: a stream of recognition, an answer of a
	// language model, a piece of speech. It concerns the node, not a conversation.
	VendorCalled struct {
		Part   string `json:"part"` // stt, llm, tts, analysis
		Vendor string `json:"vendor"`
		// Why is one of the Why constants.
		Why string `json:"why"`
	}
	// Counted is what a node holds at a moment that the trial has chosen.
	Counted struct {
		// When is one of the When constants.
		When string `json:"when"`
		// Sessions are those in the node's memory, Caps the entries of its sessions in
		// what limits how many there are, Keys what it still keeps alive for others to find.
		Sessions   int `json:"sessions"`
		Caps       int `json:"caps"`
		Keys       int `json:"keys"`
		Goroutines int `json:"goroutines"`
		Files      int `json:"files"` // open descriptors
	}
)

// Why a vendor was called.
const (
	WhyTurn     = "turn"     // the first call for it
	WhyRetry    = "retry"    // the same again after a failure, by the same vendor or the next
	WhyHedge    = "hedge"    // a second one beside one that is slow
	WhyDraft    = "draft"    // an answer begun before the turn had ended
	WhyAnalysis = "analysis" // of what was said
	WhyProbe    = "probe"    // whether a vendor is well again
)

// When a node was counted.
const (
	WhenStart = "start" // before the first client
	WhenBusy  = "busy"
	WhenQuiet = "quiet" // a while after the last client has gone
)

// Kind implements Fact.
func (NodeStarted) Kind() string       { return "node_started" }
func (TookOver) Kind() string          { return "took_over" }
func (Committed) Kind() string         { return "committed" }
func (WriteRefused) Kind() string      { return "write_refused" }
func (ConversationEnded) Kind() string { return "conversation_ended" }
func (SessionEnded) Kind() string      { return "session_ended" }
func (MicTaken) Kind() string          { return "mic_taken" }
func (Analysed) Kind() string          { return "analysed" }
func (VendorCalled) Kind() string      { return "vendor_called" }
func (Counted) Kind() string           { return "counted" }
