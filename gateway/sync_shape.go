package gateway

import (
	"time"

	"kalami/session/learn"
)

// syncJSON is the answer of POST /sync.
type syncJSON struct {
	Results []mutationJSON `json:"results" doc:"One for each mutation, in their order"`
	Reset   bool           `json:"reset" doc:"The server cannot go on from the cursor: load everything anew"`
	Changes changesJSON    `json:"changes" doc:"What is different now"`
	Cursor  int64          `json:"cursor" doc:"For the next call; 0 with reset" example:"17"`
	HasMore bool           `json:"has_more" doc:"There are more changes: ask again at once"`
}

// mutationJSON says what became of a mutation.
type mutationJSON struct {
	ID       string             `json:"id" doc:"As it was sent; empty when it was no UUID" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d10"`
	Status   string             `json:"status" enum:"applied,merged,rejected" example:"applied"`
	EntityID string             `json:"entity_id" doc:"By which the entity is known from now on" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d11"`
	Code     *string            `json:"code" doc:"Why it was rejected" enum:"invalid,not_found,conflict"`
	Errors   []learn.FieldError `json:"errors" doc:"The fields to correct"`
}

// changesJSON are things as they are now.
type changesJSON struct {
	Profiles []profileJSON    `json:"profiles" doc:"Profiles, with their settings"`
	Cards    []cardJSON       `json:"cards" doc:"Cards, whole"`
	Reviews  []syncReviewJSON `json:"reviews" doc:"Reviews"`
	Deleted  []entityJSON     `json:"deleted" doc:"What is no more, or is not the caller's"`
	Other    []entityJSON     `json:"other" doc:"What has changed and has routes of its own"`
}

// entityJSON names a thing.
type entityJSON struct {
	Entity string `json:"entity" doc:"What kind of thing it is" enum:"card,review,profile,memory,correction" example:"card"`
	ID     string `json:"id" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d11"`
}

// bootstrapJSON is a page of everything.
type bootstrapJSON struct {
	Changes changesJSON `json:"changes" doc:"What is different now"`
	Cursor  int64       `json:"cursor" doc:"For POST /sync, when all pages are there" example:"17"`
	Next    *string     `json:"next" doc:"The next page; null on the last"`
}

// syncReviewJSON is an entry of the log as devices keep it.
type syncReviewJSON struct {
	ID         string     `json:"id" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d14"`
	CardID     string     `json:"card_id" doc:"The card that was reviewed" example:"0197b0f1-1d2c-7f3e-8c11-6f2e5a7b9d11"`
	Rating     int        `json:"rating" doc:"1 again, 2 hard, 3 good, 4 easy" example:"3"`
	ReviewedAt time.Time  `json:"reviewed_at" doc:"By a right clock" example:"2026-03-04T05:10:00Z"`
	LocalDay   string     `json:"local_day" doc:"The learner's day" example:"2026-03-04"`
	DurationMS int64      `json:"duration_ms" doc:"From the question to the rating" example:"3200"`
	Mode       string     `json:"mode" doc:"How it was asked" enum:"self,typed,spoken,in_conversation" example:"self"`
	UndoneAt   *time.Time `json:"undone_at" doc:"null: it counts"`
}

func showSync(a learn.SyncAnswer) syncJSON {
	out := syncJSON{Results: make([]mutationJSON, len(a.Results)), Reset: a.Reset, Changes: showChanges(a.Changes),
		Cursor: a.Cursor, HasMore: a.HasMore}
	for i, r := range a.Results {
		out.Results[i] = mutationJSON{ID: r.ID, Status: string(r.Status), EntityID: r.EntityID, Code: orNull(r.Code),
			Errors: append([]learn.FieldError{}, r.Fields...)} // [] and never null
	}
	return out
}

func showChanges(c learn.SyncChanges) changesJSON {
	out := changesJSON{Profiles: make([]profileJSON, len(c.Profiles)), Cards: showCards(c.Cards),
		Reviews: make([]syncReviewJSON, len(c.Reviews)), Deleted: showEntities(c.Deleted), Other: showEntities(c.Other)}
	for i, p := range c.Profiles {
		out.Profiles[i] = showProfile(p)
	}
	for i, r := range c.Reviews {
		out.Reviews[i] = syncReviewJSON{ID: r.ID, CardID: r.CardID, Rating: int(r.Rating), ReviewedAt: r.At.UTC(), LocalDay: r.LocalDay,
			DurationMS: r.Duration.Milliseconds(), Mode: string(r.Mode), UndoneAt: orNull(r.UndoneAt)}
	}
	return out
}

func showEntities(refs []learn.EntityRef) []entityJSON {
	out := make([]entityJSON, len(refs))
	for i, ref := range refs {
		out[i] = entityJSON{Entity: string(ref.Entity), ID: ref.ID}
	}
	return out
}
