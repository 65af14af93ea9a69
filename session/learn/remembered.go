package learn

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	// RememberedMost is how many facts are kept of a profile. When there are more, the oldest
	// that the learner has not written themselves make room.
	RememberedMost = 60
	// RememberedTold is how many of them the tutor is told, the latest.
	RememberedTold = 8
	// FactMost bounds the text of a fact, in characters.
	FactMost = 160
	// planLasts is for how long a plan is worth asking about.
	planLasts = 90 * 24 * time.Hour
)

// Remembered is a fact that the tutor keeps of a learner, and to the learner a memory, which
// they see, change and delete. ([Memory] is how well a card is known.)
type Remembered struct {
	ID        string
	TenantID  string
	UserID    string
	ProfileID string
	Kind      string // one of [FactKinds]
	Text      string // in the learner's own language
	// MessageID is where the learner said it; empty when that was deleted.
	MessageID string
	ExpiresAt time.Time // zero: never
	EditedAt  time.Time // by the learner; zero: as it was understood
	CreatedAt time.Time
}

// Expires is when a fact is no longer worth remembering; zero for never.
func (f MemoryFact) Expires(now time.Time) time.Time {
	if f.Kind == "plan" {
		return now.Add(planLasts)
	}
	return time.Time{}
}

// FactKey tells facts of a profile apart, whatever their case, space and outer punctuation.
// It does not give the fact away: it stays when the learner has deleted that.
func FactKey(text string) string {
	key := strings.TrimFunc(Fold(text), func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSpace(r) })
	sum := sha256.Sum256([]byte("fact " + key))
	return hex.EncodeToString(sum[:16])
}

// CheckFact says what is wrong with the text of a fact; none for one that may be kept. What
// is private by its nature is not kept whoever writes it, since the learner may be a child
// and the tutor's vendor reads it.
func CheckFact(text string) []FieldError {
	fault := func(format string, args ...any) []FieldError {
		return []FieldError{{Field: "text", Message: fmt.Sprintf(format, args...)}}
	}
	switch {
	case !utf8.ValidString(text):
		return fault("must be valid UTF-8")
	case strings.ContainsFunc(text, notInText):
		return fault("must not contain control characters")
	case bare(text) == "":
		return fault("is required")
	case utf8.RuneCountInString(strings.TrimSpace(text)) > FactMost:
		return fault("must have at most %d characters", FactMost)
	case reachable(text):
		return fault("must not hold addresses or numbers")
	case private(text):
		return fault("must not be about health, family or beliefs")
	case instructs(text):
		return fault("must be about the learner, and no instruction to the tutor")
	}
	return nil
}

// remembered are facts as the tutor is told them, as data: at most [RememberedTold], each
// within its bounds. What may not be kept is left out, however it came there.
func remembered(facts []string) (told []string) {
	for _, f := range facts {
		if f = line(data(f), FactMost); len(told) < RememberedTold && len(CheckFact(f)) == 0 {
			told = append(told, f)
		}
	}
	return told
}
