// Package store keeps what must not be lost: people, what they learn, and what was
// said. It is gorm over one of two databases, chosen by a URL: a SQLite file by
// default, Postgres for more than one node. What it promises is the same on both
// and is written down as a suite of tests, package store/storetest.
//
// # Shape
//
// [Open] opens a [DB]; its methods are the repositories, one file per family of
// tables. They speak in the types of package learn, and consumers declare the few
// methods that they need. Every failure is a *learn.Error whose Kind says what to
// do: NotFound for what does not exist or belongs to somebody else, Conflict,
// Invalid, Unavailable when trying again later may help, Internal for the rest.
//
// The schema is versioned SQL, embedded, in two dialects (migrations/sqlite and
// migrations/postgres) and only ever goes forward. [DB.Migrate] applies it.
// Ids are UUIDv7, so that new rows go to the end of each index; durations are
// integers in milliseconds; days are local days as YYYY-MM-DD. Times are UTC with
// microseconds, timestamptz in Postgres and text of one fixed width in SQLite, so
// that comparing the text compares the times.
//
// # Tenants
//
// Everything that belongs to a learner carries tenant_id. Three walls keep tenants
// apart: the repositories ask for tenant and user in each query; foreign keys
// between learning rows are composite, (tenant_id, parent_id), so that a row cannot
// point into another tenant; and a gorm callback refuses to run a statement on a
// tenant's table that has no tenant predicate (see guard.go).
//
// # Who may write for a conversation
//
// A conversation row has an epoch. [DB.TakeOver] raises it, and every durable
// write carries the epoch that its writer knows. [DB.AppendMessage] begins its
// transaction with an update of the conversation's row whose predicate holds the
// epoch. That update is the fence: it finds no row when somebody else has taken
// over, and otherwise it holds the row's lock to the commit, so that a take-over
// waits until the message is in and then sees it. In Postgres this needs nothing
// beyond READ COMMITTED: an update that waited for a lock judges its predicate
// again on the row's new version. In SQLite the transaction is the only writer.
//
// # SQLite: one writer
//
// A SQLite database has one writer at a time, whatever the number of connections;
// several that compete poll for the lock and wait longest when it is busiest. So
// there is one write connection, whose transactions begin IMMEDIATE, and callers
// queue for it in memory, first come first served, each for as long as its context
// lasts. Reads have four connections of their own, which in WAL mode neither wait
// for the writer nor hold it up, and which cannot write (query_only). BenchmarkMixed
// has eight learners who each append a message and read the last twenty, in turns:
// on two busy cores a read took 1.7 ms (median; 99 %: 19 ms) this way and 9.3 ms
// (97 ms) through a single connection for both, with the same number of commits.
//
// Each connection keeps the statements that it has prepared (statements.go), which about
// halved the processor time of a request that reads a profile, HTTP and all.
//
// Commits are synchronous=FULL: a message that was acknowledged survives the loss
// of power, as far as the disk keeps its word. The busy timeout of 60 s covers
// other processes, such as a backup; it is set here because the driver's own
// default is lost as soon as a URL names any pragma.
//
// # Postgres
//
// Through pgx, with a statement timeout of 2 s and a lock timeout of 1 s unless the
// URL sets its own, and a bounded pool. Migrations use a connection of their own
// without a statement timeout, under one advisory lock: of any number of nodes that
// start together, one migrates and the others wait for it.
//
// # Logging
//
// Slow statements are logged with their text and never with their
// parameters, which hold what learners say.
package store
