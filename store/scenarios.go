package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"kalami/session/learn"
)

// scenarioRow is what this package writes of the table scenarios. Columns of prose hold it in
// English, as the tutor is told it; title and goals, which learners read in their reports, are
// in all languages.
type scenarioRow struct {
	ID             string // see scenarioKey
	Slug           string // learn's ID
	Version        int
	Topic          string
	Title          string // JSON of a learn.Texts
	CEFRMin        string `gorm:"column:cefr_min"`
	CEFRMax        string `gorm:"column:cefr_max"`
	Setting        string
	TutorRole      string
	LearnerRole    string
	Goals          string // JSON of a list of learn.ScenarioGoal
	TargetWords    string // JSON of lists by language
	Openers        string // JSON of a list
	Twist          string
	StopConditions string // JSON of a list
	SafetyBand     string
	Status         string
	CreatedAt      time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (scenarioRow) TableName() string { return "scenarios" }

// scenarioKey is the key of the row of a version of a scenario that every server has.
func scenarioKey(s learn.Scenario) string { return fmt.Sprintf("%s@%d", clean(s.ID), s.Version) }

// pinScenario keeps the scenario that a conversation begins with, as it is now, unless it is
// kept already. It returns the key of its row.
func pinScenario(tx *gorm.DB, s learn.Scenario, now time.Time) (string, error) {
	row := scenarioRow{
		ID: scenarioKey(s), Slug: clean(s.ID), Version: s.Version, Topic: string(s.Topic),
		CEFRMin: string(s.LevelMin), CEFRMax: string(s.LevelMax), SafetyBand: string(s.Audience), Status: "published", CreatedAt: now,
		Setting: clean(s.Situation.In("en")), TutorRole: clean(s.TutorRole.In("en")), LearnerRole: clean(s.LearnerRole.In("en")), Twist: clean(s.Twist),
	}
	for column, v := range map[*string]any{&row.Title: s.Title, &row.Goals: s.Goals, &row.TargetWords: s.Words, &row.Openers: []string{s.Opener}, &row.StopConditions: s.Stop} {
		raw, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		*column = clean(string(raw))
	}
	return row.ID, tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error
}

// sceneView is the scenario of a conversation.
type sceneView struct {
	Row       scenarioRow `gorm:"embedded"`
	SessionID string
	Again     bool
}

// scenesOf finds the scenarios of conversations; its parameters are the tenant and the ids.
const scenesOf = `SELECT s.id AS session_id, k.id, k.slug, k.version, k.topic, CAST(k.title AS TEXT) AS title, k.cefr_min, k.cefr_max, k.setting,
	k.tutor_role, k.learner_role, CAST(k.goals AS TEXT) AS goals, CAST(k.target_words AS TEXT) AS target_words, CAST(k.openers AS TEXT) AS openers,
	k.twist, CAST(k.stop_conditions AS TEXT) AS stop_conditions, k.safety_band,
	EXISTS (SELECT 1 FROM conversation_sessions b, scenarios e WHERE b.tenant_id = s.tenant_id AND b.user_id = s.user_id
		AND b.learning_profile_id = s.learning_profile_id AND b.started_at < s.started_at AND b.turns > 0
		AND e.id = b.scenario_id AND e.slug = k.slug) AS again
	FROM conversation_sessions s, scenarios k WHERE s.tenant_id = ? AND s.id IN ? AND k.id = s.scenario_id`

// conversations are the conversations of views, of one tenant, with what is played in them.
func conversations(tx *gorm.DB, tenantID string, views []conversationView) ([]learn.Conversation, error) {
	cs := make([]learn.Conversation, len(views))
	var playing []string
	for i, v := range views {
		cs[i] = v.conversation()
		if v.Row.ScenarioID != nil {
			playing = append(playing, v.Row.ID)
		}
	}
	played, err := scenes(tx, tenantID, playing)
	if err != nil {
		return nil, err
	}
	for i := range cs {
		cs[i].Scene = played[cs[i].ID]
	}
	return cs, nil
}

// scenes reads what is played in conversations, by their ids: two statements, and none when
// there are no conversations.
func scenes(tx *gorm.DB, tenantID string, ids []string) (map[string]*learn.Scene, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var found []sceneView
	if err := tx.Raw(scenesOf, tenantID, ids).Scan(&found).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]*learn.Scene, len(found))
	for _, v := range found {
		s, err := v.scene()
		if err != nil {
			return nil, err
		}
		byID[v.SessionID] = s
	}
	var met []goalRow
	if err := tx.Where("tenant_id = ? AND session_id IN ?", tenantID, ids).Order("met_at, goal_id").Find(&met).Error; err != nil {
		return nil, err
	}
	for _, g := range met {
		if s := byID[g.SessionID]; s != nil {
			s.Met = append(s.Met, g.goal())
		}
	}
	return byID, nil
}

