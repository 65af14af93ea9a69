package token

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"kalami/session/learn"
)

// Params are argon2id's costs.
type Params struct {
	MemoryKiB   uint32
	Time        uint32
	Parallelism uint8
}

// DefaultParams are the least that OWASP recommends, m=19 MiB, t=2, p=1: 20 to 28 ms
// of one core.
func DefaultParams() Params { return Params{MemoryKiB: 19 << 10, Time: 2, Parallelism: 1} }

const (
	saltBytes = 16
	hashBytes = 32
	// waitingHashes is how many callers may wait for a slot of a [Hasher].
	waitingHashes = 32
)

// Hasher hashes and verifies passwords with argon2id, few at a time: one per two cores
// (at least one). Up to 32 more callers wait; beyond that it refuses with
// [learn.TooMany], because an answer would come too late and lessons need the cores.
// Any number of goroutines may use it.
type Hasher struct {
	params Params
	nobody string        // the hash of a password that nobody has
	admit  chan struct{} // callers that hash or wait
	slots  chan struct{} // callers that hash
}

// NewHasher returns a hasher for new hashes of cost p. It hashes once itself, for the
// accounts that do not exist (see [Hasher.Verify]).
func NewHasher(p Params) *Hasher {
	slots := max(1, runtime.GOMAXPROCS(0)/2)
	return &Hasher{
		params: p,
		nobody: derive(p, rand.Text(), newSalt()).String(),
		admit:  make(chan struct{}, slots+waitingHashes),
		slots:  make(chan struct{}, slots),
	}
}

// Hash returns the password's hash with a fresh salt, as a PHC string. It blocks while
// others hash. Errors: TooMany when too many wait already; ctx's cause when it ends first.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return derive(h.params, password, newSalt()).String(), nil
}

// Verify says whether phc is the hash of password, in constant time. An empty phc
// stands for an account that does not exist or has no password: it costs the same time
// as any other and is never right. Blocking and errors are those of [Hasher.Hash], and
// Internal for a phc that cannot be read.
func (h *Hasher) Verify(ctx context.Context, phc, password string) (bool, error) {
	exists := phc != ""
	if !exists {
		phc = h.nobody
	}
	want, err := parsePHC(phc)
	if err != nil {
		return false, &learn.Error{Kind: learn.Internal, Op: "token.Verify", Err: err}
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	got := derive(want.params, password, want.salt)
	return subtle.ConstantTimeCompare(got.sum, want.sum) == 1 && exists, nil
}

// NeedsRehash says whether phc was made with less than this hasher's costs, or cannot
// be read: then the next successful login should store a new hash.
func (h *Hasher) NeedsRehash(phc string) bool {
	p, err := parsePHC(phc)
	return err != nil || p.params.MemoryKiB < h.params.MemoryKiB || p.params.Time < h.params.Time ||
		p.params.Parallelism < h.params.Parallelism || len(p.salt) < saltBytes
}

// acquire waits for a slot; release gives it back.
func (h *Hasher) acquire(ctx context.Context) (release func(), err error) {
	select {
	case h.admit <- struct{}{}:
	default:
		return nil, learn.Errorf(learn.TooMany, "token.Hasher", "Too many sign-ins at the moment, try again shortly")
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.admit }, nil
	case <-ctx.Done():
		<-h.admit
		return nil, fmt.Errorf("token: wait to hash: %w", context.Cause(ctx))
	}
}

// passwordHash is a PHC string, taken apart.
type passwordHash struct {
	params    Params
	salt, sum []byte
}

func derive(p Params, password string, salt []byte) passwordHash {
	sum := argon2.IDKey([]byte(password), salt, p.Time, p.MemoryKiB, p.Parallelism, hashBytes)
	return passwordHash{params: p, salt: salt, sum: sum}
}

func newSalt() []byte {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails: crypto/rand ends the process instead
	return salt
}

// phcBase64 is the PHC string format's alphabet: standard, without padding.
func phcBase64() *base64.Encoding { return base64.RawStdEncoding.Strict() }

// String returns the PHC string, such as "$argon2id$v=19$m=19456,t=2,p=1$salt$hash".
func (p passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version,
		p.params.MemoryKiB, p.params.Time, p.params.Parallelism,
		phcBase64().EncodeToString(p.salt), phcBase64().EncodeToString(p.sum))
}

// errPHC is every fault of a PHC string; the string itself is never repeated.
var errPHC = errors.New("token: not an argon2id PHC string within limits")

// parsePHC reads a PHC string of argon2id, version 19. It refuses costs beyond what any
// deployment would choose, so that a forged row cannot take the machine's memory.
func parsePHC(s string) (passwordHash, error) {
	parts := strings.Split(s, "$")
	if len(s) > 256 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" ||
		parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return passwordHash{}, errPHC
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return passwordHash{}, errPHC
	}
	m, okM := parseCost(costs[0], "m=", 8, 1<<18)
	t, okT := parseCost(costs[1], "t=", 1, 64)
	par, okP := parseCost(costs[2], "p=", 1, 16)
	salt, okS := parseBytes(parts[4], 8, 64)
	sum, okH := parseBytes(parts[5], hashBytes, hashBytes)
	if !okM || !okT || !okP || !okS || !okH || m < 8*par {
		return passwordHash{}, errPHC
	}
	return passwordHash{
		params: Params{MemoryKiB: m, Time: t, Parallelism: uint8(par)}, //nolint:gosec // par is at most 16
		salt:   salt, sum: sum,
	}, nil
}

// parseCost reads a decimal in its one spelling: no sign, no leading zero.
func parseCost(s, name string, least, most uint64) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, name)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n < least || n > most || strconv.FormatUint(n, 10) != digits {
		return 0, false
	}
	return uint32(n), true
}

func parseBytes(s string, least, most int) ([]byte, bool) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return nil, false
	}
	b, err := phcBase64().DecodeString(s)
	return b, err == nil && len(b) >= least && len(b) <= most
}
