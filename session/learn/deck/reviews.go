package deck

import (
	"encoding/csv"
	"io"
	"strconv"

	"kalami/session/learn"
)

// EncodeReviews writes reviews as the optimisers of FSRS take them, comma-separated: which
// card, when (in milliseconds since 1970), the rating from 1 to 4, the state before (0 new,
// 1 learning, 2 review, 3 relearning) and how long it took, in milliseconds. Those that were
// undone are left out.
func EncodeReviews(w io.Writer, reviews Reviews) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"card_id", "review_time", "review_rating", "review_state", "review_duration"}); err != nil {
		return err
	}
	for r, err := range reviews {
		if err != nil {
			return err
		}
		if !r.UndoneAt.IsZero() {
			continue
		}
		err := out.Write([]string{guarded(r.CardID), strconv.FormatInt(r.At.UnixMilli(), 10), strconv.Itoa(int(r.Rating)),
			strconv.Itoa(StateNumber(r.Before)), strconv.FormatInt(r.Duration.Milliseconds(), 10)})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// StateNumber is the number that FSRS and Anki have for a state: 0 new, 1 learning, 2 review,
// 3 relearning.
func StateNumber(s learn.CardState) int {
	switch s {
	case learn.CardLearning:
		return 1
	case learn.CardReview:
		return 2
	case learn.CardRelearning:
		return 3
	}
	return 0
}
