package session

import (
	"cmp"
	"context"
	"slices"
	"time"

	"kalami/providers"
	"kalami/session/learn"
)

// wordPause is the longest pause between two words that still counts as speaking.
const wordPause = 300 * time.Millisecond

// voicedTime is how long the learner spoke in a recording. With the times of words it
// is their time, and that of the pauses between them that are shorter than wordPause;
// without, it is the length of the recording, which is known to us (known), else to the
// vendor. It is never more than that length.
func voicedTime(tr providers.Transcript, known time.Duration) time.Duration {
	length := cmp.Or(known, tr.Duration)
	words := slices.SortedStableFunc(slices.Values(tr.Words), func(a, b providers.Word) int { return cmp.Compare(a.StartMS, b.StartMS) })
	var voiced, end time.Duration
	for i, w := range words {
		from, to := time.Duration(max(w.StartMS, 0))*time.Millisecond, time.Duration(w.EndMS)*time.Millisecond
		if pause := from - end; i > 0 && pause < wordPause {
			from = end // nothing twice, where words overlap
		}
		voiced += max(to-from, 0)
		end = max(end, to)
	}
	switch {
	case voiced == 0:
		return length
	case length == 0:
		return voiced
	}
	return min(voiced, length)
}

// unheardOf is the error of a recording that was not transcribed.
func unheardOf(ctx context.Context, err error) error {
	const op = "session.hear"
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if providers.KindOf(err) == providers.Invalid {
		return &learn.Error{Kind: learn.Invalid, Msg: "the recording cannot be read", Op: op, Err: err,
			Fields: []learn.FieldError{{Field: "audio", Message: "cannot be read"}}}
	}
	return &learn.Error{Kind: learn.Unavailable, Msg: "nobody can listen just now, try again shortly", Op: op, Err: err}
}

// unanswered is the error of a turn that the tutor did not answer.
func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &learn.Error{Kind: learn.Unavailable, Msg: "the tutor cannot answer just now, try again shortly", Op: "session.reply", Err: err}
}
