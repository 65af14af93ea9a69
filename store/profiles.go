package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// A card is mastered when it is in review with a stability of masteredStability days or
// more, or when it was used rightly and unprompted on masteredDays different days.
const (
	masteredStability = 21
	masteredDays      = 3
)

// profileRow is what this package reads and writes of the table learning_profiles.
type profileRow struct {
	ID                string
	TenantID          string
	UserID            string
	TargetLanguage    string
	CEFRLevel         string `gorm:"column:cefr_level"`
	CorrectionMode    *string
	PatienceMS        *int `gorm:"column:patience_ms"`
	SpeechRate        *float64
	VoiceID           *string
	AutoCards         bool
	TurnHabits        *string // JSON
	TotalSpeakingMS   int64   `gorm:"column:total_speaking_ms"`
	ConversationCount int
	CreatedAt         time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt         time.Time `gorm:"autoUpdateTime:false"`
}

// TableName implements gorm's Tabler.
func (profileRow) TableName() string { return "learning_profiles" }

// profileView is a profile with what other tables know of it. Conversations that are
// open have not been settled with the profile; they are added at reading.
type profileView struct {
	Row          profileRow    `gorm:"embedded"`
	Streak       streakColumns `gorm:"embedded"`
	Timezone     *string       // the user's
	OpenCount    int
	OpenSpeaking int64 // ms
}

// profile returns the row as it reads now.
func (v profileView) profile(now time.Time, mastered int) learn.Profile {
	p, loc := v.Row.profile(), zone(v.Timezone)
	p.TotalSpeaking += time.Duration(v.OpenSpeaking) * time.Millisecond
	p.Conversations += v.OpenCount
	p.StreakDays = v.Streak.streak().On(learn.LocalDay(now, loc), loc).Days
	p.Mastered = mastered
	return p
}

// profile returns what stands in the row itself.
func (r profileRow) profile() learn.Profile {
	habits, _ := learn.ParseTurnHabits(valueOr(r.TurnHabits, "")) // what cannot be read is learned anew
	return learn.Profile{
		ID:             r.ID,
		TenantID:       r.TenantID,
		UserID:         r.UserID,
		TargetLanguage: r.TargetLanguage,
		Level:          learn.Level(r.CEFRLevel),
		CorrectionMode: learn.CorrectionMode(valueOr(r.CorrectionMode, "")),
		PatienceMS:     valueOr(r.PatienceMS, 0),
		SpeechRate:     valueOr(r.SpeechRate, 0),
		VoiceID:        valueOr(r.VoiceID, ""),
		AutoCards:      r.AutoCards,
		Habits:         habits,
		TotalSpeaking:  time.Duration(r.TotalSpeakingMS) * time.Millisecond,
		Conversations:  r.ConversationCount,
		CreatedAt:      r.CreatedAt.UTC(),
		UpdatedAt:      r.UpdatedAt.UTC(),
	}
}

// checkProfile returns Invalid for settings that the database would refuse.
func checkProfile(p learn.Profile) error {
	if _, ok := learn.ParseLevel(string(p.Level)); !ok {
		return invalid("cefr_level", "not one of A1 to C2")
	}
	if p.CorrectionMode != "" && !p.CorrectionMode.Valid() {
		return invalid("correction_mode", "not one of the five modes")
	}
	return nil
}

// CreateProfile stores p, filling in ID and times; its counters begin at zero.
// Conflict when the user already learns that language, NotFound when the user is
// not a member of the tenant, Invalid for an unknown level or mode.
func (db *DB) CreateProfile(ctx context.Context, p learn.Profile) (learn.Profile, error) {
	const op = "store.CreateProfile"
	if err := checkProfile(p); err != nil {
		return learn.Profile{}, fail(op, err)
	}
	id, err := newID(p.ID)
	if err != nil {
		return learn.Profile{}, fail(op, err)
	}
	now := db.clock()
	level, _ := learn.ParseLevel(string(p.Level))
	row := profileRow{
		ID: id, TenantID: p.TenantID, UserID: p.UserID,
		TargetLanguage: clean(p.TargetLanguage),
		CEFRLevel:      string(level),
		CorrectionMode: nullable(string(p.CorrectionMode)),
		PatienceMS:     nullable(p.PatienceMS),
		SpeechRate:     nullable(p.SpeechRate),
		VoiceID:        nullable(clean(p.VoiceID)),
		AutoCards:      p.AutoCards,
		CreatedAt:      stampOr(p.CreatedAt, now),
		UpdatedAt:      now,
	}
	err = db.transact(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return feed(tx, row.TenantID, row.UserID, now, changedProfile(row.ID, ""))
	})
	switch {
	case isDuplicate(err):
		err = conflict("Profile for " + row.TargetLanguage + " already exists")
	case isDangling(err):
		err = notFound("User not found")
	}
	if err != nil {
		return learn.Profile{}, fail(op, err)
	}
	return profileView{Row: row}.profile(now, 0), nil
}

// ListProfiles returns all of the user's profiles, oldest first; none for an
// unknown user.
func (db *DB) ListProfiles(ctx context.Context, tenantID, userID string) ([]learn.Profile, error) {
	ps, err := db.loadProfiles(ctx, clean(tenantID), clean(userID), "")
	return ps, fail("store.ListProfiles", err)
}

// Profile returns one of the user's profiles; NotFound when it is not theirs or deleted.
func (db *DB) Profile(ctx context.Context, tenantID, userID, id string) (learn.Profile, error) {
	const op = "store.Profile"
	ps, err := db.loadProfiles(ctx, clean(tenantID), clean(userID), "AND p.id = ?", clean(id))
	if err == nil && len(ps) == 0 {
		err = notFound("Profile not found")
	}
	if err != nil {
		return learn.Profile{}, fail(op, err)
	}
	return ps[0], nil
}

