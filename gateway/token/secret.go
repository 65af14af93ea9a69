package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

const (
	ticketPrefix = "kt_"
	resumePrefix = "kr_"
	secretBytes  = 32
)

// NewTicket returns a fresh single-use ticket: "kt_" and 256 random bits in base64url
// without padding, which is also a legal WebSocket subprotocol token.
func NewTicket() string { return newSecret(ticketPrefix) }

// NewResume returns a fresh single-use resume secret, "kr_…".
func NewResume() string { return newSecret(resumePrefix) }

// IsTicket says whether s has the exact form of a ticket. It says nothing about
// whether the ticket is good.
func IsTicket(s string) bool { return isSecret(s, ticketPrefix) }

// IsResume says whether s has the exact form of a resume secret.
func IsResume(s string) bool { return isSecret(s, resumePrefix) }

// Hash returns the lower-case hexadecimal SHA-256 of a ticket or resume secret: the
// only form in which a secret may be stored.
func Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// rawURL refuses non-zero padding bits, so that each secret has one spelling.
func rawURL() *base64.Encoding { return base64.RawURLEncoding.Strict() }

func newSecret(prefix string) string {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return prefix + rawURL().EncodeToString(b[:])
}

func isSecret(s, prefix string) bool {
	body, ok := strings.CutPrefix(s, prefix)
	if !ok || len(body) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return false
	}
	// The decoder skips line breaks, so the length of the result is checked too.
	b, err := rawURL().DecodeString(body)
	return err == nil && len(b) == secretBytes
}