func (v sceneView) scene() (*learn.Scene, error) {
	r := v.Row
	en := func(text string) learn.Texts { return learn.Texts{"en": text} }
	s := learn.Scenario{
		ID: r.Slug, Version: r.Version, Topic: learn.ScenarioTopic(r.Topic), LevelMin: learn.Level(r.CEFRMin), LevelMax: learn.Level(r.CEFRMax),
		Audience: learn.Audience(r.SafetyBand), Situation: en(r.Setting), TutorRole: en(r.TutorRole), LearnerRole: en(r.LearnerRole), Twist: r.Twist,
	}
	var openers []string
	for _, column := range []struct {
		text string
		to   any
	}{{r.Title, &s.Title}, {r.Goals, &s.Goals}, {r.TargetWords, &s.Words}, {r.Openers, &openers}, {r.StopConditions, &s.Stop}} {
		if err := json.Unmarshal([]byte(column.text), column.to); err != nil {
			return nil, fmt.Errorf("scenario %s: %w", r.ID, err)
		}
	}
	if len(openers) > 0 {
		s.Opener = openers[0]
	}
	return &learn.Scene{Scenario: s, Again: v.Again}, nil
}

// goalRow is the table conversation_goals.
type goalRow struct {
	TenantID  string
	SessionID string
	GoalID    string
	MessageID string
	Quote     string
	MetAt     time.Time
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}

// TableName implements gorm's Tabler.
func (goalRow) TableName() string { return "conversation_goals" }

func (r goalRow) goal() learn.GoalMet {
	return learn.GoalMet{ID: r.GoalID, MessageID: r.MessageID, Quote: r.Quote, At: r.MetAt.UTC()}
}

// keepGoals notes the goals of a conversation's scenario that a message was found to have
// reached, each once: the first message that reaches one keeps it. The conversation's row is
// locked.
func keepGoals(tx *gorm.DB, c conversationRow, messageID string, found []learn.GoalProgress, now time.Time) error {
	if c.ScenarioID == nil || len(found) == 0 {
		return nil
	}
	playing, err := scenes(tx, c.TenantID, []string{c.ID})
	if err != nil {
		return err
	}
	var rows []goalRow
	for _, g := range playing[c.ID].Open() {
		for _, f := range found {
			if f.Met && f.ID == g.ID {
				rows = append(rows, goalRow{TenantID: c.TenantID, SessionID: c.ID, GoalID: g.ID, MessageID: messageID,
					Quote: clean(f.Quote), MetAt: now, CreatedAt: now})
				break
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

// forgetGoals takes back what a message had proven, because it reads otherwise now.
func forgetGoals(tx *gorm.DB, tenantID, messageID string) error {
	return tx.Where("tenant_id = ? AND message_id = ?", tenantID, messageID).Delete(&goalRow{}).Error
}

// GoalsMet returns the goals that were reached in a conversation of the user's, the first
// first; none for free talk. NotFound when it is not theirs.
func (db *DB) GoalsMet(ctx context.Context, tenantID, userID, conversationID string) ([]learn.GoalMet, error) {
	const op = "store.GoalsMet"
	tenantID, userID, conversationID = clean(tenantID), clean(userID), clean(conversationID)
	var rows []goalRow
	err := db.reading(ctx, func(tx *gorm.DB) error {
		var c conversationRow
		if err := tx.Select("id").Where("tenant_id = ? AND user_id = ? AND id = ?", tenantID, userID, conversationID).Take(&c).Error; err != nil {
			return isMissing(err, "Session not found")
		}
		return tx.Where("tenant_id = ? AND session_id = ?", tenantID, conversationID).Order("met_at, goal_id").Find(&rows).Error
	})
	if err != nil {
		return nil, fail(op, err)
	}
	met := make([]learn.GoalMet, len(rows))
	for i, r := range rows {
		met[i] = r.goal()
	}
	return met, nil
}
