// Package trial lets a running server hear recordings of learners: one trial is one
// conversation in which a recording is spoken in real time, once the tutor has
// greeted, and everything is kept that can be judged afterwards — what the server
// understood, in how many turns, how soon it answered, and the tutor's audio.
//
// [Fixtures] lists the recordings of a folder with what is spoken in them, [Plan]
// makes trials of them, [HoldAll] holds those, [Trial.Judge] says what was wrong, and
// an [Engine] recognises the tutor's audio again. The end-to-end tests and the program
// in deploy/bench/hear share it.
package trial
