package turntaking

import (
	"slices"
	"unicode/utf8"

	"kalami/session/learn"
)

// Kind is what words are taken for that are heard while the tutor speaks.
type Kind uint8

// The kinds, by what they do: only the last two stop the tutor.
const (
	NoWords     Kind = iota // nothing
	BackChannel             // "mhm": go on
	Echo                    // the tutor's own words, from its loudspeaker
	Speech                  // somebody says something
	Stop                    // somebody asks the tutor to stop
)

// Overheard is what was heard beside the tutor's own words.
type Overheard struct {
	Kind Kind
	// Words is how many words were heard that are no back-channels; in scripts without
	// spaces three characters are taken for one.
	Words int
	// Foreign counts those of them that are not in what the tutor was saying. It may
	// be 0 for Speech: words that were all spoken, but not together.
	Foreign int
}

const (
	// heardMost and spokenMost bound what is compared, in units: the last ones count.
	heardMost, spokenMost = 64, 256
	// missedFree is how many words of the tutor's the recogniser may miss in an echo,
	// and missedEach after how many words that it caught it may miss another one.
	missedFree, missedEach = 1, 3
	// garbledEach is of how many words of an echo one may be misheard entirely, if the
	// words around it are the tutor's.
	garbledEach = 4
	// inflectedEach is of how many words of an echo one may have another ending: a
	// learner who answers in the tutor's words bends them ("quiere": "quiero").
	inflectedEach = 3
	// wideWord is how many characters make a word in scripts without spaces.
	wideWord = 3
)

// Overhear judges words that were heard while the tutor was saying spoken, which is
// best the part of its answer that sounded within some seconds around them. final
// says that the last word is whole; the last word of a partial may be the beginning of one.
//
// An echo is the tutor's words in their order, of which a recogniser may have missed,
// misspelled or cut some. Words of the learner's own among them make it speech.
func Overhear(heard, spoken string, final bool) Overheard {
	units := fold(heard)
	if len(units) == 0 {
		return Overheard{}
	}
	units = units[max(0, len(units)-heardMost):]
	said := fold(spoken)
	a := align(units, said[max(0, len(said)-spokenMost):], final)
	meant := a.meant()
	foreign := slices.DeleteFunc(slices.Clone(meant), func(i int) bool { return a.at[i] >= 0 })
	o := Overheard{Words: a.words(meant), Foreign: a.words(foreign)}
	switch {
	case a.stops(meant):
		o.Kind = Stop
	case len(meant) == 0:
		o.Kind = BackChannel
	case a.isEcho(meant, len(foreign)):
		o.Kind = Echo
	default:
		o.Kind = Speech
	}
	return o
}

// Interrupts says whether words heard while the tutor is saying spoken are meant to stop
// it: they are neither back-channels nor the tutor's own speech from the loudspeaker.
func Interrupts(heard, spoken string) bool { return Overhear(heard, spoken, true).Kind >= Speech }

// alignment says of each unit that was heard which unit of what was said it is.
type alignment struct {
	heard, said []string
	final       bool  // the last heard unit is whole
	at          []int // place in said, rising; -1 for none
}

// meant returns the places of the heard units that are no back-channels. What the
// tutor says itself is none, so that its echo is seen whole.
func (a *alignment) meant() []int {
	var out []int
	for i := 0; i < len(a.heard); {
		if n := longestAt(backUnits, a.heard, i); n > 0 {
			i += n
			continue
		}
		out = append(out, i)
		i++
	}
	return out
}

// words counts the heard units at the places as words.
func (a *alignment) words(places []int) int {
	wide := 0
	for _, i := range places {
		if r, _ := utf8.DecodeRuneInString(a.heard[i]); learn.Wide(r) {
			wide++
		}
	}
	return len(places) - wide + (wide+wideWord-1)/wideWord
}

// stops says whether the tutor is asked to stop, in words that it is not just saying itself.
func (a *alignment) stops(meant []int) bool {
	for i := range a.heard {
		if n := longestAt(stops, a.heard, i); n > 0 && !a.verbatim(i, n) {
			return true
		}
	}
	return len(meant) > 0 && longestAt(stopsAlone, a.heard, meant[0]) == len(meant) && !a.verbatim(meant[0], len(meant))
}

// verbatim says whether n units from i on are the tutor's to the letter.
func (a *alignment) verbatim(i, n int) bool {
	for k := i; k < i+n; k++ {
		if a.at[k] < 0 || a.said[a.at[k]] != a.heard[k] {
			return false
		}
	}
	return true
}

