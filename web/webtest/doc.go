// Package webtest drives Kalami's page in a real Chromium, for tests of the page alone
// and of the whole server.
//
// A test opens a [Tab] for the address of a server, takes steps in it, and waits for
// what the page shows (kalami/web says what of that is meant to be looked at). At the
// end [Tab.CheckClean] fails the test if the page broke its Content-Security-Policy,
// asked another host for something, or threw.
//
// Without a browser tests are skipped, unless CI=true says that nothing may be missing.
// KALAMI_TEST_CHROMIUM names the browser's program; KALAMI_TEST_SCREENSHOTS names a
// folder in which pictures of the page are kept.
//
// Every wait is bounded by [Patience]; no step measures time, so that tests hold on a
// machine that is busy with other things.
package webtest
