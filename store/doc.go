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
// tenant's table that has no tenant predicate (see guard.go). The few statements that are
// about conversations of all tenants, because a node asks or a secret is shown that names
// one, say so to the callback.
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
// [DB.Resume] takes a conversation over for whoever shows a token of it, in one update that
// returns the row as it then is. That is why the row also knows the number of the last
// message and how far the microphone's audio is stored: a subquery of the statement that
// waited for a message to be committed would not see it.
//
// # Devices
//
// Devices keep copies and work on without a network. [DB.Sync] takes what they tell and
// answers with what has changed since the number up to which they know everything. The
// changes of a user are numbered by a counter whose row stays locked from the taking of a
// number to the commit (feed.go), as the last lock of its transaction: the order of numbers
// is that of commits, so that nobody reads past one that is still to come. What a device
// tells is applied once, by the ids that it gives to its mutations: they are claimed by an
// insert for which whoever sends the same at the same time waits. Reviews are a log that is
// replayed, fields are won by the latest write, and deleting wins (reviews_replay.go,
// cards_change.go). The model in sync_model_test.go plays it through.
//
// What a device sends that was away for long, 10,000 reviews of 1,000 cards, is stored in
// transactions of 500, of which the last one counts the days anew: BenchmarkPush took 0.85 s
// for the first such push and 1.3 s on average for three on top of each other, on two busy
// cores with SQLite. When each transaction counted them it took 1.9 s and 4.1 s. In Postgres no
// statement of it takes longer than 0.6 s, on tables that nobody has analysed yet.
//
// # SQLite: one writer
//
// A SQLite database has one writer at a time, whatever the number of connections;
// several that compete poll for the lock and wait longest when it is busiest. So
// there is one write connection, whose transactions begin IMMEDIATE, and callers
// queue for it at the gate, first come first served. Reads have four connections of their own, which in WAL mode neither wait
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
// # Many callers, and a database that does not answer
//
// Before each pool stands a gate (gate.go) that lets as many operations pass as there are
// connections. Requests wait there for five seconds at most and no more than 256 of them,
// with those that are at work; others are Unavailable at once. What a lesson needs
// (messages, resumptions, epochs) is not counted among them and may have every connection,
// while a quarter of them is never given to requests.
//
// A Postgres that hangs gives up no statement by itself, so every operation ends after 2.5 s
// by this side's clock. After three in a row that got no answer nobody waits any more
// (outage.go): callers fail at once, until a goroutine that asks on a connection of its own
// has had an answer. So whoever has a backlog, as a conversation has, tries again as often
// as it likes, and a server that returns finds no crowd of connections that were given up.
//
// SQLite waits for another process that writes, and fails when its disk is full; both are
// Unavailable, and go by when there is room again.
//
// # Logging
//
// Slow statements are logged with their text and never with their
// parameters, which hold what learners say.
package store
