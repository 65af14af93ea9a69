// Package pronounce says how a learner spoke, from what a recogniser heard: which words of
// a text were said, left out, added, swapped or said twice, how surely each was understood,
// and how fluent it was. It is pure: texts and times in, a [learn.Assessment] out.
//
// # What is claimed
//
// A recogniser is made to understand, and the better it is, the more it hears the word that
// should have been said: its confidence says how easily a machine understood, and nothing
// about sounds. So it is called recognition and never accuracy, no total is made of it, and
// every assessment carries a caveat that says so. Accuracy, sounds and a total come from an
// assessor that was trained on sounds, through [Judge], and are null without one. For the same
// reason whoever asks the recogniser gives it neither the text nor a list of likely words, and
// has it write down what it heard without formatting.
//
// # How texts are compared
//
// Text and speech are cut into units: words, or characters in scripts that are written
// without spaces (Chinese, Japanese, Thai). A unit is compared by its tokens, which know
// nothing of case, punctuation and typography: "don't" is do and not, "l'homme" is l and
// homme, "geht's" is geht and es, 21 is twenty and one, in the languages that the tables of
// this package know. Tokens are then aligned so that the fewest are missing, added or
// swapped, a swap of similar ones before one of different ones; see align. Korean is
// compared by its written words, as their spacing is ambiguous even for those who write it.
//
// # What is measured
//
// A pause is a quarter of a second or more between two words, the usual threshold in studies
// of second-language fluency. It is within a phrase unless punctuation stands there, in the
// text that was read or in what a recogniser wrote down; without either nobody knows, and
// it is null. Rates count what was said with its repetitions and without fillers.
package pronounce
