package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// masteredStability is from how many days of stability on a reviewed card counts
// as mastered.
const masteredStability = 21

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
	TotalSpeakingMS   int64 `gorm:"column:total_speaking_ms"`
	ConversationCount int
	StreakDays        int
	LongestStreak     int
	LastLocalDay      *string
	CreatedAt         time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt         time.Time `gorm:"autoUpdateTime:false"`
}

// TableName implements gorm's Tabler.
func (profileRow) TableName() string { return "learning_profiles" }

func (r profileRow) streak() streak {
	return streak{days: r.StreakDays, longest: r.LongestStreak, last: valueOr(r.LastLocalDay, "")}
}

// profile returns the row as it reads on the learner's day today.
func (r profileRow) profile(today string, mastered int) learn.Profile {
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
		TotalSpeaking:  time.Duration(r.TotalSpeakingMS) * time.Millisecond,
		Conversations:  r.ConversationCount,
		StreakDays:     r.streak().on(today),
		Mastered:       mastered,
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
		CreatedAt:      stampOr(p.CreatedAt, now),
		UpdatedAt:      now,
	}
	err = db.transact(ctx, func(tx *gorm.DB) error { return tx.Create(&row).Error })
	switch {
	case isDuplicate(err):
		err = conflict("Profile for " + row.TargetLanguage + " already exists")
	case isDangling(err):
		err = notFound("User not found")
	}
	if err != nil {
		return learn.Profile{}, fail(op, err)
	}
	return row.profile("", 0), nil
}

// ListProfiles returns all of the user's profiles, oldest first; none for an
// unknown user.
func (db *DB) ListProfiles(ctx context.Context, tenantID, userID string) ([]learn.Profile, error) {
	ps, err := db.loadProfiles(ctx, tenantID, userID, func(tx *gorm.DB) *gorm.DB { return tx })
	return ps, fail("store.ListProfiles", err)
}

// Profile returns one of the user's profiles; NotFound when it is not theirs or deleted.
func (db *DB) Profile(ctx context.Context, tenantID, userID, id string) (learn.Profile, error) {
	const op = "store.Profile"
	ps, err := db.loadProfiles(ctx, tenantID, userID, func(tx *gorm.DB) *gorm.DB { return tx.Where("id = ?", clean(id)) })
	if err == nil && len(ps) == 0 {
		err = notFound("Profile not found")
	}
	if err != nil {
		return learn.Profile{}, fail(op, err)
	}
	return ps[0], nil
}

// loadProfiles reads a user's profiles with what is computed at reading: the
// streak as of today, and how many words are mastered.
func (db *DB) loadProfiles(ctx context.Context, tenantID, userID string, narrow func(*gorm.DB) *gorm.DB) ([]learn.Profile, error) {
	tx := db.read.WithContext(ctx)
	var rows []profileRow
	err := narrow(tx.Where("tenant_id = ? AND user_id = ? AND deleted_at IS NULL", clean(tenantID), clean(userID))).
		Order("created_at, id").Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	mastered, err := countMastered(tx, rows[0].TenantID, rows[0].UserID)
	if err != nil {
		return nil, err
	}
	loc, err := zone(tx, rows[0].UserID)
	if err != nil {
		return nil, err
	}
	today := localDay(db.now(), loc)
	ps := make([]learn.Profile, len(rows))
	for i, r := range rows {
		ps[i] = r.profile(today, mastered[r.ID])
	}
	return ps, nil
}

// countMastered returns how many of the user's cards are mastered, by profile.
func countMastered(tx *gorm.DB, tenantID, userID string) (map[string]int, error) {
	var counts []struct {
		LearningProfileID string
		Mastered          int
	}
	err := tx.Table("user_vocabulary").
		Select("learning_profile_id, COUNT(*) AS mastered").
		Where("tenant_id = ? AND user_id = ?", tenantID, userID).
		Where("state = 'review' AND stability >= ? AND deleted_at IS NULL", masteredStability).
		Group("learning_profile_id").Find(&counts).Error
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
	level, _ := learn.ParseLevel(string(p.Level))
	err := db.setProfile(ctx, p.TenantID, p.UserID, p.ID, map[string]any{
		"cefr_level":      string(level),
		"correction_mode": nullable(string(p.CorrectionMode)),
		"patience_ms":     nullable(p.PatienceMS),
		"speech_rate":     nullable(p.SpeechRate),
		"voice_id":        nullable(clean(p.VoiceID)),
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
	err := db.setProfile(ctx, tenantID, userID, id, map[string]any{"deleted_at": db.clock()})
	return fail("store.DeleteProfile", err)
}

func (db *DB) setProfile(ctx context.Context, tenantID, userID, id string, set map[string]any) error {
	set["updated_at"] = db.clock()
	return db.transact(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&profileRow{}).
			Where("tenant_id = ? AND user_id = ?", clean(tenantID), clean(userID)).
			Where("id = ? AND deleted_at IS NULL", clean(id)).
			Updates(set)
		if res.Error == nil && res.RowsAffected == 0 {
			return notFound("Profile not found")
		}
		return res.Error
	})
}