// profilesOf begins every query for profiles. What is open is few rows, and has an index.
const profilesOf = `SELECT p.*, u.timezone,
	(SELECT COUNT(*) FROM conversation_sessions s
		WHERE s.tenant_id = p.tenant_id AND s.user_id = p.user_id AND s.learning_profile_id = p.id
			AND s.status = 'active') AS open_count,
	(SELECT COALESCE(SUM(s.learner_ms), 0) FROM conversation_sessions s
		WHERE s.tenant_id = p.tenant_id AND s.user_id = p.user_id AND s.learning_profile_id = p.id
			AND s.status = 'active') AS open_speaking
FROM learning_profiles p, users u
WHERE p.tenant_id = ? AND p.user_id = ? AND p.deleted_at IS NULL AND u.id = p.user_id `

// loadProfiles reads a user's profiles with what is computed at reading: the totals with
// those of open conversations, the streak as of today, and how many words are mastered.
func (db *DB) loadProfiles(ctx context.Context, tenantID, userID, narrow string, args ...any) ([]learn.Profile, error) {
	var ps []learn.Profile
	err := db.reading(ctx, func(tx *gorm.DB) (err error) {
		ps, err = db.readProfiles(tx, tenantID, userID, narrow, args...)
		return err
	})
	return ps, err
}

// readProfiles is loadProfiles for whoever is reading already.
func (db *DB) readProfiles(tx *gorm.DB, tenantID, userID, narrow string, args ...any) ([]learn.Profile, error) {
	var found []profileView
	var mastered map[string]int
	err := tx.Raw(profilesOf+narrow+" ORDER BY p.created_at, p.id",
		append([]any{tenantID, userID}, args...)...).Scan(&found).Error
	if err == nil && len(found) > 0 {
		mastered, err = countMastered(tx, tenantID, userID)
	}
	if err != nil || len(found) == 0 {
		return nil, err
	}
	now := db.now()
	ps := make([]learn.Profile, len(found))
	for i, v := range found {
		ps[i] = v.profile(now, mastered[v.Row.ID])
	}
	return ps, nil
}

// masteredOf counts mastered cards by profile: those in review whose stability is high,
// and others that were used rightly and unprompted on three days or more.
const masteredOf = `SELECT learning_profile_id, COUNT(*) AS mastered FROM (
	SELECT v.learning_profile_id FROM user_vocabulary v
	WHERE v.tenant_id = ? AND v.user_id = ?
		AND v.state = 'review' AND v.deleted_at IS NULL AND v.stability >= ?
	UNION ALL
	SELECT v.learning_profile_id FROM (
		SELECT l.card_id FROM review_log l
		WHERE l.tenant_id = ? AND l.user_id = ?
			AND l.mode = 'in_conversation' AND l.rating >= 3 AND l.undone_at IS NULL
		GROUP BY l.card_id HAVING COUNT(DISTINCT l.local_day) >= ?) used
	CROSS JOIN user_vocabulary v
	WHERE v.tenant_id = ? AND v.user_id = ? AND v.id = used.card_id AND v.deleted_at IS NULL
		AND NOT (v.state = 'review' AND v.stability >= ?)
) cards GROUP BY learning_profile_id`

// countMastered returns how many of the user's cards are mastered, by profile.
func countMastered(tx *gorm.DB, tenantID, userID string) (map[string]int, error) {
	var counts []struct {
		LearningProfileID string
		Mastered          int
	}
	err := tx.Raw(masteredOf, tenantID, userID, masteredStability,
		tenantID, userID, masteredDays, tenantID, userID, masteredStability).Scan(&counts).Error
	byProfile := make(map[string]int, len(counts))
	for _, c := range counts {
		byProfile[c.LearningProfileID] = c.Mastered
	}
	return byProfile, err
}

// UpdateProfile stores the level and settings of p, not the language and the
// counters, and returns the profile as it is then. NotFound when it is not the
// user's, Invalid for an unknown level or mode.
func (db *DB) UpdateProfile(ctx context.Context, p learn.Profile) (learn.Profile, error) {
	const op = "store.UpdateProfile"
	if err := checkProfile(p); err != nil {
		return learn.Profile{}, fail(op, err)
	}
	now := db.clock()
	err := db.transact(ctx, func(tx *gorm.DB) error {
		changes, err := replaceSettings(tx, p, now)
		if err != nil {
			return err
		}
		return feed(tx, clean(p.TenantID), clean(p.UserID), now, changes...)
	})
	if err != nil {
		return learn.Profile{}, fail(op, err)
	}
	q, err := db.Profile(ctx, p.TenantID, p.UserID, p.ID)
	return q, fail(op, err)
}

// DeleteProfile hides the profile; its conversations stay until erasure, and the
// language can be begun anew. NotFound when it is not the user's or hidden already.
func (db *DB) DeleteProfile(ctx context.Context, tenantID, userID, id string) error {
	tenantID, userID, id = clean(tenantID), clean(userID), clean(id)
	now := db.clock()
	return fail("store.DeleteProfile", db.transact(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&profileRow{}).
			Where("tenant_id = ? AND user_id = ? AND id = ? AND deleted_at IS NULL", tenantID, userID, id).
			Updates(map[string]any{"deleted_at": now, "updated_at": now})
		if res.Error == nil && res.RowsAffected == 0 {
			return notFound("Profile not found")
		}
		if res.Error != nil {
			return res.Error
		}
		gone := changedProfile(id, "")
		gone.Deleted = true
		return feed(tx, tenantID, userID, now, gone)
	}))
}
