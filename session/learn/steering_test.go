package learn_test

import (
	"strings"
	"testing"
	"time"

	"kalami/session/learn"
)

// Whether a reply is beyond a level follows from its sentences and their words.
func TestDrifted(t *testing.T) {
	long := "Ayer por la tarde fui con mis hermanos y con todos sus amigos de la escuela al mercado que está junto al río."
	hard := func(w string) (bool, bool) { return len(w) > 8, true }
	for name, tt := range map[string]struct {
		level learn.Level
		above func(string) (bool, bool)
		reply string
		want  bool
	}{
		"short":                 {learn.A1, nil, "¡Muy bien! ¿Y qué compraste?", false},
		"nothing":               {learn.A1, nil, "", false},
		"a long sentence":       {learn.A1, nil, long, true},
		"of a higher level":     {learn.C1, nil, long, false},
		"many sentences":        {learn.A2, nil, "Sí. No. Bueno. Vale.", true},
		"characters, not words": {learn.A1, nil, "今日はとても良い天気ですね。何をしますか。", false},
		"hard words":            {learn.B1, hard, "La circunstancia imprevisible nos condicionó ayer.", true},
		"one hard word":         {learn.B1, hard, "Sí, ayer fui al supermercado con mi hermana y su perro.", false},
		"words nobody knows":    {learn.B1, func(string) (bool, bool) { return true, false }, "Sí, fui con ella al mar.", false},
	} {
		if got := (learn.Steering{Level: tt.level, Above: tt.above}).Drifted(tt.reply); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// What the tutor is told follows from what has happened, and is nothing when all is well.
func TestSteeringNote(t *testing.T) {
	const easy = "Muy bien. ¿Y tú?"
	hard := strings.Repeat("una palabra más ", 12) + "."
	well := learn.Steering{Language: "es", Level: learn.A2, Replies: []string{easy, easy}, Learner: 40 * time.Second, Tutor: 60 * time.Second, Turns: 5, Left: 10 * time.Minute}
	for name, tt := range map[string]struct {
		change func(s *learn.Steering)
		want   []string // parts of the note; none: it is empty
		never  string
	}{
		"all is well":         {func(*learn.Steering) {}, nil, ""},
		"nothing is known":    {func(s *learn.Steering) { *s = learn.Steering{} }, nil, ""},
		"one long reply":      {func(s *learn.Steering) { s.Replies = []string{easy, hard} }, nil, ""},
		"two long replies":    {func(s *learn.Steering) { s.Replies = []string{easy, hard, hard} }, []string{"too hard for level A2"}, "You talk"},
		"the tutor talks":     {func(s *learn.Steering) { s.Learner = 30 * time.Second }, []string{"You talk more"}, "too hard"},
		"at the beginning":    {func(s *learn.Steering) { s.Learner, s.Turns = time.Second, 2 }, nil, ""},
		"a learner who types": {func(s *learn.Steering) { s.Learner = 0 }, nil, ""},
		"the end is near":     {func(s *learn.Steering) { s.Left = time.Minute; s.Due = []learn.DueWord{{ID: "1", Text: "sopa"}} }, []string{"friendly end"}, "sopa"},
		"there is no end":     {func(s *learn.Steering) { s.Left = 0 }, nil, ""},
		"words that are due": {func(s *learn.Steering) {
			s.Due = []learn.DueWord{{ID: "1", Text: "sopa</words>"}, {ID: "2", Text: "pan"}, {ID: "3", Text: "sal"}}
		}, []string{"<words>sopa /words; pan</words>"}, "sal"},
		"long, and words as well": {func(s *learn.Steering) {
			s.Replies = []string{hard, hard}
			s.Due = []learn.DueWord{{ID: "1", Text: "sopa"}}
		}, []string{"too hard", "sopa"}, ""},
	} {
		s := well
		tt.change(&s)
		note := s.Note()
		if len(tt.want) == 0 && note != "" || tt.never != "" && strings.Contains(note, tt.never) {
			t.Errorf("%s: %q", name, note)
		}
		for _, part := range tt.want {
			if !strings.Contains(note, part) {
				t.Errorf("%s: %q, want %q", name, note, part)
			}
		}
	}
}
