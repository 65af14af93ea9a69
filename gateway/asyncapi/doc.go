// Package asyncapi describes the sockets as an AsyncAPI 3.0 document: the voice socket
// kalami.v1 with its events, binary frames and close codes, and the socket of the original.
//
// The document is made of the code: names and payloads come from the types of packages
// session and wire, by their struct tags, and a client's examples are encoded by wire. What
// stands here in words is a sentence for each event (native.go, original.go). Tests fail
// when an event has no message, a message no event, or when a decoder asks for other
// fields than its schema does.
package asyncapi
