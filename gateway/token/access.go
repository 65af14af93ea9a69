package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Leeway is how far two machines' clocks may differ: an access token is good
	// from this long before its issue to this long after its end.
	Leeway = 30 * time.Second
	// MaxAccessBytes is the longest access token that is looked at.
	MaxAccessBytes = 4 << 10
	// MinKeyBytes is the shortest key that may sign (RFC 7518, section 3.2).
	MinKeyBytes = 32
	// MaxLifetime is the longest time for which an access token may be good. A
	// token that claims more was not made here, whatever its signature says.
	MaxLifetime = 24 * time.Hour

	issuer     = "kalami"
	typeAccess = "access"
)

// ErrInvalid is in the chain of every error of [Issuer.Verify]; the rest of the chain
// says why, for the log and not for the caller.
var ErrInvalid = errors.New("token: invalid access token")

// ErrExpired is in the chain as well when the token was good once.
var ErrExpired = errors.New("token: access token has expired")

// Access is what an access token says.
type Access struct {
	// ID is the token's own name, 128 random bits.
	ID       string
	UserID   string
	TenantID string
	// Version is the user's token version when the token was issued. Whoever verifies
	// a token compares it with the user's present one.
	Version int
	// IssuedAt and ExpiresAt have whole seconds, in UTC.
	IssuedAt, ExpiresAt time.Time
}

// Config says how an [Issuer] signs.
type Config struct {
	// Key signs and verifies; at least [MinKeyBytes] long.
	Key []byte
	// Previous only verifies, for as long as tokens that it signed are about; empty
	// when no key is being replaced.
	Previous []byte
	// Audience names the deployment that tokens are for; empty means "kalami".
	Audience string
	// Lifetime of an access token: a second to [MaxLifetime]; 0 means 30 minutes.
	Lifetime time.Duration
}

// Issuer issues and verifies access tokens. It is immutable, so any number of
// goroutines may use it.
type Issuer struct {
	key      signingKey
	keys     map[string][]byte // by key id: the present key and the previous one
	audience string
	lifetime time.Duration
}

type signingKey struct {
	id     string
	secret []byte
}

// claims are an access token's content.
type claims struct {
	jwt.RegisteredClaims
	TenantID string `json:"tid"`
	Type     string `json:"typ"`
	Version  int    `json:"ver"`
}

// NewIssuer checks the configuration and returns an issuer.
func NewIssuer(c Config) (*Issuer, error) {
	if len(c.Key) < MinKeyBytes {
		return nil, fmt.Errorf("token: the signing key has %d bytes, at least %d are needed", len(c.Key), MinKeyBytes)
	}
	if len(c.Previous) > 0 && len(c.Previous) < MinKeyBytes {
		return nil, fmt.Errorf("token: the previous signing key has %d bytes, at least %d are needed", len(c.Previous), MinKeyBytes)
	}
	if c.Lifetime == 0 {
		c.Lifetime = 30 * time.Minute
	}
	if c.Lifetime < time.Second || c.Lifetime > MaxLifetime {
		return nil, fmt.Errorf("token: a lifetime of %v is not between 1s and %v", c.Lifetime, MaxLifetime)
	}
	if c.Audience == "" {
		c.Audience = issuer
	}
	i := &Issuer{
		key:      signingKey{id: keyID(c.Key), secret: c.Key},
		keys:     make(map[string][]byte, 2),
		audience: c.Audience,
		lifetime: c.Lifetime,
	}
	if len(c.Previous) > 0 {
		i.keys[keyID(c.Previous)] = c.Previous
	}
	i.keys[i.key.id] = i.key.secret
	return i, nil
}

// Lifetime is for how long an issued token is good.
func (i *Issuer) Lifetime() time.Duration { return i.lifetime }

