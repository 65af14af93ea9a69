package wire

import (
	"kalami/session"
	"kalami/session/learn"
)

// tutorTranslate reads what is to be translated: an item or a text, one of the two.
func (c *check) tutorTranslate(data []byte) session.Control {
	f := decodeFields[struct {
		ItemID *string `json:"item_id"`
		Text   *string `json:"text"`
	}](c, data)
	t := session.Translate{ItemID: c.text("item_id", f.ItemID, MaxNameBytes), Text: c.proseOf("text", f.Text, MaxTranslatedChars)}
	switch {
	case t.ItemID == "" && t.Text == "":
		c.fail("item_id", "item_id or text is missing.")
	case t.ItemID != "" && t.Text != "":
		c.fail("text", "There is either item_id or text.")
	}
	return t
}

func (c *check) tutorRepeat(data []byte) session.Control {
	f := decodeFields[struct {
		Slow bool `json:"slow"`
	}](c, data)
	return session.Repeat{Slow: f.Slow}
}

func (c *check) transcriptEdit(data []byte) session.Control {
	f := decodeFields[struct {
		ItemID *string `json:"item_id"`
		Text   *string `json:"text"`
	}](c, data)
	c.need("text", f.Text != nil)
	e := session.EditTranscript{ItemID: c.name("item_id", f.ItemID), Text: c.prose("text", f.Text)}
	if e.Text == "" {
		c.fail("text", "text is empty.")
	}
	return e
}

// reviewAnswer reads a rating of a card; without one what was said decides.
func (c *check) reviewAnswer(data []byte) session.Control {
	f := decodeFields[struct {
		CardID *string  `json:"card_id"`
		Rating *float64 `json:"rating"`
	}](c, data)
	a := session.AnswerReview{CardID: c.name("card_id", f.CardID)}
	if f.Rating != nil {
		a.Rating = learn.Rating(c.whole("rating", f.Rating, int64(learn.Again), int64(learn.Easy)))
	}
	return a
}
