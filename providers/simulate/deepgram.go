package simulate

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// routesDeepgram registers Deepgram's paths. POST /v2/listen is answered with
// 405, as by the real service: Flux only speaks over a socket.
func (s *Server) routesDeepgram() {
	s.mux.HandleFunc("GET /v1/listen", s.handleNova)
	s.mux.HandleFunc("GET /v2/listen", s.handleFlux)
	s.mux.HandleFunc("POST /v1/listen", s.handleRecorded)
}

// deepgramRefusal is a request that is not served. err_code and err_msg are the
// body of /v1, category, message and details that of /v2.
type deepgramRefusal struct {
	Status     int    `json:"-"`
	RetryAfter int    `json:"-"`
	Code       string `json:"err_code,omitempty"`
	Msg        string `json:"err_msg,omitempty"`
	Category   string `json:"category,omitempty"`
	Message    string `json:"message,omitempty"`
	Details    string `json:"details,omitempty"`
	RequestID  string `json:"request_id"`
}

// badRequest is a refusal of a parameter.
func badRequest(code, format string, args ...any) *deepgramRefusal {
	return &deepgramRefusal{Status: http.StatusBadRequest, Code: code, Msg: fmt.Sprintf(format, args...)}
}

// refuse answers with what is wrong: in the body, and shortly in dg-error.
func (f *deepgramRefusal) refuse(w http.ResponseWriter, r *http.Request, id string) {
	out := *f
	out.RequestID = id
	if strings.HasPrefix(r.URL.Path, "/v2/") {
		out.Category, out.Message, out.Details = f.Code, f.Msg, "see the parameters of /v2/listen"
		out.Code, out.Msg = "", ""
	}
	h := w.Header()
	h.Set("dg-error", f.Msg)
	h.Set("Content-Type", "application/json")
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	w.WriteHeader(f.Status)
	_, _ = w.Write(mustJSON(out))
}

// admit does what every request begins with: it names the request, lets a fault
// refuse it and looks at the key. ok is false when the answer has been given.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (id string, f Fault, ok bool) {
	id = s.requestUUID()
	w.Header().Set("dg-request-id", id)
	f = s.nextFault(Deepgram)
	if f.Kind == FaultStatus {
		statusRefusal(f).refuse(w, r, id)
		return id, f, false
	}
	if s.opt.Key != "" && deepgramKey(r) != s.opt.Key {
		s.opt.Log.Info("deepgram: refused", "path", r.URL.Path, "request_id", id, "why", "credentials")
		statusRefusal(Fault{Status: http.StatusUnauthorized}).refuse(w, r, id)
		return id, f, false
	}
	return id, f, true
}

// statusRefusal is what the service says with a status.
func statusRefusal(f Fault) *deepgramRefusal {
	out := &deepgramRefusal{Status: f.Status, RetryAfter: f.RetryAfter}
	switch f.Status {
	case http.StatusUnauthorized:
		out.Code, out.Msg = "INVALID_AUTH", "Invalid credentials."
	case http.StatusPaymentRequired:
		out.Code, out.Msg = "ASR_PAYMENT_REQUIRED", "Project does not have enough credits for an ASR request and does not have an overage agreement."
	case http.StatusForbidden:
		out.Code, out.Msg = "INSUFFICIENT_PERMISSIONS", "Project does not have access to the requested model."
	case http.StatusTooManyRequests:
		out.Code, out.Msg = "TOO_MANY_REQUESTS", "Too many requests. Please try again later."
	default:
		if out.Status < 400 || out.Status > 599 {
			out.Status = http.StatusInternalServerError
		}
		out.Code, out.Msg = "INTERNAL_SERVER_ERROR", "An internal server error occurred."
	}
	if f.Message != "" {
		out.Msg = f.Message
	}
	return out
}

// deepgramKey returns the credential of a request: "Authorization: Token …" or
// "Bearer …" in any case, or the second subprotocol, which browsers have to use.
func deepgramKey(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme == "" {
		scheme, key, _ = strings.Cut(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	}
	if s := strings.TrimSpace(scheme); strings.EqualFold(s, "token") || strings.EqualFold(s, "bearer") {
		return strings.TrimSpace(key)
	}
	return ""
}

// requestUUID names a request; the same seed and order give the same names.
func (s *Server) requestUUID() string {
	s.mu.Lock()
	a, b := s.rng.Uint64(), s.rng.Uint64()
	s.mu.Unlock()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}
