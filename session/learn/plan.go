package learn

// The most that one conversation practises on purpose: words that are woven in, and goals.
const (
	PlanWords = 6
	PlanGoals = 6
)

// Plan is what a conversation is to practise: the tutor is steered to it, and it is looked
// for in what the learner says. What is beyond [PlanWords] and [PlanGoals] is left out.
type Plan struct {
	Due   []DueWord
	Goals []Goal
	// Remembered are facts about the learner that the tutor may come back to, the latest
	// first, at most [RememberedTold].
	Remembered []string
}

// DueWord is a word whose card is due.
type DueWord struct {
	ID   string // of the card
	Text string // in what is learned
}

// Goal is something that the learner is to manage in a conversation, such as "ask the
// price".
type Goal struct {
	ID   string // unique in its scenario
	Text string
}

// Within is p without what is beyond its bounds, and without what has no text.
func (p Plan) Within() Plan {
	var in Plan
	for _, w := range p.Due {
		if w.Text = line(data(w.Text), wordMost); w.Text != "" && w.ID != "" && len(in.Due) < PlanWords {
			in.Due = append(in.Due, w)
		}
	}
	for _, g := range p.Goals {
		if g.Text = line(data(g.Text), goalMost); g.Text != "" && g.ID != "" && len(in.Goals) < PlanGoals {
			in.Goals = append(in.Goals, g)
		}
	}
	in.Remembered = remembered(p.Remembered)
	return in
}

// goalMost bounds, in characters, the text of a goal.
const goalMost = 120