// Issue signs an access token for a user within a tenant, good from now for
// [Issuer.Lifetime].
func (i *Issuer) Issue(userID, tenantID string, version int, now time.Time) (string, Access, error) {
	now = now.UTC().Truncate(time.Second)
	a := Access{
		ID: rand.Text(), UserID: userID, TenantID: tenantID, Version: version,
		IssuedAt: now, ExpiresAt: now.Add(i.lifetime).Truncate(time.Second),
	}
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, &claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID:        a.ID,
			Issuer:    issuer,
			Subject:   userID,
			Audience:  jwt.ClaimStrings{i.audience},
			IssuedAt:  jwt.NewNumericDate(a.IssuedAt),
			ExpiresAt: jwt.NewNumericDate(a.ExpiresAt),
		},
		TenantID: tenantID, Type: typeAccess, Version: version,
	})
	t.Header["kid"] = i.key.id
	raw, err := t.SignedString(i.key.secret)
	if err != nil {
		return "", Access{}, fmt.Errorf("token: sign: %w", err)
	}
	return raw, a, nil
}

// Verify checks an access token as of now: its form, its signature by the present or
// the previous key, and every claim. Any error has [ErrInvalid] in its chain.
func (i *Issuer) Verify(raw string, now time.Time) (Access, error) {
	if err := checkForm(raw); err != nil {
		return Access{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var c claims
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(i.audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	if _, err := parser.ParseWithClaims(raw, &c, i.keyFor); err != nil {
		if errors.Is(err, jwt.ErrTokenExpired) {
			return Access{}, fmt.Errorf("%w: %w: %w", ErrInvalid, ErrExpired, err)
		}
		return Access{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := c.check(); err != nil {
		return Access{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return Access{
		ID: c.ID, UserID: c.Subject, TenantID: c.TenantID, Version: c.Version,
		IssuedAt: c.IssuedAt.UTC(), ExpiresAt: c.ExpiresAt.UTC(),
	}, nil
}

// keyFor finds the key that the token's header names. Headers that could bring a key
// of the sender's own (jku, jwk, x5u), or that must be understood (crit), are refused
// with everything else that this issuer never writes.
func (i *Issuer) keyFor(t *jwt.Token) (any, error) {
	for name := range t.Header {
		switch name {
		case "alg", "typ", "kid":
		default:
			return nil, fmt.Errorf("header %q is not allowed", name)
		}
	}
	if t.Header["typ"] != "JWT" {
		return nil, errors.New(`header "typ" is not JWT`)
	}
	id, _ := t.Header["kid"].(string)
	key, ok := i.keys[id]
	if !ok {
		return nil, errors.New("unknown key")
	}
	return key, nil
}

// check looks at what the parser leaves open.
func (c *claims) check() error {
	switch {
	case c.Type != typeAccess:
		return fmt.Errorf("a token of type %q", c.Type)
	case c.Subject == "" || c.TenantID == "" || c.ID == "":
		return errors.New("a claim among sub, tid, jti is missing")
	case c.Version < 0:
		return errors.New("a negative version")
	case c.IssuedAt == nil:
		return errors.New("the claim iat is missing")
	case len(c.Audience) != 1:
		return errors.New("more than one audience")
	}
	if life := c.ExpiresAt.Sub(c.IssuedAt.Time); life <= 0 || life > MaxLifetime {
		return fmt.Errorf("a lifetime of %v", life)
	}
	return nil
}

// checkForm refuses what no access token looks like before anything is decoded. The
// alphabet matters: base64 decoders skip line breaks, so without this check one token
// would have many spellings.
func checkForm(raw string) error {
	if len(raw) > MaxAccessBytes {
		return fmt.Errorf("%d bytes are too long", len(raw))
	}
	if strings.Count(raw, ".") != 2 {
		return errors.New("not three segments")
	}
	for _, r := range []byte(raw) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
		default:
			return errors.New("a byte outside base64url")
		}
	}
	return nil
}

// keyID names a key without telling it: the first eight bytes of a hash.
func keyID(key []byte) string {
	sum := sha256.Sum256(append([]byte("kalami key id\x00"), key...))
	return hex.EncodeToString(sum[:8])
}
