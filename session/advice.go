package session

import (
	"context"
	"slices"
	"strings"
	"time"

	"kalami/session/learn"
)

const (
	// adviceTurns is within how many turns the same advice is not given again.
	adviceTurns = 5
	// adviceMost is how many corrections of one message are shown, and adviceKept how many
	// messages' corrections are kept for later, the latest.
	adviceMost = 3
	adviceKept = 12
)

// advising is what CONDUCTOR knows of the turns that are analysed, and of what the learner is
// still to be shown; owned by its run. Another node that goes on with the session begins it
// anew: what was not shown is in the store, and in the report on the conversation.
type advising struct {
	open  int // turns that were offered and not told of
	plan  learn.Plan
	told  map[string]bool // goals that the client knows to be reached
	used  map[string]bool // due words
	given []advice        // of the last turns
	// helped is what the learner was shown since their last message: a word from there was not found
	// without help
	helped string
	// shown and words are for the report at the end
	shown int
	words []string
	held  []heldAdvice // oldest first
}

// advice is what a correction tells, and when it was shown last.
type advice struct {
	says string
	turn int
}

// heldAdvice are corrections of a message that are to be shown later.
type heldAdvice struct {
	itemID string
	turn   int
	found  []learn.Correction
}

// offerAnalysis has a message analysed that was just stored, if it is the learner's. Nobody
// waits for that: when too much is under way it is done later, by whoever has time.
func (c *conductor) offerAnalysis(itemID string) {
	i := slices.IndexFunc(c.history, func(m learn.Message) bool { return m.UtteranceID == itemID })
	if c.analyses == nil || i < 0 || c.history[i].Speaker != learn.SpeakerLearner || c.recall.on {
		return
	}
	if c.advice.open == analysisPerSession {
		c.count(AnalysesDropped, 1)
		return
	}
	m := c.history[i]
	r := learn.Reviewed{Language: c.config.Language, NativeLanguage: c.config.NativeLanguage, Level: learn.Level(c.config.Level),
		Learner: m, Plan: c.advice.plan, Help: c.advice.helped}
	c.advice.helped = ""
	r.Plan.Goals = c.openGoals(r.Plan.Goals)
	for _, before := range c.history[:i] {
		if before.Speaker == learn.SpeakerTutor {
			r.Question = before.Heard
		}
	}
	p := c.params.Conversation
	taken := c.analyses.offer(analysisJob{reviewed: r, school: c.params.school(), offered: time.Now(), tell: c.lanes.analysed,
		of: learn.TurnAnalysis{TenantID: p.TenantID, UserID: p.UserID, ProfileID: p.ProfileID, ConversationID: p.ID, MessageID: m.ID}})
	if taken {
		c.advice.open++
	}
}

// onAnalysed takes what was found out about a turn.
func (c *conductor) onAnalysed(d analysisDone) {
	c.advice.open--
	if !d.ok {
		return
	}
	for _, g := range d.goals {
		c.goalMet(g)
	}
	i := slices.IndexFunc(c.history, func(m learn.Message) bool { return m.ID == d.analysis.MessageID })
	if i < 0 || c.history[i].Content != d.analysis.Message {
		return // it is long ago, or reads otherwise by now
	}
	item, turn := c.history[i].UtteranceID, c.history[i].Turn
	c.noteWords(d.analysis)
	for _, w := range d.analysis.UsedDueWords {
		if c.advice.used == nil {
			c.advice.used = map[string]bool{}
		}
		c.advice.used[w.ID] = true
	}
	var found []learn.Correction
	for _, k := range d.analysis.Corrections {
		if !k.Withheld && len(found) < adviceMost {
			found = append(found, k)
		}
	}
	if len(found) == 0 || c.mode() == learn.CorrectSilent {
		return
	}
	c.advice.held = append(c.advice.held, heldAdvice{itemID: item, turn: turn, found: found})
	if n := len(c.advice.held) - adviceKept; n > 0 {
		c.advice.held = slices.Delete(c.advice.held, 0, n)
	}
	c.advise()
}

// newAdvising begins with what a scene says by itself, which is nil for free talk: its goals are
// looked for from the first word on, whenever the rest of the plan is known.
func newAdvising(scene *learn.Scene) advising {
	return advising{plan: learn.Plan{Goals: scene.Open()}, told: goalsTold(scene)}
}

