package verify

// What clients see. A client has one name for as long as it lives, over all its sockets.
type (
	// Connected is a socket's first event: the session is this client's.
	Connected struct {
		// How is the event: "created", "resumed" or "restarted".
		How     string `json:"how"`
		Session string `json:"session"`
		// Tenant is the school that the client belongs to.
		Tenant string `json:"tenant,omitempty"`
		// Seq is the number of the event. LastSeq is what the client had seen before,
		// and sent; 0 for a new session.
		Seq     uint64 `json:"seq"`
		LastSeq uint64 `json:"last_seq"`
		// Warm: the session never stopped.
		Warm bool `json:"warm,omitempty"`
		// Stream and Next are the frame of the microphone from which on the server
		// wants audio again (input).
		Stream uint16 `json:"stream,omitempty"`
		Next   uint32 `json:"next,omitempty"`
		// Response is the response under way; Action is how it goes on, and Repeat that
		// the sentence at the break is heard again.
		Response string `json:"response,omitempty"`
		Action   string `json:"action,omitempty"`
		Repeat   bool   `json:"repeat,omitempty"`
	}
	// EventReceived is every event after a socket's first, in the order of arrival.
	EventReceived struct {
		Seq      uint64 `json:"seq"`
		Type     string `json:"type"` // "response.created" …
		Item     string `json:"item,omitempty"`
		Response string `json:"response,omitempty"`
	}
	// Acknowledged follows the EventReceived of conversation.item.done for something that
	// the learner has said or typed: the server has promised to keep it.
	Acknowledged struct {
		Item string `json:"item"`
		Text
	}
	// Said is something that the learner has said, where it is known: by a client that
	// plays its learner. It was spoken in the frames From up to and without Next. A message
	// may end behind any of them, so that a client that knows single words says each.
	Said struct {
		Stream uint16 `json:"stream"`
		From   uint32 `json:"from"`
		Next   uint32 `json:"next"`
		Text
	}
	// MicSent are frames of the microphone that were handed to the socket, From up to and
	// without Next. Many frames may be one record.
	MicSent struct {
		Stream uint16 `json:"stream"`
		From   uint32 `json:"from"`
		Next   uint32 `json:"next"`
		// Again: they carried the flag of a retransmission.
		Again bool `json:"again,omitempty"`
	}
	// MicAcked is input_audio_buffer.ack: Seq and the frames before it are not needed again.
	MicAcked struct {
		Stream uint16 `json:"stream"`
		Seq    uint32 `json:"seq"`
	}
	// AudioReceived are frames of the tutor's audio, From up to and without Next. Many
	// frames may be one record; frames of a second copy are counted as they come.
	AudioReceived struct {
		Stream uint16 `json:"stream"`
		From   uint32 `json:"from"`
		Next   uint32 `json:"next"`
		// Last: the last of them was marked as the stream's end.
		Last bool `json:"last,omitempty"`
	}
	// SentenceHeard is a mark of a response that the player has reached: the sentence
	// before it was heard whole.
	SentenceHeard struct {
		Response string `json:"response"`
		Item     string `json:"item"`
		Mark     string `json:"mark"`
		// Text is all of the item that was heard up to the mark, each sentence once.
		Text
		// Again: the server had said that this sentence would be heard once more.
		Again bool `json:"again,omitempty"`
	}
	// PlaybackOver is the client's last word about a response: it was played to its end,
	// or cut.
	PlaybackOver struct {
		Response string  `json:"response"`
		Item     string  `json:"item,omitempty"`
		PlayedMS float64 `json:"played_ms"`
		// Cut: the server ordered it to fall silent.
		Cut bool `json:"cut,omitempty"`
		// Text is what was heard: all of it, or what conversation.item.truncated says.
		// Without words it is not known.
		Text
	}
	// CanarySeen is a marker of another tenant in something that this client was sent.
	CanarySeen struct {
		Of string `json:"of"` // the tenant whose marker it is
	}
	// Closed is the end of a socket.
	Closed struct {
		// Code is the close code; 0 when the connection was lost without one.
		Code int `json:"code"`
		// ByClient: the client has closed it, or the trial has cut it.
		ByClient bool `json:"by_client,omitempty"`
	}
)

// Kind implements Fact.
func (Connected) Kind() string     { return "connected" }
func (EventReceived) Kind() string { return "event" }
func (Acknowledged) Kind() string  { return "acknowledged" }
func (Said) Kind() string          { return "said" }
func (MicSent) Kind() string       { return "mic_sent" }
func (MicAcked) Kind() string      { return "mic_acked" }
func (AudioReceived) Kind() string { return "audio" }
func (SentenceHeard) Kind() string { return "sentence_heard" }
func (PlaybackOver) Kind() string  { return "playback_over" }
func (CanarySeen) Kind() string    { return "canary" }
func (Closed) Kind() string        { return "closed" }
