// Package providertest holds the conformance suites of the contracts in package
// providers. Every vendor's client passes the suite of its contract, against that
// vendor's simulator in package simulate; whoever adds a vendor writes a fixture
// and calls the suite:
//
//   - [Recognizer] for live speech recognition.
//   - [Tutor] and [Analyst] for language models.
//   - [Voice] for speech synthesis.
//
// The suites test what callers rely on and nothing about how a vendor spells it:
// order and completeness of events, kinds of error, request ids, how long a call
// may block, that nothing outlives Close.
package providertest
