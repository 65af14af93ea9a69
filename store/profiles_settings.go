package store

import (
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// settingsRow is a profile with when its settings were written.
type settingsRow struct {
	Profile       profileRow `gorm:"embedded"`
	FieldVersions string     // JSON of fieldVersions
}

// TableName implements gorm's Tabler.
func (settingsRow) TableName() string { return "learning_profiles" }

// changedProfile is the entry of the feed for a profile.
func changedProfile(id, device string) learn.Change {
	return learn.Change{Entity: learn.EntityProfile, ID: id, Device: device}
}

// lockProfile reads a profile of the user and locks its row to the end of tx.
func lockProfile(tx *gorm.DB, tenantID, userID, id string) (settingsRow, error) {
	var row settingsRow
	err := tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("tenant_id = ? AND user_id = ? AND id = ? AND deleted_at IS NULL", tenantID, userID, id).Take(&row).Error
	return row, isMissing(err, "Profile not found")
}

// editProfile writes those of a patch's settings that no later write holds, and returns what
// to tell the feed. Of two writes at the same time the one with the greater value wins.
func editProfile(tx *gorm.DB, tenantID, userID, id, device string, p learn.ProfilePatch, at, now time.Time) ([]learn.Change, error) {
	row, err := lockProfile(tx, tenantID, userID, id)
	if err != nil {
		return nil, err
	}
	beaten, err := row.write(tx, p, nil, at, now)
	if beaten {
		device = "" // the device has yet to hear what it lost against
	}
	return []learn.Change{changedProfile(id, device)}, err
}

// replaceSettings makes the level and settings of a profile those of p. Settings that stay
// as they are keep the time at which they were written.
func replaceSettings(tx *gorm.DB, p learn.Profile, now time.Time) ([]learn.Change, error) {
	row, err := lockProfile(tx, clean(p.TenantID), clean(p.UserID), clean(p.ID))
	if err != nil {
		return nil, err
	}
	old := row.Profile.profile()
	var patch learn.ProfilePatch
	if p.CorrectionMode != old.CorrectionMode {
		patch.CorrectionMode = &p.CorrectionMode
	}
	if p.PatienceMS != old.PatienceMS {
		patch.PatienceMS = &p.PatienceMS
	}
	if p.SpeechRate != old.SpeechRate {
		patch.SpeechRate = &p.SpeechRate
	}
	if p.VoiceID != old.VoiceID {
		patch.VoiceID = &p.VoiceID
	}
	if p.AutoCards != old.AutoCards {
		patch.AutoCards = &p.AutoCards
	}
	// A device whose clock is ahead may have written later than now; this is a decision of now.
	if _, err = row.write(tx, patch, &p.Level, now, now); err == nil && p.Level != old.Level {
		err = row.levelFrom(tx, "self")
	}
	return []learn.Change{changedProfile(row.Profile.ID, "")}, err
}

// levelFrom notes who has said which level the learner has.
func (r *settingsRow) levelFrom(tx *gorm.DB, source string) error {
	return tx.Model(&profileRow{}).Where("tenant_id = ? AND user_id = ? AND id = ?", r.Profile.TenantID, r.Profile.UserID, r.Profile.ID).
		UpdateColumn("level_source", source).Error
}

// write stores a patch, and a level if there is one. Invalid for a mode that is none.
func (r *settingsRow) write(tx *gorm.DB, p learn.ProfilePatch, level *learn.Level, at, now time.Time) (beaten bool, err error) {
	w := &fieldWrites{versions: fieldVersions{}, created: r.Profile.CreatedAt.UTC(), at: at}
	if err := json.Unmarshal([]byte(r.FieldVersions), &w.versions); err != nil {
		return false, err
	}
	is := r.Profile.profile()
	if p.CorrectionMode != nil && *p.CorrectionMode != "" && !p.CorrectionMode.Valid() {
		return false, invalid("correction_mode", "not one of the five modes")
	}
	writeField(w, "correction_mode", &is.CorrectionMode, p.CorrectionMode)
	writeField(w, "patience_ms", &is.PatienceMS, p.PatienceMS)
	writeField(w, "speech_rate", &is.SpeechRate, p.SpeechRate)
	writeField(w, "voice_id", &is.VoiceID, p.VoiceID)
	writeField(w, "auto_cards", &is.AutoCards, p.AutoCards)
	if level != nil {
		is.Level, _ = learn.ParseLevel(string(*level))
	}
	versions, err := json.Marshal(w.versions)
	if err != nil {
		return false, err
	}
	return w.beaten, tx.Model(&profileRow{}).
		Where("tenant_id = ? AND user_id = ? AND id = ?", r.Profile.TenantID, r.Profile.UserID, r.Profile.ID).
		Updates(map[string]any{
			"cefr_level":      string(is.Level),
			"correction_mode": nullable(string(is.CorrectionMode)),
			"patience_ms":     nullable(is.PatienceMS),
			"speech_rate":     nullable(is.SpeechRate),
			"voice_id":        nullable(clean(is.VoiceID)),
			"auto_cards":      is.AutoCards,
			"field_versions":  clean(string(versions)),
			"updated_at":      now,
		}).Error
}
