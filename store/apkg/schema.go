package apkg

import (
	"encoding/json"
	"hash/crc32"
	"strconv"
	"time"

	"kalami/session/learn/deck"
)

// schema are the tables of version 11, as Anki's manual for its database lists them. Columns
// that this package has no use for are there because readers ask for them.
const schema = `
CREATE TABLE col (
	id integer PRIMARY KEY, crt integer NOT NULL, mod integer NOT NULL, scm integer NOT NULL, ver integer NOT NULL,
	dty integer NOT NULL, usn integer NOT NULL, ls integer NOT NULL, conf text NOT NULL, models text NOT NULL,
	decks text NOT NULL, dconf text NOT NULL, tags text NOT NULL
);
CREATE TABLE notes (
	id integer PRIMARY KEY, guid text NOT NULL, mid integer NOT NULL, mod integer NOT NULL, usn integer NOT NULL,
	tags text NOT NULL, flds text NOT NULL, sfld integer NOT NULL, csum integer NOT NULL, flags integer NOT NULL, data text NOT NULL
);
CREATE TABLE cards (
	id integer PRIMARY KEY, nid integer NOT NULL, did integer NOT NULL, ord integer NOT NULL, mod integer NOT NULL,
	usn integer NOT NULL, type integer NOT NULL, queue integer NOT NULL, due integer NOT NULL, ivl integer NOT NULL,
	factor integer NOT NULL, reps integer NOT NULL, lapses integer NOT NULL, left integer NOT NULL, odue integer NOT NULL,
	odid integer NOT NULL, flags integer NOT NULL, data text NOT NULL
);
CREATE TABLE revlog (
	id integer PRIMARY KEY, cid integer NOT NULL, usn integer NOT NULL, ease integer NOT NULL, ivl integer NOT NULL,
	lastIvl integer NOT NULL, factor integer NOT NULL, time integer NOT NULL, type integer NOT NULL
);
CREATE TABLE graves (usn integer NOT NULL, oid integer NOT NULL, type integer NOT NULL);
CREATE INDEX ix_notes_usn ON notes (usn);
CREATE INDEX ix_notes_csum ON notes (csum);
CREATE INDEX ix_cards_usn ON cards (usn);
CREATE INDEX ix_cards_nid ON cards (nid);
CREATE INDEX ix_cards_sched ON cards (did, queue, due);
CREATE INDEX ix_revlog_usn ON revlog (usn);
CREATE INDEX ix_revlog_cid ON revlog (cid);
`

const (
	// schemaVersion is the version of the schema.
	schemaVersion = 11
	// noteType and firstDeck are ids of ours. Anki tells note types and decks of different
	// collections apart by them, and makes its own of the time in milliseconds.
	noteType  = 1_767_225_600_001
	firstDeck = 1_767_225_700_000
	// unsynced marks what no server of Anki's has.
	unsynced = -1
)

// fields are the fields of a note, in their order.
func fields() []string { return []string{"Front", "Back", "Context", "Kind", "Level"} }

type object = map[string]any

// deckID is the id of the deck of a language, the same in each package.
func deckID(language string) int64 {
	return firstDeck + int64(crc32.ChecksumIEEE([]byte(language))%1_000_000_000)
}

// models describes the note type.
func models(at time.Time) object {
	all := fields()
	described := make([]object, len(all))
	for i, name := range all {
		described[i] = object{"name": name, "ord": i, "sticky": false, "rtl": false, "font": "Arial", "size": 20, "media": []any{}}
	}
	return object{strconv.Itoa(noteType): object{
		"id": noteType, "name": deck.NoteType, "type": 0, "mod": at.Unix(), "usn": unsynced, "sortf": 0, "did": nil,
		"vers": []any{}, "tags": []any{}, "flds": described, "latexPre": "", "latexPost": "", "latexsvg": false,
		"css": ".card { font-family: sans-serif; font-size: 1.25rem; text-align: center; } .context { color: gray; font-size: 1rem; }",
		"req": []any{[]any{0, "any", []int{0}}},
		"tmpls": []object{{"name": "Card 1", "ord": 0, "did": nil, "bqfmt": "", "bafmt": "", "qfmt": "{{Front}}",
			"afmt": `{{FrontSide}}<hr id="answer">{{Back}}{{#Context}}<p class="context">{{Context}}</p>{{/Context}}`}},
	}}
}

// decks describes the decks of some languages, and the one that every collection has.
func decks(languages []string, at time.Time) object {
	described := func(id int64, name string) object {
		none := []int{0, 0}
		return object{"id": id, "name": name, "mod": at.Unix(), "usn": unsynced, "conf": 1, "desc": "", "dyn": 0, "collapsed": false,
			"browserCollapsed": false, "extendNew": 0, "extendRev": 0, "newToday": none, "revToday": none, "lrnToday": none, "timeToday": none}
	}
	all := object{"1": described(1, "Default")}
	for _, language := range languages {
		id := deckID(language)
		all[strconv.FormatInt(id, 10)] = described(id, deck.Name(language))
	}
	return all
}

// options are the settings of decks: Anki's own when it makes a collection.
func options() object {
	return object{"1": object{
		"id": 1, "name": "Default", "mod": 0, "usn": 0, "maxTaken": 60, "timer": 0, "autoplay": true, "replayq": true, "dyn": false,
		"new":   object{"bury": true, "delays": []float64{1, 10}, "initialFactor": 2500, "ints": []int{1, 4, 7}, "order": 1, "perDay": 20, "separate": true},
		"rev":   object{"bury": true, "ease4": 1.3, "fuzz": 0.05, "ivlFct": 1, "maxIvl": 36500, "minSpace": 1, "perDay": 200, "hardFactor": 1.2},
		"lapse": object{"delays": []float64{10}, "leechAction": 1, "leechFails": 8, "minInt": 1, "mult": 0},
	}}
}

// settings are those of a collection, and which of its decks is open.
func settings(current int64) object {
	return object{"activeDecks": []int64{current}, "curDeck": current, "curModel": strconv.Itoa(noteType), "nextPos": 1, "newSpread": 0,
		"collapseTime": 1200, "timeLim": 0, "estTimes": true, "dueCounts": true, "sortType": "noteFld", "sortBackwards": false, "addToCur": true}
}

// encoded is a value as JSON; those of this package can always be.
func encoded(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}
