package session

import "log/slog"

// Summary closes a session.
type Summary struct {
	DurationMS int64 `json:"duration_ms"`
	Turns      int   `json:"turns"`
	Usage      Usage `json:"usage"`
	// Drafts says what became of answers that were begun before a turn had ended.
	Drafts DraftSummary `json:"drafts" doc:"Answers that were begun before the turn had ended"`
}

// DraftSummary counts a session's drafts. Each that was started was released or dropped.
type DraftSummary struct {
	Started    int   `json:"started"`
	Released   int   `json:"released" doc:"Became the answer"`
	Dropped    int   `json:"dropped" doc:"The learner went on, or was understood otherwise in the end"`
	Withheld   int   `json:"withheld" doc:"Would have been started, but for what drafts may cost"`
	Tokens     int   `json:"tokens_wasted" doc:"Of the dropped ones, as the vendor counts; four characters a token where it did not come to that"`
	Characters int   `json:"characters_wasted" doc:"Of the dropped ones, given to the voice"`
	WonMS      int64 `json:"ms_won" doc:"How much earlier the released ones were heard, all together"`
}

// LogValue logs what became of the drafts.
func (s DraftSummary) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("started", s.Started), slog.Int("released", s.Released), slog.Int("dropped", s.Dropped),
		slog.Int("withheld", s.Withheld), slog.Int("tokens_wasted", s.Tokens), slog.Int("characters_wasted", s.Characters),
		slog.Int64("ms_won", s.WonMS))
}
