package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"strings"
	"testing"
	"time"
)

// The keys and the moment of the tests.
var (
	presentKey  = []byte("the key that signs at present, 32+")
	previousKey = []byte("the key that signed until yesterday")
	foreignKey  = []byte("a key that somebody else has chosen")
	testNow     = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func newIssuer(t testing.TB) *Issuer {
	t.Helper()
	i, err := NewIssuer(Config{Key: presentKey, Previous: previousKey})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// forgery is a token put together by hand, so that it can be wrong in any way.
type forgery struct {
	header, payload map[string]any
	key             []byte
	hash            func() hash.Hash
}

// honest is a forgery without a fault: what the issuer itself would have made.
func honest() *forgery {
	return &forgery{
		header: map[string]any{"alg": "HS256", "typ": "JWT", "kid": keyID(presentKey)},
		payload: map[string]any{
			"sub": "u1", "tid": "personal", "iss": "kalami", "aud": "kalami", "typ": "access", "ver": 0,
			"jti": "j1", "iat": testNow.Unix(), "exp": testNow.Add(30 * time.Minute).Unix(),
		},
		key: presentKey, hash: sha256.New,
	}
}

// with sets a header or claim; a nil value removes it.
func with(m map[string]any, name string, value any) map[string]any {
	m = maps.Clone(m)
	if value == nil {
		delete(m, name)
	} else {
		m[name] = value
	}
	return m
}

func (f *forgery) claim(name string, value any) *forgery {
	f.payload = with(f.payload, name, value)
	return f
}

func (f *forgery) head(name string, value any) *forgery {
	f.header = with(f.header, name, value)
	return f
}

// String signs and joins the parts.
func (f *forgery) String() string {
	h, _ := json.Marshal(f.header)
	p, _ := json.Marshal(f.payload)
	return seal(string(h), string(p), f.key, f.hash)
}

// seal signs any header and payload, JSON or not.
func seal(header, payload string, key []byte, h func() hash.Hash) string {
	b64 := base64.RawURLEncoding.EncodeToString
	text := b64([]byte(header)) + "." + b64([]byte(payload))
	mac := hmac.New(h, key)
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

// forgedTokens are tokens that must not open anything, by what is wrong with them.
func forgedTokens() map[string]string {
	forged := malformed()
	maps.Copy(forged, wrongHeaders())
	maps.Copy(forged, wrongClaims())
	maps.Copy(forged, wrongKeys())
	return forged
}

// malformed tokens do not have the form of one, or their parts do not belong together.
func malformed() map[string]string {
	good := honest().String()
	parts := strings.Split(good, ".")
	head, body, sig := parts[0], parts[1], parts[2]
	return map[string]string{
		"empty":                       "",
		"two dots alone":              "..",
		"two segments":                head + "." + body,
		"four segments":               good + "." + sig,
		"empty signature":             head + "." + body + ".",
		"padded base64":               good + "=",
		"space after":                 good + " ",
		"line break in the signature": head + "." + body + "." + sig[:10] + "\n" + sig[10:],
		"NUL inside":                  head + "\x00." + body + "." + sig,
		"non-zero padding bits":       head + "." + body + "." + withTrailingBits(sig),
		"standard base64 alphabet":    head + "." + body + "." + sig[:40] + "+/+",
		"first byte flipped":          flip(head) + "." + body + "." + sig,
		"payload flipped":             head + "." + flip(body) + "." + sig,
		"signature flipped":           head + "." + body + "." + flip(sig),
		"signature of another token":  head + "." + body + "." + strings.Split(honest().claim("sub", "u2").String(), ".")[2],
		"payload of another token":    head + "." + strings.Split(honest().claim("sub", "u2").String(), ".")[1] + "." + sig,
		"oversized":                   honest().claim("note", strings.Repeat("x", MaxAccessBytes)).String(),
		"oversized dots":              strings.Repeat(".", 1<<20),
		"a ticket":                    NewTicket(),
	}
}

// wrongHeaders are rightly signed below a header that the issuer never writes.
func wrongHeaders() map[string]string {
	const ours = `{"alg":"HS256","typ":"JWT","kid":"`
	return map[string]string{
		"alg none":                  honest().head("alg", "none").String(),
		"alg None, unsigned":        strings.TrimRight(honest().head("alg", "None").String(), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
		"alg missing":               honest().head("alg", nil).String(),
		"alg a number":              honest().head("alg", 256).String(),
		"alg RS256 over an HMAC":    honest().head("alg", "RS256").String(),
		"alg ES256 over an HMAC":    honest().head("alg", "ES256").String(),
		"header not JSON":           seal("alg", "{}", presentKey, sha256.New),
		"header with trailing JSON": seal(ours+keyID(presentKey)+`"}{}`, "{}", presentKey, sha256.New),
		"payload null":              seal(ours+keyID(presentKey)+`"}`, "null", presentKey, sha256.New),
		"payload an array":          seal(ours+keyID(presentKey)+`"}`, "[]", presentKey, sha256.New),
		"payload empty":             seal(ours+keyID(presentKey)+`"}`, "{}", presentKey, sha256.New),
		"kid missing":               honest().head("kid", nil).String(),
		"kid unknown":               honest().head("kid", "0000000000000000").String(),
		"kid a path":                honest().head("kid", "../../dev/null").String(),
		"kid a list":                honest().head("kid", []string{keyID(presentKey)}).String(),
		"header jku":                honest().head("jku", "https://example.org/keys").String(),
		"header jwk":                honest().head("jwk", map[string]string{"kty": "oct", "k": "AAAA"}).String(),
		"header x5u":                honest().head("x5u", "https://example.org/cert").String(),
		"header crit":               honest().head("crit", []string{"exp"}).String(),
		"header typ missing":        honest().head("typ", nil).String(),
		"header typ at+jwt":         honest().head("typ", "at+jwt").String(),
	}
}

// wrongClaims are rightly signed by the present key.
func wrongClaims() map[string]string {
	hourAgo := testNow.Add(-time.Hour).Unix()
	return map[string]string{
		"expired":              honest().claim("iat", hourAgo).claim("exp", testNow.Add(-Leeway).Unix()).String(),
		"exp missing":          honest().claim("exp", nil).String(),
		"exp a word":           honest().claim("exp", "tomorrow").String(),
		"exp before iat":       honest().claim("exp", testNow.Add(-time.Second).Unix()).String(),
		"exp in a century":     honest().claim("exp", testNow.AddDate(100, 0, 0).Unix()).String(),
		"exp beyond any clock": honest().claim("exp", 1e300).String(),
		"iat missing":          honest().claim("iat", nil).String(),
		"iat in the future":    honest().claim("iat", testNow.Add(Leeway+time.Second).Unix()).String(),
		"nbf in the future":    honest().claim("nbf", testNow.Add(Leeway+time.Second).Unix()).String(),
		"iss missing":          honest().claim("iss", nil).String(),
		"iss of somebody else": honest().claim("iss", "kalami.example").String(),
		"aud missing":          honest().claim("aud", nil).String(),
		"aud of somebody else": honest().claim("aud", "kalami-staging").String(),
		"aud several":          honest().claim("aud", []string{"kalami", "other"}).String(),
		"aud a number":         honest().claim("aud", 7).String(),
		"typ missing":          honest().claim("typ", nil).String(),
		"typ refresh":          honest().claim("typ", "refresh").String(),
		"typ ticket":           honest().claim("typ", "ticket").String(),
		"sub missing":          honest().claim("sub", nil).String(),
		"sub a number":         honest().claim("sub", 1).String(),
		"tid missing":          honest().claim("tid", nil).String(),
		"jti missing":          honest().claim("jti", nil).String(),
		"ver negative":         honest().claim("ver", -1).String(),
		"ver a fraction":       honest().claim("ver", 0.5).String(),
	}
}

// wrongKeys are signed by a key other than the one they name, or by one nobody gave us.
func wrongKeys() map[string]string {
	forged := map[string]string{}
	f := honest()
	f.key = foreignKey
	forged["foreign key under our kid"] = f.String()
	f = honest().head("kid", keyID(foreignKey))
	f.key = foreignKey
	forged["foreign key under its own kid"] = f.String()
	f = honest()
	f.key = previousKey
	forged["previous key under the present kid"] = f.String()
	f = honest()
	f.key = nil
	forged["empty key"] = f.String()
	f = honest().head("alg", "HS512")
	f.hash = sha512.New
	forged["alg HS512, rightly signed"] = f.String()
	return forged
}

// flip changes the first character within the alphabet.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// withTrailingBits spells the same bytes another way: 32 bytes leave two bits of the
// last character unused, which a lax decoder ignores.
func withTrailingBits(sig string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, sig[len(sig)-1])
	return sig[:len(sig)-1] + string(alphabet[last|1])
}
