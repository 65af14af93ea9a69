package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"kalami/session/learn"
)

// The most that is looked at to find what a learner should practise: what is older says
// little of how they speak now.
const (
	observationsMost = 2000
	drillTextsMost   = 300
)

// observedRow is a word of an assessment, and when and where it was.
type observedRow struct {
	Word        string
	Recognition *float64
	Phonemes    *string
	Language    string
	SessionID   *string
	CreatedAt   time.Time
	Timezone    *string
}

// observedWords begins a query for words of a user's assessments in a language since a time.
const observedWords = `SELECT w.word, w.recognition, w.phonemes, a.language, a.session_id, a.created_at, u.timezone
	FROM pronunciation_assessments a CROSS JOIN pronunciation_words w CROSS JOIN users u
	WHERE a.tenant_id = ? AND a.user_id = ? AND a.language = ? AND a.created_at >= ? AND u.id = a.user_id
		AND w.tenant_id = a.tenant_id AND w.assessment_id = a.id `

// Observations returns what was hard to understand in the user's assessments in a language
// since a time, newest first, at most 2000 words and the sounds of 2000 words: words whose
// recognition was below a score, and sounds whose accuracy was. An exercise's sitting is its
// day where the learner is.
func (db *DB) Observations(ctx context.Context, tenantID, userID, language string, below float64, since time.Time) ([]learn.Observation, error) {
	const op = "store.Observations"
	const order = `ORDER BY a.created_at DESC, a.id DESC, w.idx LIMIT ?`
	args := []any{clean(tenantID), clean(userID), clean(language), stamp(since)}
	var unclear, judged []observedRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		// What was heard as another word, or besides the text, says nothing of a word in it.
		err := tx.Raw(observedWords+`AND w.recognition < ? AND COALESCE(w.status, 'match') IN ('match', 'mispronounced') `+order,
			append(args, below, observationsMost)...).Scan(&unclear).Error
		if err != nil {
			return err
		}
		return tx.Raw(observedWords+`AND w.phonemes IS NOT NULL `+order, append(args, observationsMost)...).Scan(&judged).Error
	})
	if err != nil {
		return nil, fail(op, err)
	}
	out := make([]learn.Observation, 0, len(unclear))
	for _, r := range unclear {
		out = append(out, r.observation(learn.ProblemWord, r.Word, *r.Recognition))
	}
	for _, r := range judged {
		var phonemes []learn.Phoneme
		if err := decode(r.Phonemes, &phonemes); err != nil {
			return nil, fail(op, err)
		}
		for _, p := range phonemes {
			if p.Accuracy != nil && *p.Accuracy < below {
				out = append(out, r.observation(learn.ProblemSound, p.Symbol, *p.Accuracy))
			}
		}
	}
	return out, nil
}

// observation is what a row says of a word or sound.
func (r observedRow) observation(kind learn.ProblemKind, value string, score float64) learn.Observation {
	at := r.CreatedAt.UTC()
	return learn.Observation{Kind: kind, Value: value, Language: r.Language, Score: score, At: at,
		Sitting: valueOr(r.SessionID, learn.LocalDay(at, zone(r.Timezone)))}
}

// DrillTexts returns what the user's tutors said last in a language, and what the user read
// last for an assessment; newest first, at most 300 of each.
func (db *DB) DrillTexts(ctx context.Context, tenantID, userID, language string) (tutor, exercises []string, err error) {
	tenantID, userID, language = clean(tenantID), clean(userID), clean(language)
	err = db.reading(ctx, func(tx *gorm.DB) error {
		err := tx.Raw(`SELECT m.content FROM conversation_sessions s CROSS JOIN learning_profiles p CROSS JOIN conversation_messages m
			WHERE s.tenant_id = ? AND s.user_id = ? AND p.tenant_id = s.tenant_id AND p.id = s.learning_profile_id
				AND p.target_language = ? AND m.tenant_id = s.tenant_id AND m.session_id = s.id AND m.role = ?
			ORDER BY s.started_at DESC, s.id DESC, m.seq DESC LIMIT ?`,
			tenantID, userID, language, learn.SpeakerTutor, drillTextsMost).Scan(&tutor).Error
		if err != nil {
			return err
		}
		return tx.Raw(`SELECT a.reference_text FROM pronunciation_assessments a
			WHERE a.tenant_id = ? AND a.user_id = ? AND a.language = ? AND a.reference_text <> ''
			ORDER BY a.created_at DESC, a.id DESC LIMIT ?`, tenantID, userID, language, drillTextsMost).Scan(&exercises).Error
	})
	return tutor, exercises, fail("store.DrillTexts", err)
}

// FluencySamples returns how fluent the user was in a language from one time to before
// another, oldest first: one sample for each turn of a talk and for each exercise that was
// assessed, at most limit.
func (db *DB) FluencySamples(ctx context.Context, tenantID, userID, language string, from, to time.Time, limit int) ([]learn.FluencySample, error) {
	const op = "store.FluencySamples"
	var rows []assessmentRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		return tx.Select("session_id", "mode", "language", "fluency", "created_at").
			Where("tenant_id = ? AND user_id = ? AND language = ?", clean(tenantID), clean(userID), clean(language)).
			Where("created_at >= ? AND created_at < ?", stamp(from), stamp(to)).
			Order("created_at, id").Limit(max(limit, 0)).Find(&rows).Error
	})
	if err != nil {
		return nil, fail(op, err)
	}
	out := make([]learn.FluencySample, len(rows))
	for i, r := range rows {
		out[i] = learn.FluencySample{At: r.CreatedAt.UTC(), ConversationID: valueOr(r.SessionID, ""), Language: r.Language, Mode: learn.AssessmentMode(r.Mode)}
		if err := decode(r.Fluency, &out[i].Fluency); err != nil {
			return nil, fail(op, err)
		}
	}
	return out, nil
}
