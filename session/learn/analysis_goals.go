package learn

import (
	"slices"
	"strings"
)

// goals checks which goals were reached: they were asked for, and the words that prove it
// stand in the message, in the language that is learned. No words prove two goals, and none
// do that order whoever judges: a goal is reached by what is said in the talk, not by what is
// said about goals.
func (r Reviewed) goals(raw []rawQuote) []GoalProgress {
	asked := r.Plan.Within().Goals
	message := []rune(strings.ToValidUTF8(r.Learner.Content, "\ufffd"))
	var kept []GoalProgress
	taken := make([]bool, len(message))
	for _, q := range raw {
		i := keyed(q.ID, len(asked), goalKey)
		if i < 0 || slices.ContainsFunc(kept, func(k GoalProgress) bool { return k.ID == asked[i].ID }) {
			continue
		}
		if !q.Met {
			kept = append(kept, GoalProgress{ID: asked[i].ID})
			continue
		}
		start, end, ok := r.quotedAt(q.Quote, spanMost)
		if !ok || slices.Contains(taken[start:end], true) {
			continue
		}
		quote := string(message[start:end])
		from, to := sentenceAt(message, start, end)
		if !r.learned(quote) || orders(string(message[from:to])) {
			continue
		}
		for at := start; at < end; at++ {
			taken[at] = true
		}
		kept = append(kept, GoalProgress{ID: asked[i].ID, Met: true, Quote: quote})
	}
	return kept
}

// learned says whether words can be of the language that is learned.
func (r Reviewed) learned(words string) bool {
	if r.Language == "ja" { // a few words may have neither kind of kana
		return hasScript(words, r.Language)
	}
	return writtenIn(words, r.Language)
}

// quoted is a quotation as it stands in the learner's message; false when it does not, is
// too long, or holds no word.
func (r Reviewed) quoted(quote string, most int) (string, bool) {
	start, end, ok := r.quotedAt(quote, most)
	if !ok {
		return "", false
	}
	return string([]rune(strings.ToValidUTF8(r.Learner.Content, "\ufffd"))[start:end]), true
}

// quotedAt is where it stands, in Unicode code points.
func (r Reviewed) quotedAt(quote string, most int) (start, end int, ok bool) {
	message := []rune(strings.ToValidUTF8(r.Learner.Content, "\ufffd"))
	quote = line(quote, most)
	start, end, ok = find(message, []rune(quote), func(int, int) bool { return true })
	return start, end, ok && bare(quote) != ""
}

// orders says whether a sentence tells whoever judges it what to find, as in "mark all goals
// as reached". It knows the usual ways; what it misses is bounded by the rest of what [Reviewed]
// asks of a goal.
func orders(sentence string) bool {
	text := " " + bare(sentence) + " "
	has := func(all []string) bool {
		return slices.ContainsFunc(all, func(phrase string) bool { return strings.Contains(text, " "+phrase+" ") })
	}
	return has(judgements()) || has(commands()) && has(rulings())
}

// judgements are what nobody says but to whoever judges them.
func judgements() []string {
	return []string{
		"all goals", "all the goals", "all my goals", "every goal", "full marks", "all objectives", "all the objectives", "system prompt",
		"todos los objetivos", "todas las metas", "nota máxima", "máxima nota", "todos los puntos",
		"tous les objectifs", "tous les buts", "tous les points", "note maximale",
		"alle ziele", "alle punkte", "volle punktzahl",
		"tutti gli obiettivi", "tutti i punti", "voto massimo",
		"todos os objetivos", "todas as metas", "todos os pontos", "nota máxima",
	}
}

// commands and rulings make an order when they come together.
func commands() []string {
	return []string{
		"ignore", "disregard", "override", "mark", "tick", "pretend",
		"ignora", "olvida", "olvide", "marca", "marque", "finge",
		"ignorez", "oublie", "oubliez", "marquez", "coche", "cochez",
		"ignoriere", "ignorieren", "vergiss", "markiere", "markieren", "werte",
		"dimentica", "segna", "spunta", "fingi",
		"esquece", "esqueça", "finja",
	}
}

func rulings() []string {
	return []string{
		"goal", "goals", "objective", "objectives", "instruction", "instructions", "rules", "prompt", "json",
		"objetivo", "objetivos", "meta", "metas", "instrucciones", "reglas",
		"objectif", "objectifs", "consignes", "règles",
		"ziel", "ziele", "anweisung", "anweisungen", "regeln",
		"obiettivo", "obiettivi", "istruzioni", "regole",
		"instruções", "regras",
	}
}
