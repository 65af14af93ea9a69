package worderror

import (
	"slices"
	"testing"
)

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		spoken, heard string
		want          Count
	}{
		{"a table for two", "a table for two", Count{0, 4}},
		{"a table for two", "A table, for two!", Count{0, 4}},
		{"eight o'clock", "Eight o’clock.", Count{0, 2}},
		{"il est allé à la plage", "Il est allé à la plage.", Count{0, 6}},
		{"il est allé", "il est alle", Count{1, 3}},
		{"a table for two", "the table for two people", Count{2, 4}},
		{"yesterday i went um to the market", "yesterday i went to the market", Count{1, 7}},
		{"one two three", "two three", Count{1, 3}},
		{"one two three", "one two two three", Count{1, 3}},
		{"one two three", "three two one", Count{2, 3}},
		{"one two three", "", Count{3, 3}},
		{"", "somebody spoke", Count{2, 0}},
		{"", " – ", Count{0, 0}},
	} {
		if got := Compare(tt.spoken, tt.heard); got != tt.want {
			t.Errorf("Compare(%q, %q) = %+v, want %+v", tt.spoken, tt.heard, got, tt.want)
		}
	}
}

func TestRate(t *testing.T) {
	for _, tt := range []struct {
		count Count
		want  float64
	}{
		{Count{0, 4}, 0},
		{Count{1, 4}, 0.25},
		{Count{6, 4}, 1.5},
		{Count{0, 0}, 0},
		{Count{2, 0}, 2},
		{Count{1, 10}.Add(Count{1, 2}), 2.0 / 12},
	} {
		if got := tt.count.Rate(); got != tt.want {
			t.Errorf("%+v has the rate %v, want %v", tt.count, got, tt.want)
		}
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string][]string{
		"Good evening, and welcome! ": {"good", "evening", "and", "welcome"},
		"Qu'est-ce que c'est ?":       {"qu'est", "ce", "que", "c'est"},
		"'quoted' and the boys'":      {"quoted", "and", "the", "boys"},
		"¿Qué? 20,5 %":                {"qué", "20", "5"},
		"…'’":                         {},
	} {
		if got := Words(text); !slices.Equal(got, want) {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
	}
}

// The distance is a metric: nothing between equals, the same both ways, at least
// the difference in length and at most the longer one.
func FuzzCompare(f *testing.F) {
	f.Add("a table for two", "the table for two people")
	f.Add("", "x")
	f.Add("été", "e\u0301te\u0301 \xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		there, back := Compare(a, b), Compare(b, a)
		if there.Errors != back.Errors {
			t.Errorf("%d errors there, %d back", there.Errors, back.Errors)
		}
		longer, shorter := max(there.Words, back.Words), min(there.Words, back.Words)
		if there.Errors < longer-shorter || there.Errors > longer {
			t.Errorf("%d errors between %d and %d words", there.Errors, there.Words, back.Words)
		}
		if c := Compare(a, a); c.Errors != 0 {
			t.Errorf("%d errors between equals", c.Errors)
		}
	})
}
