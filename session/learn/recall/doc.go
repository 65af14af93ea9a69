// Package recall holds the rules of a review that is held by voice: what the tutor says, and
// how an answer is rated. It is pure.
//
// Only cards whose answer is in the language that is learned are asked ([Spoken]): a
// recogniser that listens for that language would misunderstand answers in another one.
//
// An answer is right when all words of the card's back were said, in their order; package
// pronounce says so, which knows nothing of case, punctuation and contractions. What was said
// around them, up to a few words, is no mistake. Told or wrong is Again; right after a hint, or
// begun later than eight seconds after the question, is Hard; right within two seconds and
// nothing but the answer is Easy; anything else that is right is Good. Where the recogniser
// itself was unsure of what it heard, a wrong answer is nobody's fault: the question is asked
// again. The learner can change every rating.
package recall
