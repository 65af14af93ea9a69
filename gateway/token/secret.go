package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/google/uuid"
)

const (
	ticketPrefix  = "kt_"
	resumePrefix  = "kr_"
	refreshPrefix = "kf_"
	mailPrefix    = "km_"
	secretBytes   = 32
	// mailBytes is less, for a token that somebody may have to type: 128 bits cannot be
	// guessed within the minutes that it is good for.
	mailBytes = 16
)

// NewTicket returns a fresh single-use ticket: "kt_" and 256 random bits in base64url
// without padding, which is also a legal WebSocket subprotocol token.
func NewTicket() string { return newSecret(ticketPrefix, secretBytes) }

// NewResume returns a fresh resume token of a conversation, "kr_…": the 16 bytes of the
// conversation's id, by which it is found, and 256 random bits, of which the hash is
// compared. It is empty when the id is no UUID in its usual spelling; nobody can come back
// to such a conversation.
func NewResume(conversationID string) string {
	id, err := uuid.Parse(conversationID)
	if err != nil || id.String() != conversationID {
		return ""
	}
	b := make([]byte, len(id)+secretBytes)
	copy(b, id[:])
	_, _ = rand.Read(b[len(id):]) // never fails
	return resumePrefix + rawURL().EncodeToString(b)
}

// ParseResume returns the id of the conversation that a resume token names; ok is false
// when s has not the exact form of one. It says nothing about whether the token is good.
func ParseResume(s string) (conversationID string, ok bool) {
	b, ok := secretOf(s, resumePrefix, len(uuid.UUID{})+secretBytes)
	if !ok {
		return "", false
	}
	return uuid.UUID(b[:len(uuid.UUID{})]).String(), true
}

// IsTicket says whether s has the exact form of a ticket. It says nothing about
// whether the ticket is good.
func IsTicket(s string) bool { return isSecret(s, ticketPrefix, secretBytes) }

// IsResume says whether s has the exact form of a resume token.
func IsResume(s string) bool {
	_, ok := ParseResume(s)
	return ok
}

// NewRefresh returns the first refresh token of a family, "kf_…". Those after it are
// derived, see [Issuer.NextRefresh].
func NewRefresh() string { return newSecret(refreshPrefix, secretBytes) }

// IsRefresh says whether s has the exact form of a refresh token.
func IsRefresh(s string) bool { return isSecret(s, refreshPrefix, secretBytes) }

// NewMailToken returns a fresh token to be mailed, "km_" and 128 random bits.
func NewMailToken() string { return newSecret(mailPrefix, mailBytes) }

// IsMailToken says whether s has the exact form of a mailed token.
func IsMailToken(s string) bool { return isSecret(s, mailPrefix, mailBytes) }

// Hash returns the lower-case hexadecimal SHA-256 of a secret of this package: the only
// form in which one may be stored.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// rawURL refuses non-zero padding bits, so that each secret has one spelling.
func rawURL() *base64.Encoding { return base64.RawURLEncoding.Strict() }

func newSecret(prefix string, size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return prefix + rawURL().EncodeToString(b)
}

func isSecret(s, prefix string, size int) bool {
	_, ok := secretOf(s, prefix, size)
	return ok
}

// secretOf returns the bytes of a secret of this form.
func secretOf(s, prefix string, size int) ([]byte, bool) {
	body, ok := strings.CutPrefix(s, prefix)
	if !ok || len(body) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, false
	}
	// The decoder skips line breaks, so the length of the result is checked too.
	b, err := rawURL().DecodeString(body)
	return b, err == nil && len(b) == size
}
