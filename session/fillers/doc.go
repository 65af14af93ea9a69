// Package fillers holds what the tutor can say when nobody else can: short clips of
// synthetic speech, in every language that is taught, embedded in the program. They need
// no vendor, so that a learner who waits for an answer hears that somebody is there, and
// a learner who will get none hears so.
//
// texts.tsv has the words; the clips beside it are WAV files of 4-bit IMA ADPCM at 16 kHz
// (about 8 kB a second), which any player plays. generate.sh makes them again. They were
// spoken by eSpeak NG, whose licence covers the program and not the speech that it makes;
// they are free to use for any purpose. No human speaker was recorded.
//
// The package is pure: it reads no clock, file or network.
package fillers

//go:generate ./generate.sh
