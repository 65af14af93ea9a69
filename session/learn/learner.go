package learn

import (
	"strings"
	"time"
)

// PersonalTenant is the built-in tenant of everybody who came without a school.
const PersonalTenant = "personal"

// User is a person who can sign in. People are global; what they learn belongs
// to a tenant.
type User struct {
	ID             string
	Email          string // empty for guests
	Name           string
	NativeLanguage string // BCP-47 primary subtag
	HashedPassword string // PHC string; empty for guests
	TokenVersion   int    // raised to end all of the user's sessions
	Guest          bool
	EmailVerified  bool    // has shown that the mailbox is theirs
	TimeZone       string  // IANA name; empty: UTC
	UILocale       string  // BCP-47 tag of the app's own language; empty: not known
	Age            AgeBand // empty: not known
	CreatedAt      time.Time
}

// Profile is one language that a user learns within a tenant.
type Profile struct {
	ID             string
	TenantID       string
	UserID         string
	TargetLanguage string
	Level          Level
	CorrectionMode CorrectionMode // empty: the level's default
	PatienceMS     int            // 0: the level's default
	SpeechRate     float64        // 0: the level's default
	VoiceID        string         // empty: the language's default
	AutoCards      bool           // cards come of mistakes and missing words by themselves
	Habits         TurnHabits     // observed in conversations, no setting
	TotalSpeaking  time.Duration  // the learner's own voiced time
	Conversations  int
	StreakDays     int
	Mastered       int // vocabulary
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// CorrectionMode is how a learner wants to be corrected (see the tutor's prompts).
type CorrectionMode string

// The five correction modes.
const (
	CorrectFlow     CorrectionMode = "flow"
	CorrectBalanced CorrectionMode = "balanced"
	CorrectStrict   CorrectionMode = "strict"
	CorrectElicit   CorrectionMode = "elicit"
	CorrectSilent   CorrectionMode = "silent"
)

// Valid says whether m is one of the five modes.
func (m CorrectionMode) Valid() bool {
	switch m {
	case CorrectFlow, CorrectBalanced, CorrectStrict, CorrectElicit, CorrectSilent:
		return true
	}
	return false
}

// Level is a CEFR level, "A1" to "C2".
type Level string

// The six levels.
const (
	A1 Level = "A1"
	A2 Level = "A2"
	B1 Level = "B1"
	B2 Level = "B2"
	C1 Level = "C1"
	C2 Level = "C2"
)

// ParseLevel reads a CEFR level in either case; ok is false for anything else.
func ParseLevel(s string) (Level, bool) {
	l := Level(strings.ToUpper(strings.TrimSpace(s)))
	switch l {
	case A1, A2, B1, B2, C1, C2:
		return l, true
	}
	return "", false
}

// Language is one that can be learned here.
type Language struct {
	// Code is the BCP-47 primary subtag.
	Code string
	// English and Own are its names in English and in itself.
	English, Own string
}

// Languages are those that the mobile app offers, and English, in its order.
var Languages = []Language{
	{"es", "Spanish", "Español"}, {"fr", "French", "Français"}, {"de", "German", "Deutsch"},
	{"it", "Italian", "Italiano"}, {"pt", "Portuguese", "Português"}, {"ja", "Japanese", "日本語"},
	{"ko", "Korean", "한국어"}, {"zh", "Chinese", "中文"}, {"ar", "Arabic", "العربية"},
	{"ru", "Russian", "Русский"}, {"en", "English", "English"},
}

// LanguageByCode finds one of [Languages]; a region subtag ("es-MX") is ignored.
func LanguageByCode(code string) (Language, bool) {
	base, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(code, "_", "-")), "-")
	for _, l := range Languages {
		if l.Code == base {
			return l, true
		}
	}
	return Language{}, false
}
