// Package speech hears recordings and makes clips with whichever vendors are
// configured: it names them as the API does, asks them in order, hands over to the
// next when one fails, and remembers clips of short texts.
//
// # Order and hand-over
//
// The first vendor of [Options] is the usual one; a caller may name another, which is
// then asked first. When a vendor is not configured, or fails before its transcript or
// before the first byte of its clip, the next one is asked, unless hand-over is switched
// off. There is none for a request that is itself at fault ([providers.Invalid]), since
// the next vendor would be paid to say the same, and none after the first byte: half a
// clip of one voice and half of another is worse than a clip that is known to be cut. A
// voice id names a voice of one vendor, so the next one speaks with its own default voice.
//
// # Remembered clips
//
// Learners hear the same words and phrases again and again: what a button reads aloud,
// slow replays, greetings. [Service.Synthesize] keeps such clips in a [Clips] store,
// and asks a vendor once for identical requests that come while it is still speaking.
//
//   - Only texts of at most [MaxRepeated] characters are kept: longer ones do not repeat.
//   - A key is a hash of the text and of everything that shapes its sound
//     ([providers.Synthesizer.Signature]). The text itself is not kept, and what is
//     kept expires.
//   - A clip that was cut, or that grew beyond [MaxClip], is not kept.
//   - The tutor's replies, which go through [Service.Synthesizer], are not kept: they
//     answer one learner, may repeat what that learner said, and never come again.
//
// A store that does not answer costs a vendor's call and a line in the log, no clip.
package speech
