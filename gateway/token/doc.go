// Package token makes and checks the kinds of credential that Kalami knows.
// It is pure: it holds keys and parameters, but no store, no clock and no goroutine
// of its own.
//
//   - An access token ([Issuer]) is a JWT signed with HS256. It says who is asking,
//     within which tenant, and is good for about half an hour. It can be read by
//     whoever holds it, so it carries ids and nothing else.
//   - A ticket ("kt_…", [NewTicket]) opens one voice socket, once, within a minute.
//     Browsers cannot set headers on a WebSocket, and an access token in a URL would
//     end up in access logs; a ticket that leaks is already spent.
//   - A resume token ("kr_…", [NewResume]) takes up a conversation whose socket was
//     lost, once. It names the conversation, so that whoever is shown it knows where to
//     look.
//   - A refresh token ("kf_…", [NewRefresh], [Issuer.NextRefresh]) gets new access
//     tokens for weeks. Each use replaces it by the next of its family.
//   - A mailed token ("km_…", [NewMailToken]) sets a new password, or proves that a
//     mailbox is one's own, once.
//   - A password is kept as an argon2id hash ([Hasher]) in the PHC string form.
//
// All but the first and the last are random bits, 256 or for mails 128. They are stored by their SHA-256
// alone ([Hash]), so that a dump of the store opens nothing. A plain hash is enough
// there, since nobody can guess that many bits; passwords can be guessed, and so get a hash
// that is slow on purpose. That slowness would let a flood of logins take the processor
// away from lessons: [Hasher] runs few hashes at a time and refuses what it cannot do soon.
package token
