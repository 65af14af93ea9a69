// Package simulation holds a whole Kalami in one bubble of virtual time, and no code but
// tests: several nodes and learners, a store that fences, a mirror that forgets and vendors
// that fail. The sessions and the lines are the real ones; the rules of ownership are those
// of package gateway, over sockets in memory. Audio comes in frames of 100 ms whose samples
// say what they are, so that whoever hears a piece of it knows what was said.
//
// Chance decides each virtual 100 ms what goes wrong: sockets are cut, clients stop
// reading, nodes freeze, die and drain, clocks step, the store is slow or gone, the mirror
// is emptied, the model and the voice fail, and nobody listens for a while. Chance begins with a seed, which a failing run
// prints:
//
//	KALAMI_TEST_SIMULATION_SEED=0x1234 go test -run TestSimulation ./gateway/simulation
//
// runs that trial again, and KALAMI_TEST_SIMULATION_HISTORY=FILE keeps the history of one
// that fails. The seed decides all faults and all that vendors and learners do;
// which of two goroutines goes first at the same instant is Go's to decide, so that a
// failure that hangs on it may take some runs to come back. Seeds that have failed once
// stand in testdata/seeds.txt and are run every time.
//
// How long it runs is a matter of patience: KALAMI_TEST_SIMULATION is a duration in real
// time. Afterwards the one checker of all runs, package session/verify, looks at what
// everybody wrote down and at the store. Bugs that are planted in the store and the caps
// show that it would find them.
package simulation
