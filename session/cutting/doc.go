// Package cutting cuts the tutor's text, while it streams in, into pieces that a voice
// can speak one by one, so that the learner hears the first of them while the rest is
// still being thought of.
//
// # Where it cuts
//
//   - Behind a sentence, always: "¡Muy bien! ". What looks like its end and is none is
//     passed over: abbreviations of the language ("Dr.", "p. ej.", "z. B.", "и т. д."),
//     initials, German ordinals ("am 3. Mai"), the number of a list's item, numbers and
//     times ("3.5", "1.000,50", "10:30"), addresses. Closing quotes and brackets stay
//     with their sentence. An ellipsis ends one only when something capital follows.
//   - Behind a comma and its like, when the piece is long enough: the first piece from
//     six letters on ("Claro, ", "そうですね、", but not "Y, "), the others from forty.
//   - Before a conjunction or a preposition, when there was no mark for too long, or when
//     the stream stalls ([Cutter.Stalled]): there a speaker would breathe.
//
// Except for that stall, where it cuts is a function of the text alone, however it was
// divided into tokens: a cut that hangs on what follows waits for it, which is a token
// or two. Joined, the pieces are the text, to the byte.
//
// # Where the numbers come from
//
// Lengths are in letters of a European language, [Letters], of which people speak about
// fifteen a second. A character of Chinese is a syllable, of which they speak 5.2 a
// second, a Japanese kana is one of 7.8 (Pellegrino, Coupé, Marsico: Across-language
// perspective on speech information rate, 2011): they count for three and two letters,
// and a Korean syllable for two. Six letters are the shortest interjection of two
// syllables that sounds like one ("Claro,") and last 0.4 s, which is longer than the
// voice takes to begin with the next piece; shorter ones are conjunctions ("Pero,"),
// which sound torn off. Forty letters are 2.7 s, a whole phrase, and nine tokens, or
// 150 ms of a model at 60 tokens a second: longer than that the first piece is not
// waited for.
package cutting