// isEcho says whether what was meant is the tutor's own: all of it, but for what a
// recogniser misses and garbles.
func (a *alignment) isEcho(meant []int, foreign int) bool {
	first, last := meant[0], meant[len(meant)-1]
	if a.at[first] < 0 || a.at[last] < 0 || foreign > len(meant)/garbledEach {
		return false
	}
	inflected := 0
	for _, i := range meant {
		if a.at[i] >= 0 && !a.cut(i) && compare(a.heard[i], a.said[a.at[i]]) == inflection {
			inflected++
		}
	}
	if inflected > len(meant)/inflectedEach {
		return false
	}
	span := a.at[last] - a.at[first] + 1
	return span-len(meant) <= missedFree+(len(meant)-1)/missedEach
}

// cut says whether the heard unit at i may be the beginning of a word.
func (a *alignment) cut(i int) bool { return !a.final && i == len(a.heard)-1 }

// Costs of an alignment: a word that was not said is worse than two that were missed.
const (
	costInflected = 1
	costMissed    = 2
	costGarbled   = 5
)

// align finds the place in said where heard fits best, in order: the cheapest path
// through the table of their prefixes, which may begin and end anywhere in said.
func align(heard, said []string, final bool) *alignment {
	a := &alignment{heard: heard, said: said, final: final, at: make([]int, len(heard))}
	width := len(said) + 1
	cost := make([]int, (len(heard)+1)*width)
	from := make([]step, len(cost))
	for i := 1; i <= len(heard); i++ {
		for j := range width {
			best, how := cost[(i-1)*width+j]+costGarbled, stepMore
			if j > 0 {
				if d := cost[(i-1)*width+j-1] + a.price(i-1, j-1); d <= best {
					best, how = d, stepBoth
				}
				if d := cost[i*width+j-1] + costMissed; d < best {
					best, how = d, stepMissed
				}
			}
			cost[i*width+j], from[i*width+j] = best, how
		}
	}
	a.trace(cost, from, width)
	return a
}

// step is how a path through the table goes on.
type step byte

const (
	stepBoth   step = iota // a heard unit stands for a said one
	stepMore               // a heard unit was not said
	stepMissed             // a said unit was not heard
)

// price is what it costs to take the heard unit at i for the said one at j.
func (a *alignment) price(i, j int) int {
	if a.cut(i) && begins(a.heard[i], a.said[j]) {
		return 0
	}
	switch compare(a.heard[i], a.said[j]) {
	case sameWord:
		return 0
	case inflection:
		return costInflected
	default:
		return costGarbled
	}
}

// trace walks the cheapest path back; of equal ones the latest, since an echo is of what was said last.
func (a *alignment) trace(cost []int, from []step, width int) {
	i, j := len(a.heard), 0
	for k := range width {
		if cost[i*width+k] <= cost[i*width+j] {
			j = k
		}
	}
	for i > 0 {
		switch from[i*width+j] {
		case stepBoth:
			i, j = i-1, j-1
			if a.at[i] = j; a.price(i, j) == costGarbled {
				a.at[i] = -1
			}
		case stepMissed:
			j--
		case stepMore:
			i--
			a.at[i] = -1
		}
	}
}

// likeness is how alike two words are.
type likeness uint8

const (
	otherWord  likeness = iota
	inflection          // another ending
	sameWord            // perhaps misspelled
)

// compare says how alike words are: the longer they are, the more letters may differ.
func compare(heard, said string) likeness {
	if heard == said {
		return sameWord
	}
	n, most := utf8.RuneCountInString(heard), 1
	if n < 4 {
		return otherWord
	}
	if n >= 8 {
		most = 2
	}
	if !within(heard, said, most) {
		return otherWord
	}
	if ending(heard) != ending(said) {
		return inflection
	}
	return sameWord
}

// ending is a word's last two letters.
func ending(word string) string {
	r := []rune(word)
	return string(r[max(0, len(r)-2):])
}

// begins says whether heard is how said begins, but for one letter of several.
func begins(heard, said string) bool {
	h, s := []rune(heard), []rune(said)
	if len(h) >= len(s) {
		return false
	}
	begin := string(s[:len(h)])
	return heard == begin || len(h) >= 4 && within(heard, begin, 1)
}

// within says whether at most most letters must be changed, put in or left out to make b of a.
func within(a, b string, most int) bool {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > most || -d > most {
		return false
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		left := row[0]
		row[0] = i + 1
		for j := range y {
			d := min(row[j]+1, row[j+1]+1)
			if x[i] == y[j] {
				d = left
			} else {
				d = min(d, left+1)
			}
			left, row[j+1] = row[j+1], d
		}
		if slices.Min(row) > most {
			return false
		}
	}
	return row[len(y)] <= most
}
