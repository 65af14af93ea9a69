package store

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// estimateRow is a row of the table level_estimates.
type estimateRow struct {
	ID                string
	TenantID          string
	UserID            string
	LearningProfileID string
	MethodVersion     int
	Level             string
	Low               string
	High              string
	Evidence          string // JSON of a learn.LevelBasis
	Status            string
	DecidedBy         *string
	DecidedAt         *time.Time
	CreatedAt         time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (estimateRow) TableName() string { return "level_estimates" }

func (r *estimateRow) estimate() (*learn.LevelEstimate, error) {
	e := learn.LevelEstimate{ID: r.ID, ProfileID: r.LearningProfileID, Version: r.MethodVersion, Level: learn.Level(r.Level),
		Low: learn.Level(r.Low), High: learn.Level(r.High), Status: learn.EstimateStatus(r.Status), DecidedAt: timeOf(r.DecidedAt), CreatedAt: r.CreatedAt.UTC()}
	return &e, json.Unmarshal([]byte(r.Evidence), &e.Basis)
}

// LevelStanding returns what is known of the level of one of the user's profiles. NotFound
// when it is not theirs or was deleted.
func (db *DB) LevelStanding(ctx context.Context, tenantID, userID, profileID string) (s learn.LevelStanding, err error) {
	now := db.clock()
	err = db.reading(ctx, func(tx *gorm.DB) (err error) {
		s, err = levelStanding(tx, clean(tenantID), clean(userID), clean(profileID), now)
		return err
	})
	return s, fail("store.LevelStanding", err)
}

func levelStanding(tx *gorm.DB, tenantID, userID, profileID string, now time.Time) (learn.LevelStanding, error) {
	var p profileRow
	err := tx.Select("id", "cefr_level", "target_language").Where("tenant_id = ? AND user_id = ? AND id = ? AND deleted_at IS NULL", tenantID, userID, profileID).Take(&p).Error
	if err != nil {
		return learn.LevelStanding{}, isMissing(err, "Profile not found")
	}
	s := learn.LevelStanding{ProfileID: p.ID, Level: learn.Level(p.CEFRLevel)}
	var rows []estimateRow
	err = tx.Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", tenantID, userID, profileID).
		Order("CASE WHEN status = 'suggested' THEN 0 ELSE 1 END, decided_at DESC, id DESC").Limit(1).Find(&rows).Error
	if err != nil {
		return s, err
	}
	if len(rows) > 0 {
		if s.Estimate, err = rows[0].estimate(); err != nil {
			return s, err
		}
	}
	sessions, err := levelSessions(tx, tenantID, userID, profileID, now)
	e, _ := learn.EstimateLevel(p.TargetLanguage, sessions)
	s.Sessions, s.Words = e.Basis.Sessions, e.Basis.Words
	return s, err
}

// DecideLevel takes the user's decision on an estimate of one of their profiles: accepted, the
// profile's level is what the estimate says; rejected, it stays. The same decision again
// changes nothing. Errors: NotFound when the profile or the estimate is not theirs or was
// replaced by another one, Conflict when it was decided otherwise, Invalid for any other
// status.
func (db *DB) DecideLevel(ctx context.Context, tenantID, userID, profileID, estimateID string, to learn.EstimateStatus) (s learn.LevelStanding, err error) {
	const op = "store.DecideLevel"
	if to != learn.EstimateAccepted && to != learn.EstimateRejected {
		return s, fail(op, invalid("decision", "not one of accept, reject"))
	}
	tenantID, userID, profileID, estimateID = clean(tenantID), clean(userID), clean(profileID), clean(estimateID)
	now := db.clock()
	err = db.transact(ctx, func(tx *gorm.DB) error {
		profile, err := lockProfile(tx, tenantID, userID, profileID)
		if err != nil {
			return err
		}
		mine := func() *gorm.DB {
			return tx.Model(&estimateRow{}).Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ? AND id = ?", tenantID, userID, profileID, estimateID)
		}
		var row estimateRow
		if err := mine().Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Take(&row).Error; err != nil {
			return isMissing(err, "Estimate not found")
		}
		var changes []learn.Change
		switch learn.EstimateStatus(row.Status) {
		case to:
		case learn.EstimateSuggested:
			if err := mine().Updates(map[string]any{"status": string(to), "decided_by": userID, "decided_at": now}).Error; err != nil {
				return err
			}
			if to == learn.EstimateAccepted {
				level := learn.Level(row.Level)
				if _, err := profile.write(tx, learn.ProfilePatch{}, &level, now, now); err != nil {
					return err
				}
				if err := profile.levelFrom(tx, "suggestion"); err != nil {
					return err
				}
				changes = append(changes, changedProfile(profileID, ""))
			}
		default:
			return conflict("The estimate was decided otherwise")
		}
		if s, err = levelStanding(tx, tenantID, userID, profileID, now); err != nil {
			return err
		}
		return feed(tx, tenantID, userID, now, changes...)
	})
	if err != nil {
		return learn.LevelStanding{}, fail(op, err)
	}
	return s, nil
}

// levelSessions are the profile's latest conversations that were summed up, as evidence.
func levelSessions(tx *gorm.DB, tenantID, userID, profileID string, now time.Time) ([]learn.LevelSession, error) {
	var rows []struct{ ID, Level, Summary string }
	err := tx.Raw(`SELECT s.id, s.cefr_at_start AS level, CAST(s.summary AS TEXT) AS summary FROM conversation_sessions s
		WHERE s.tenant_id = ? AND s.user_id = ? AND s.learning_profile_id = ? AND s.summary_status = 'done' AND s.summary IS NOT NULL AND s.started_at > ?
		ORDER BY s.started_at DESC, s.id DESC LIMIT ?`, tenantID, userID, profileID, now.Add(-learn.LevelRecent), learn.LevelWindow).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ids := make([]string, len(rows))
	sessions := make([]learn.LevelSession, len(rows))
	for i, r := range rows {
		var kept struct {
			Turns    int                 `json:"turns"`
			Evidence learn.LevelEvidence `json:"evidence"`
		}
		if err := json.Unmarshal([]byte(r.Summary), &kept); err != nil {
			return nil, err
		}
		ids[i], sessions[i] = r.ID, learn.LevelSession{Level: learn.Level(r.Level), Turns: kept.Turns, Evidence: kept.Evidence}
	}
	paces, err := pacesOf(tx, tenantID, ids)
	for i, id := range ids {
		sessions[i].Pace = paces[id]
	}
	return sessions, err
}

// pacesOf is how the learner spoke in some conversations.
func pacesOf(tx *gorm.DB, tenantID string, sessionIDs []string) (map[string]learn.Pace, error) {
	var rows []struct{ SessionID, Pace string }
	err := tx.Raw(`SELECT m.session_id, CAST(m.pace AS TEXT) AS pace FROM conversation_messages m
		WHERE m.tenant_id = ? AND m.session_id IN ? AND m.role = 'user' AND m.pace IS NOT NULL`, tenantID, sessionIDs).Scan(&rows).Error
	paces := map[string]learn.Pace{}
	for _, r := range rows {
		var p learn.Pace
		if err := json.Unmarshal([]byte(r.Pace), &p); err != nil {
			return nil, err
		}
		paces[r.SessionID] = paces[r.SessionID].Plus(p)
	}
	return paces, err
}
