// Package gateway is the edge: HTTP resources, the voice endpoint, and nothing that
// decides about learning or talking.
//
// A [Server] is made of [Options], which hold everything it needs as small interfaces
// (ports.go) or plain values; it opens no store and reads no environment. It is an
// [http.Handler], so that tests need no socket, and carries an [http.Server] of its own
// with limits on headers, bodies and time.
//
// # Routes
//
// Each resource has its file: accounts, signin, password, profiles, conversations, turns,
// speech, clips and so on. There every route stands as an operation (operation.go): what
// the server enforces, such as the size of bodies, time and pace, and what it tells at
// /openapi.json and /docs (description*.go) come of the same value. Every route answers at
// /x and at /api/x. The sockets alone are registered apart, because limits that wrap the
// response break an upgrade.
//
// A handler is thin and always in the same order: identify the caller, decode, validate,
// call one port, respond. Unknown JSON fields are ignored, so that older and newer
// clients get along; only a PATCH refuses them, since a change that is not made must not
// look like one that is. A known field of the wrong type or outside its range is named.
//
// What a phone asks for again and again goes out by conditionalJSON, with an ETag.
//
// # Errors
//
// Handlers return errors and never write them. Whatever goes wrong, in a handler, in the
// router or by a panic, is answered in one shape,
//
//	{"detail": "…", "code": "…", "request_id": "…", "errors": [{"field": "…", "message": "…"}]}
//
// with the status that one table gives to the error's kind (package learn). The cause
// stays in the log, in the one line that each request gets there, under the same request
// id. Query strings and bodies are never logged.
//
// # Who is asking
//
// An access token in the Authorization header (but for the original's socket), checked
// against the user's present token version, so that ending a user's sessions ends their
// tokens too. Nothing is a cookie: there is nothing that a foreign page could make a
// browser send along. A browser cannot put a header on a WebSocket, so it buys a
// single-use ticket (tickets.go) with its access token right before it connects.
// Everything about the conversation is checked and bound when the ticket is sold, since a
// refused upgrade reaches a page without status or reason.
//
// Access tokens are short, and a refresh token gets the next ones (signin.go). It is good
// once. Whoever lost the answer is given the same successor again for ten seconds; a used
// token that comes later means that two hold it, and ends all that came of that sign-in.
// What ends a user's sessions ends their open sockets too, on other nodes by a notice.
//
// Nothing tells whether an address has an account: signing in does the same work either
// way, and mails are looked up and written by a worker behind a bounded queue (letters.go).
//
// # How much
//
// Bodies, headers and times are bounded for every route ([Server], bodies.go), and what all
// uploads hold at once. Calls have rates by what they cost, new accounts, sign-ins and
// new sockets rates of their own (rates.go, accountrates.go); what one socket may send is
// bounded by meters (flow.go), and how many may be open by the registry. Whoever is
// refused is told when to come again.
//
// How many conversations a learner and a school may have holds over all nodes (places.go).
// A conversation has one place, which each of its sessions takes over from the one before,
// on whatever node, so that nobody who comes back is refused for the sake of themselves.
//
// # Sockets
//
// Once upgraded, a socket belongs to the conversation: package wire speaks its dialect,
// closecodes.go says how each end of a session looks to the client, and a registry knows
// all sockets, because the HTTP server neither closes nor waits for connections that it
// has given away. Stopping a node is Drain, then DrainSessions, then Shutdown.
//
// # When a node is stopped
//
// From Drain on /readyz says no, and new conversations and clients that come back are refused
// with 503, so that two nodes that stop never send clients to each other. Each node tells the
// others every two seconds, and when that changes, whether it is open or stops
// (neighbours.go). If DrainSessions knows of one that is open it waits for the balancer, and
// has each client told to go, a few at a time (drain.go). The client opens its socket there
// first; the other node takes the epoch, this one hears of it and closes the old socket as
// superseded. Whoever has not gone when nine tenths of the grace are over, and all clients of
// a node that is alone, be it because the others stop as well, are closed as a restart, at
// the end of a sentence; they come back to what is mirrored or stored.
//
// Sessions of the native protocol outlive their sockets (package line). A client that comes
// back with its token (voice_resume.go) gets the session that waits on this node
// (voice_warm.go), or this node takes the conversation over from whoever has it
// (voice_cold.go). Who owns a conversation is an epoch in its row; how a node learns that it
// has lost one, and what else sessions need beside themselves, is in ownership.go and
// mirror.go, and runs in [Server.KeepSessions].
//
// # When a store is gone
//
// Without Redis, learners talk on and new conversations begin. Tickets are kept in the
// database (ticketstore.go); those that Redis had are unknown, and the client buys another.
// None is good twice, since the database also remembers which of Redis' were used. Rates
// and conversations are counted by each node for itself, so that n nodes let through n times
// as much.
// Who signs out is heard of by asking the database, every four seconds.
// What was mirrored is lost, and a client that must change its node then starts over from
// what is stored.
//
// Without the database, learners talk on as well, but nothing that they say is acknowledged
// before it is stored: up to 64 messages of a session wait, and the learner is told once
// that saving takes longer. Sockets that are lost come back to the sessions that wait on
// their node. Whatever has to ask the database is refused with 503 and Retry-After, or with
// an error event that has retry_after_ms: new conversations, and clients that come to
// another node, whose tokens stay good. /readyz says no meanwhile, /livez does not.
//
// # The two sockets
//
// There are two. GET /v1/voice is the native one, where learner and tutor talk freely
// (voice*.go). GET /ws is the original's (original*.go), for an app that cannot be changed
// any more: it sends recordings of whole utterances, which are answered by the same turns
// as those of the REST API. It shows its access token in the query, the only place where
// that is taken, and once: a lesson goes on when the token ends, for two hours at most,
// but not when its user's sessions are ended. What the app has sent is answered and stored
// even if its socket is lost, one recording after another.
package gateway
