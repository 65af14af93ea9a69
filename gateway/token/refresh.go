package token

import (
	"crypto/hmac"
	"crypto/sha256"
)

// refreshLabel separates what is derived here from everything else that the signing
// key is used for.
const refreshLabel = "kalami refresh token v1\x00"

// NextRefresh returns the refresh token that replaces parent: an HMAC of parent under
// the signing key.
//
// It is derived and not drawn because a phone that lost an answer must be given the
// same token again, by whichever node it asks, while the store knows no secret but by
// its hash. Deriving costs no secrecy. Who reads the store has hashes alone, and cannot
// go from a hash to its token nor to the next one. Who steals a used token lacks the
// key, and so does not get its successors. Who has the key lacks a token to begin with,
// and needs none: the key signs access tokens.
func (i *Issuer) NextRefresh(parent string) string {
	return nextRefresh(i.key.secret, parent)
}

// RefreshWithHash returns the token with the given hash among those that may have
// replaced parent; ok is false when there is none. It tries the previous key too: a
// node with a new key is asked for what one with the old key made a moment ago.
func (i *Issuer) RefreshWithHash(parent, hash string) (next string, ok bool) {
	for _, key := range i.keys {
		if next := nextRefresh(key, parent); Hash(next) == hash {
			return next, true
		}
	}
	return "", false
}

func nextRefresh(key []byte, parent string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(refreshLabel))
	mac.Write([]byte(parent))
	return refreshPrefix + rawURL().EncodeToString(mac.Sum(nil))
}
