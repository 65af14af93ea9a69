package simulate

import (
	"bytes"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// A cassette is a file of JSON lines that holds the traffic between our clients and
// the vendors: a header, then one [CassetteEvent] a line, in the order in which they
// happened. A [Recorder] writes it by a [CassetteWriter], [ReadCassette] reads it and
// a [Replay] serves it back.
//
// It holds what was said, by learner and tutor, as text and as sound: whoever keeps
// one keeps a conversation. It holds no credentials (see cassette_scrub.go), no
// vendor's address and no header outside a short list.

// cassetteVersion is that of the format. A reader refuses others.
const cassetteVersion = 1

const cassetteNote = "Traffic between Kalami and its vendors. It holds what was said, as text and as sound, and no keys."

// Limits of a cassette.
const (
	// maxCassetteBody bounds a request's body and any one message, in bytes.
	maxCassetteBody = 28 << 20
	// maxCassetteLine bounds a line; a body of the greatest size fits in base64.
	maxCassetteLine = 40 << 20
	// maxCassetteLines and maxCassetteSize bound what a reader takes into memory.
	maxCassetteLines = 1 << 20
	maxCassetteSize  = 512 << 20
	// maxCassetteTime is a week in milliseconds.
	maxCassetteTime = 7 * 24 * 60 * 60 * 1000
)

// Direction says who sent something.
type Direction string

// The directions.
const (
	Up   Direction = "up"   // our client to the vendor
	Down Direction = "down" // the vendor to our client
)

// EventKind says what a line of a cassette tells.
type EventKind string

// The kinds. An HTTP call is a request, a response, chunks and a close; a socket is
// an open, a response (status 101, or the refusal with its body), texts and binaries
// both ways, and a close.
const (
	KindOpen     EventKind = "open"     // a WebSocket handshake
	KindRequest  EventKind = "request"  // an HTTP request with its body
	KindResponse EventKind = "response" // status and headers of an answer
	KindText     EventKind = "text"     // a text message on a socket
	KindBinary   EventKind = "binary"   // a binary message on a socket
	KindChunk    EventKind = "chunk"    // a piece of an answer's body as it arrived
	KindClose    EventKind = "close"    // the end, by the side that Dir names
)

// closeCut is the Status of a close without a closing handshake, or of an answer
// that broke off: the code that RFC 6455 reserves for it.
const closeCut = 1006

// CassetteEvent is one line of a cassette.
type CassetteEvent struct {
	// T is in milliseconds since the recording began.
	T int64 `json:"t"`
	// Conn numbers sockets and HTTP calls from 1.
	Conn   int       `json:"conn"`
	Vendor Vendor    `json:"vendor"`
	Dir    Direction `json:"dir"`
	Kind   EventKind `json:"kind"`
	// Method, Path and Query (without credentials) are those of an open or request.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Query  string `json:"query,omitempty"`
	// Status is a response's, or the code of a close: of a socket as RFC 6455 has
	// them; of an HTTP call 0 when the answer is whole and 1006 when it broke off.
	Status int `json:"status,omitempty"`
	// Headers of a request or response, those on the short list alone.
	Headers map[string]string `json:"headers,omitempty"`
	// Data is the payload when it is text: a message, a body, the reason of a close.
	Data string `json:"data,omitempty"`
	// B64 is the payload when it is not.
	B64 []byte `json:"b64,omitempty"`
}

// Payload returns what Data or B64 holds.
func (e *CassetteEvent) Payload() []byte {
	if len(e.B64) > 0 {
		return e.B64
	}
	return []byte(e.Data)
}

// setPayload keeps b as text when it is some, else as base64.
func (e *CassetteEvent) setPayload(b []byte) {
	if e.Kind != KindBinary && isText(b) {
		e.Data, e.B64 = string(b), nil
		return
	}
	e.Data, e.B64 = "", b
}

// isText tells text from sound, which may happen to be valid UTF-8: silence is.
func isText(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' })
}

// Cassette is a recording in memory.
type Cassette struct {
	Created time.Time
	Events  []CassetteEvent
}

// cassetteHeader is a cassette's first line.
type cassetteHeader struct {
	Version int       `json:"kalami_cassette"`
	Created time.Time `json:"created"`
	Note    string    `json:"note"`
}

// vendorOf tells by the path whose protocol a request speaks; "" for nobody's.
func vendorOf(path string) Vendor {
	under := func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") }
	switch {
	case path == "/v1/listen" || path == "/v2/listen":
		return Deepgram
	case under("/v1/text-to-speech") || under("/v1/voices") || under("/v2/voices"):
		return ElevenLabs
	case under("/v1/messages"):
		return Anthropic
	case under("/v1/chat") || under("/v1/audio") || under("/v1/models"):
		return OpenAI
	}
	return ""
}

// keepsHeader says whether a header may stand on a cassette: what clients act upon
// or name calls by, and nothing that identifies an account.
func keepsHeader(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Type", "Accept", "Retry-After", "X-Should-Retry", "Anthropic-Version", "Dg-Error",
		"Request-Id", "X-Request-Id", "Dg-Request-Id", "X-Trace-Id":
		return true
	}
	return false
}

// isUpgrade says whether a request is a WebSocket handshake.
func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
