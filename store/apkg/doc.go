// Package apkg writes cards as a package that Anki and the programs that read its files
// import: a zip with a SQLite database in it, collection.anki2, in version 11 of Anki's
// schema, which all of its versions read, and an empty list of media.
//
// Each card is a note of the type [deck.NoteType] with one card, in a deck for its language.
// A note's guid is our card's id, so that a package that is imported again brings what has
// changed and nothing twice. Fields of a note are HTML; what learners write is text, and is
// escaped. With a card comes what is known of its memory, and the log of its reviews, for
// programs that are asked to take them over.
package apkg