// onPlan takes what the conversation is to practise, now that it is read. Where that has failed
// the goals of the scene are known all the same.
func (c *conductor) onPlan(p learn.Plan) {
	if len(p.Goals) == 0 {
		p.Goals = c.advice.plan.Goals
	}
	c.advice.plan = p
}

// goalsTold are the goals of which the client needs not be told, when a session begins or is
// taken up: those that were reached before, of which the conversation itself tells.
func goalsTold(scene *learn.Scene) map[string]bool {
	told := map[string]bool{}
	for _, g := range scene.Progress() {
		if g.Met != nil {
			told[g.ID] = true
		}
	}
	return told
}

// openGoals are those goals of which the client was not told that they are reached.
func (c *conductor) openGoals(goals []learn.Goal) []learn.Goal {
	return slices.DeleteFunc(slices.Clone(goals), func(g learn.Goal) bool { return c.advice.told[g.ID] })
}

// goalMet tells of a goal that was reached, once.
func (c *conductor) goalMet(g learn.GoalMet) {
	if c.advice.told[g.ID] {
		return
	}
	c.advice.told[g.ID] = true
	c.emit(GoalMet{GoalID: g.ID, Quote: g.Quote})
}

// mode is how the learner wants to be corrected.
func (c *conductor) mode() learn.CorrectionMode {
	mode := learn.CorrectionMode(c.config.CorrectionMode)
	if !mode.Valid() {
		mode = learn.DefaultCorrection(learn.Level(c.config.Level))
	}
	return mode
}

// advise shows what is held for as long as the learner's mode says: with strict nothing,
// with balanced until the tutor has spoken, with elicit until the learner has found the
// right form or has had three turns to, with flow until the end.
func (c *conductor) advise() {
	mode := c.mode()
	if mode == learn.CorrectFlow || mode == learn.CorrectBalanced && c.reply != nil {
		return
	}
	held := c.advice.held
	c.advice.held = nil
	for _, h := range held {
		if mode == learn.CorrectElicit && !c.elicited(h) {
			c.advice.held = append(c.advice.held, h)
			continue
		}
		c.show(h)
	}
}

// adviseLast shows what is left when the conversation is over.
func (c *conductor) adviseLast() {
	for _, h := range c.advice.held {
		c.show(h)
	}
	c.advice.held = nil
}

// elicited says whether the learner has said all that was wrong in the right form by now, or
// has had enough turns to.
func (c *conductor) elicited(h heldAdvice) bool {
	i := slices.IndexFunc(c.history, func(m learn.Message) bool { return m.UtteranceID == h.itemID })
	if i < 0 || c.totals.Turns >= h.turn+learn.RepairTurns {
		return true
	}
	return !slices.ContainsFunc(h.found, func(k learn.Correction) bool { return learn.RepairOf(k, c.history[i+1:]) == learn.RepairNone })
}

// show tells the client of corrections, but for advice that was given within the last turns.
func (c *conductor) show(h heldAdvice) {
	now := c.totals.Turns
	c.advice.given = slices.DeleteFunc(c.advice.given, func(a advice) bool { return now-a.turn >= adviceTurns })
	var fresh []learn.Correction
	for _, k := range h.found {
		says := strings.ToLower(string(k.Category) + "|" + k.Original + "|" + k.Corrected)
		if slices.ContainsFunc(c.advice.given, func(a advice) bool { return a.says == says }) {
			continue
		}
		c.advice.given = append(c.advice.given, advice{says: says, turn: now})
		fresh = append(fresh, k)
	}
	if len(fresh) == 0 {
		return
	}
	c.count(FeedbackShown, len(fresh))
	c.advice.shown += len(fresh)
	c.emit(FeedbackOn(h.itemID, fresh))
}

// planning is the stage that reads what the conversation is to practise, once.
func (h *Host) planning(p Params, l *lanes) func(context.Context) error {
	return func(ctx context.Context) error {
		if h.Analyses == nil || h.Analyses.Plans == nil {
			return nil
		}
		c := p.Conversation
		plan := h.Analyses.plan(ctx, learn.AnalysisClaim{TenantID: c.TenantID, UserID: c.UserID, ConversationID: c.ID})
		select {
		case l.plan <- plan:
		default:
		}
		return nil
	}
}
