package store

import (
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// The days of a learner, table daily_activity, are kept up to date by whoever writes what
// they are made of, and can be made anew from that ([DB.RebuildActivity]): a message brings
// its facts with it and adds them (count); reviews and corrections, which change after the
// fact, are counted again for the days that they touch ([recountReviews], [countCorrections]).
// What a conversation had added outlives it in the column kept ([keepDays]).
//
// Locks are taken in the order conversation, cards, days, membership, profile, user_sync.

// dayRow is a row of the table daily_activity, of one profile.
type dayRow struct {
	TenantID          string
	UserID            string
	LearningProfileID string
	LocalDay          string
	LearnerMS         int64 `gorm:"column:learner_ms"`
	SessionMS         int64 `gorm:"column:session_ms"`
	Turns             int
	Words             int
	NewWords          int
	Reviews           int
	Recalls           int
	Lapses            int
	Corrections       int
	Repairs           int
	SpokenWords       int
	SpeechMS          int `gorm:"column:speech_ms"`
	Pauses            int
	PauseMS           int       `gorm:"column:pause_ms"`
	LongestPauseMS    int       `gorm:"column:longest_pause_ms"`
	Kept              *string   // JSON of a keptDay
	CreatedAt         time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (dayRow) TableName() string { return "daily_activity" }

func (r dayRow) day() learn.Day {
	return learn.Day{
		Day: r.LocalDay, Speaking: milliseconds(r.LearnerMS), Talking: milliseconds(r.SessionMS),
		Turns: r.Turns, Words: r.Words, NewWords: r.NewWords, Reviews: r.Reviews, Recalls: r.Recalls, Lapses: r.Lapses,
		Corrections: r.Corrections, Repairs: r.Repairs,
		Pace: learn.Pace{Words: r.SpokenWords, SpeechMS: r.SpeechMS, Pauses: r.Pauses, PauseMS: r.PauseMS, LongestMS: r.LongestPauseMS},
	}
}

// keptDay is what conversations that were deleted had added to a day: numbers alone.
type keptDay struct {
	LearnerMS   int64      `json:"learner_ms,omitempty"`
	SessionMS   int64      `json:"session_ms,omitempty"`
	Turns       int        `json:"turns,omitempty"`
	Words       int        `json:"words,omitempty"`
	Corrections int        `json:"corrections,omitempty"`
	Repairs     int        `json:"repairs,omitempty"`
	Pace        learn.Pace `json:"pace"`
}

func (k keptDay) plus(o keptDay) keptDay {
	return keptDay{k.LearnerMS + o.LearnerMS, k.SessionMS + o.SessionMS, k.Turns + o.Turns, k.Words + o.Words,
		k.Corrections + o.Corrections, k.Repairs + o.Repairs, k.Pace.Plus(o.Pace)}
}

// columns are the columns of a day that say k, and nothing of its reviews.
func (k keptDay) columns() map[string]any {
	return map[string]any{
		"learner_ms": k.LearnerMS, "session_ms": k.SessionMS, "turns": k.Turns, "words": k.Words,
		"corrections": k.Corrections, "repairs": k.Repairs,
		"spoken_words": k.Pace.Words, "speech_ms": k.Pace.SpeechMS, "pauses": k.Pace.Pauses,
		"pause_ms": k.Pace.PauseMS, "longest_pause_ms": k.Pace.LongestMS,
	}
}

func milliseconds(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// setting is what a message's day depends on: whose it is, and where they are.
type setting struct {
	TenantID, UserID, LearningProfileID string
	StartedAt                           time.Time
	Timezone                            *string
	OfProfile, OfMember                 *string // the last days of the streaks
	ActivityVersion                     int     // by which rules the days were last made
}

// settingOf reads the setting of a conversation's messages.
func settingOf(tx *gorm.DB, tenantID, sessionID string) (s setting, err error) {
	err = tx.Raw(`SELECT s.tenant_id, s.user_id, s.learning_profile_id, s.started_at, u.timezone,
			p.last_local_day AS of_profile, b.last_local_day AS of_member, b.activity_version
		FROM conversation_sessions s, learning_profiles p, memberships b, users u
		WHERE s.tenant_id = ? AND s.id = ?
			AND p.tenant_id = s.tenant_id AND p.user_id = s.user_id AND p.id = s.learning_profile_id
			AND b.tenant_id = s.tenant_id AND b.user_id = s.user_id AND u.id = s.user_id`,
		tenantID, sessionID).Scan(&s).Error
	return s, err
}

// place gives a message that is about to be stored the facts that depend on where and when
// it was said: its day and how much of the conversation's time it took.
func (s setting) place(tx *gorm.DB, m *messageRow) error {
	var before []messageRow
	err := tx.Select("created_at").Where("tenant_id = ? AND session_id = ? AND seq < ?", m.TenantID, m.SessionID, m.Seq).
		Order("seq DESC").Limit(1).Find(&before).Error
	if err != nil {
		return err
	}
	since := s.StartedAt
	if len(before) > 0 {
		since = before[0].CreatedAt
	}
	m.place(since, zone(s.Timezone))
	return nil
}

// place is that of a message whose predecessor was said at since.
func (r *messageRow) place(since time.Time, loc *time.Location) {
	day := learn.LocalDay(r.CreatedAt, loc)
	r.LocalDay = &day
	if gap := r.CreatedAt.Sub(since); gap > 0 && gap <= learn.TalkingGap {
		r.TalkMS = gap.Milliseconds()
	}
}

// facts are what the message adds to its day.
func (r messageRow) facts() (keptDay, error) {
	k := keptDay{SessionMS: r.TalkMS}
	if r.Role != string(learn.SpeakerLearner) {
		return k, nil
	}
	k.LearnerMS, k.Turns, k.Words = r.AudioMS, 1, r.WordCount
	return k, decode(r.Pace, &k.Pace)
}

// addToDay adds a message's facts to its day, which it makes when it is the first.
const addToDay = `INSERT INTO daily_activity (tenant_id, user_id, learning_profile_id, local_day,
		learner_ms, session_ms, turns, words, spoken_words, speech_ms, pauses, pause_ms, longest_pause_ms, created_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (tenant_id, user_id, learning_profile_id, local_day) DO UPDATE SET
		learner_ms = daily_activity.learner_ms + excluded.learner_ms,
		session_ms = daily_activity.session_ms + excluded.session_ms,
		turns = daily_activity.turns + excluded.turns,
		words = daily_activity.words + excluded.words,
		spoken_words = daily_activity.spoken_words + excluded.spoken_words,
		speech_ms = daily_activity.speech_ms + excluded.speech_ms,
		pauses = daily_activity.pauses + excluded.pauses,
		pause_ms = daily_activity.pause_ms + excluded.pause_ms,
		longest_pause_ms = CASE WHEN excluded.longest_pause_ms > daily_activity.longest_pause_ms
			THEN excluded.longest_pause_ms ELSE daily_activity.longest_pause_ms END
	RETURNING turns`

// count adds a message that was stored to its day, and its day to the streaks of its
// profile and of the learner over all languages. The streaks cost nothing on all messages
// but the first of a day.
func (s setting) count(tx *gorm.DB, m messageRow) error {
	k, err := m.facts()
	if err != nil {
		return err
	}
	var turns []int
	err = tx.Raw(addToDay, s.TenantID, s.UserID, s.LearningProfileID, *m.LocalDay,
		k.LearnerMS, k.SessionMS, k.Turns, k.Words, k.Pace.Words, k.Pace.SpeechMS,
		k.Pace.Pauses, k.Pace.PauseMS, k.Pace.LongestMS, m.CreatedAt).Scan(&turns).Error
	if err != nil || k.Turns == 0 {
		return err
	}
	return s.countDay(tx, *m.LocalDay, turns[0] == 1)
}

// recountReviews counts the user's reviews of some days again. Whoever adds reviews, undoes
// them or replays a card calls it for the days of all that changed, after the cards and
// before the feed.
func recountReviews(tx *gorm.DB, tenantID, userID string, days []string, now time.Time) error {
	slices.Sort(days)
	for part := range slices.Chunk(slices.Compact(days), chunk) {
		if err := recountDays(tx, tenantID, userID, part, now); err != nil {
			return err
		}
	}
	return nil
}

func recountDays(tx *gorm.DB, tenantID, userID string, days []string, now time.Time) error {
	err := tx.Model(&dayRow{}).Where("tenant_id = ? AND user_id = ?", tenantID, userID).
		Where("local_day IN ?", days).Where("reviews > 0").
		Updates(map[string]any{"reviews": 0, "recalls": 0, "lapses": 0, "new_words": 0}).Error
	if err != nil {
		return err
	}
	// The profile is looked up card by card: a planner that knows nothing yet of what was just
	// written joins everything with everything.
	return tx.Exec(`INSERT INTO daily_activity (tenant_id, user_id, learning_profile_id, local_day,
			reviews, recalls, lapses, new_words, created_at)
		SELECT tenant_id, user_id, profile, local_day, COUNT(*),
			SUM(CASE WHEN state_before = 'review' THEN 1 ELSE 0 END),
			SUM(CASE WHEN state_before = 'review' AND rating = 1 THEN 1 ELSE 0 END),
			SUM(CASE WHEN state_before = 'new' THEN 1 ELSE 0 END), `+nowIn(tx)+`
		FROM (SELECT l.tenant_id, l.user_id, l.local_day, l.state_before, l.rating,
				(SELECT v.learning_profile_id FROM user_vocabulary v WHERE v.id = l.card_id AND v.tenant_id = l.tenant_id AND v.user_id = l.user_id) AS profile
			FROM review_log l
			WHERE l.tenant_id = ? AND l.user_id = ? AND l.local_day IN ? AND l.undone_at IS NULL) reviewed
		WHERE profile IS NOT NULL
		GROUP BY tenant_id, user_id, profile, local_day
		ORDER BY profile, local_day
		ON CONFLICT (tenant_id, user_id, learning_profile_id, local_day) DO UPDATE SET
			reviews = excluded.reviews, recalls = excluded.recalls, lapses = excluded.lapses, new_words = excluded.new_words`,
		now, tenantID, userID, days).Error
}

// nowIn is a parameter for a time in a place where Postgres cannot guess its type.
func nowIn(tx *gorm.DB) string {
	if tx.Name() == string(postgresDialect) {
		return "CAST(? AS timestamptz)"
	}
	return "?"
}

// correctionCount are the corrections of a day that count.
type correctionCount struct {
	LearningProfileID, LocalDay string
	Shown, Repaired             int
}

// correctionsOf counts the corrections that were shown and not disputed, by profile and day.
const correctionsOf = `SELECT s.learning_profile_id, m.local_day, COUNT(*) AS shown,
		SUM(CASE WHEN c.repair = 'repaired' THEN 1 ELSE 0 END) AS repaired
	FROM corrections c
	JOIN conversation_messages m ON m.tenant_id = c.tenant_id AND m.id = c.message_id
	JOIN conversation_sessions s ON s.tenant_id = c.tenant_id AND s.id = c.session_id
	WHERE c.tenant_id = ? AND c.user_id = ? AND c.status IN ('shown', 'confirmed') AND m.local_day IS NOT NULL `

// countCorrections counts the corrections of the days of a conversation again. Whoever adds
// corrections, takes them back or notes a repair calls it, before the feed, while it holds
// the conversation's row or changes nothing else of it.
func countCorrections(tx *gorm.DB, tenantID, sessionID string) error {
	var days []string
	err := tx.Model(&messageRow{}).Where("tenant_id = ? AND session_id = ? AND local_day IS NOT NULL", tenantID, sessionID).
		Distinct().Order("local_day").Pluck("local_day", &days).Error
	if err != nil || len(days) == 0 {
		return err
	}
	who, err := settingOf(tx, tenantID, sessionID)
	if err != nil {
		return err
	}
	rows, err := lockDays(tx, tenantID, who.UserID, who.LearningProfileID, days)
	if err != nil {
		return err
	}
	// What corrects a day's message was made after that day had begun, somewhere.
	since, err := time.Parse(time.DateOnly, learn.AddDays(days[0], -1))
	if err != nil {
		return err
	}
	var counts []correctionCount
	err = tx.Raw(correctionsOf+`AND s.learning_profile_id = ? AND c.created_at >= ? AND m.local_day IN ?
		GROUP BY s.learning_profile_id, m.local_day`,
		tenantID, who.UserID, who.LearningProfileID, stamp(since), days).Scan(&counts).Error
	if err != nil {
		return err
	}
	for _, r := range rows {
		kept, err := r.keptDay()
		if err != nil {
			return err
		}
		corrections, repairs := kept.Corrections, kept.Repairs
		for _, c := range counts {
			if c.LocalDay == r.LocalDay {
				corrections, repairs = corrections+c.Shown, repairs+c.Repaired
			}
		}
		if corrections == r.Corrections && repairs == r.Repairs {
			continue
		}
		if err := r.update(tx, map[string]any{"corrections": corrections, "repairs": repairs}); err != nil {
			return err
		}
	}
	return nil
}

// lockDays reads days of a profile in order, and locks them to the end of tx.
func lockDays(tx *gorm.DB, tenantID, userID, profileID string, days []string) (rows []dayRow, err error) {
	err = tx.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).
		Where("tenant_id = ? AND user_id = ? AND learning_profile_id = ?", tenantID, userID, profileID).
		Where("local_day IN ?", days).Order("local_day").Find(&rows).Error
	return rows, err
}

func (r dayRow) keptDay() (k keptDay, err error) {
	err = decode(r.Kept, &k)
	return k, err
}

func (r dayRow) update(tx *gorm.DB, set map[string]any) error {
	return tx.Model(&dayRow{}).Where("tenant_id = ? AND user_id = ?", r.TenantID, r.UserID).
		Where("learning_profile_id = ? AND local_day = ?", r.LearningProfileID, r.LocalDay).Updates(set).Error
}

// keepDays notes what a conversation that is about to be deleted has added to its days, so
// that it stays counted when they are made anew.
func keepDays(tx *gorm.DB, c conversationRow, now time.Time) error {
	if err := placeMessages(tx, c); err != nil {
		return err
	}
	added, err := daysOf(tx, c.TenantID, c.UserID, c.ID)
	if err != nil {
		return err
	}
	for _, day := range added.sorted() {
		row := dayRow{TenantID: c.TenantID, UserID: c.UserID, LearningProfileID: day.profile, LocalDay: day.day, CreatedAt: now}
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return err
		}
		rows, err := lockDays(tx, c.TenantID, c.UserID, day.profile, []string{day.day})
		if err != nil {
			return err
		}
		kept, err := rows[0].keptDay()
		if err != nil {
			return err
		}
		text, err := json.Marshal(kept.plus(added[day]))
		if err != nil {
			return err
		}
		if err := rows[0].update(tx, map[string]any{"kept": string(text)}); err != nil {
			return err
		}
	}
	return nil
}
