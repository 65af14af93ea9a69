package simulate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// removed stands where a credential stood.
const removed = "[removed]"

// leastSecret is the length in bytes from which a credential is looked for in what
// else passes. A shorter one guards nothing and may be a word; nor may the mark be
// longer than what it covers, since the reason of a close has no room.
const leastSecret = len(removed)

// scrubber keeps credentials off a cassette: parameters and JSON fields that hold
// them are left out, and where a vendor repeats the caller's own (in an error's
// text), a mark takes its place. A credential that arrives torn across two messages
// or chunks is not recognised.
type scrubber struct {
	secrets [][]byte
}

// newScrubber notes the credentials of a request, wherever vendors take them.
func newScrubber(r *http.Request) scrubber {
	var s scrubber
	for _, name := range []string{"Authorization", "Proxy-Authorization", "X-Api-Key", "Xi-Api-Key"} {
		for _, v := range r.Header.Values(name) {
			s.add(v)
			_, key, _ := strings.Cut(v, " ") // behind "Bearer" or "Token"
			s.add(key)
		}
	}
	for _, c := range r.Cookies() {
		s.add(c.Value)
	}
	for list := range slices.Values(r.Header.Values("Sec-WebSocket-Protocol")) {
		for v := range strings.SplitSeq(list, ",") {
			s.add(v)
		}
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // the pairs that can be read
	for name, values := range query {
		if isCredentialParameter(name) {
			for _, v := range values {
				s.add(v)
				_, key, _ := strings.Cut(v, " ")
				s.add(key)
			}
		}
	}
	return s
}

func (s *scrubber) add(secret string) {
	if secret = strings.TrimSpace(secret); len(secret) >= leastSecret {
		s.secrets = append(s.secrets, []byte(secret))
	}
}

// isCredentialField says whether a JSON field of that name holds a key.
func isCredentialField(name string) bool {
	switch strings.ReplaceAll(strings.ToLower(name), "-", "_") {
	case "authorization", "xi_api_key", "x_api_key", "api_key", "apikey", "access_token":
		return true
	}
	return false
}

// isCredentialParameter says so of a query's parameter, where "key" and "token" are
// no mere words.
func isCredentialParameter(name string) bool {
	return isCredentialField(name) || strings.EqualFold(name, "key") || strings.EqualFold(name, "token")
}

// query returns a request's parameters without credentials, sorted by name.
func (s *scrubber) query(r *http.Request) string {
	kept, _ := url.ParseQuery(r.URL.RawQuery) // the pairs that can be read
	for name, values := range kept {
		if isCredentialParameter(name) {
			delete(kept, name)
			continue
		}
		for i, v := range values {
			values[i] = string(s.mask([]byte(v)))
		}
	}
	return kept.Encode()
}

// headers returns those that may be kept.
func (s *scrubber) headers(h http.Header) map[string]string {
	kept := map[string]string{}
	for name := range h {
		if keepsHeader(name) {
			kept[strings.ToLower(name)] = string(s.mask([]byte(h.Get(name))))
		}
	}
	return kept
}

// payload returns a message or body without credentials. JSON that has a field of
// theirs is written anew, with its fields sorted; anything else stays as it is, to
// the byte. b is not changed.
func (s *scrubber) payload(b []byte) []byte {
	return s.mask(withoutCredentials(b))
}

// mask covers the caller's credentials. It returns b itself when there is none in it.
func (s *scrubber) mask(b []byte) []byte {
	for _, secret := range s.secrets {
		if bytes.Contains(b, secret) {
			b = bytes.ReplaceAll(b, secret, []byte(removed))
		}
	}
	return b
}

// withoutCredentials removes the fields of a JSON document that hold keys.
func withoutCredentials(b []byte) []byte {
	if t := bytes.TrimSpace(b); len(t) == 0 || t[0] != '{' && t[0] != '[' || !mayHoldCredential(b) {
		return b
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var doc any
	if d.Decode(&doc) != nil || !removeCredentials(doc) {
		return b
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if e.Encode(doc) != nil {
		return []byte(removed) // cannot be: it was JSON before
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// mayHoldCredential looks for the names, or for an escape that may hide one, so
// that other documents need not be parsed.
func mayHoldCredential(b []byte) bool {
	lower := bytes.ToLower(b)
	for _, name := range []string{`authorization"`, `key"`, `token"`, `\u`} {
		if bytes.Contains(lower, []byte(name)) {
			return true
		}
	}
	return false
}

// removeCredentials deletes them at every depth and says whether there were any.
func removeCredentials(v any) (found bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if isCredentialField(name) {
				delete(v, name)
				found = true
				continue
			}
			found = removeCredentials(inner) || found
		}
	case []any:
		for _, inner := range v {
			found = removeCredentials(inner) || found
		}
	}
	return found
}
