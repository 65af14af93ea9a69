package asyncapi

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"kalami/gateway/schemas"
	"kalami/gateway/wire"
)

// Options are what the document needs to be told.
type Options struct {
	// Name is the product's; Version the server's, "unknown" when empty.
	Name, Version string
	// Closes are the close codes of the voice socket, in the order in which they are shown.
	Closes []Close
	// Conversation is a value of the type that the REST API shows a conversation as, which
	// the original's events carry; nil leaves it open.
	Conversation any
}

// Close is one row of the table of close codes.
type Close struct {
	Code int
	Name string
	// Then is what a client does next, a few words.
	Then string
}

// Document is an AsyncAPI document; it is encoded as JSON.
type Document struct {
	AsyncAPI           string                   `json:"asyncapi"`
	Info               info                     `json:"info"`
	DefaultContentType string                   `json:"defaultContentType"`
	Servers            map[string]server        `json:"servers"`
	Channels           map[string]*channel      `json:"channels"`
	Operations         map[string]directionalOp `json:"operations"`
	Components         components               `json:"components"`
}

type info struct {
	Title       string `json:"title"`
	Version     string `json:"version"`
	Description string `json:"description"`
}

type server struct {
	Host        string                    `json:"host"`
	Protocol    string                    `json:"protocol"`
	Description string                    `json:"description"`
	Variables   map[string]serverVariable `json:"variables"`
}

type serverVariable struct {
	Default     string `json:"default"`
	Description string `json:"description"`
}

type channel struct {
	Address     string             `json:"address"`
	Title       string             `json:"title"`
	Description string             `json:"description"`
	Messages    map[string]ref     `json:"messages"`
	Bindings    map[string]binding `json:"bindings"`
}

// binding says how a socket is opened.
type binding struct {
	Method         string       `json:"method"`
	Headers        *huma.Schema `json:"headers,omitempty"`
	Query          *huma.Schema `json:"query,omitempty"`
	BindingVersion string       `json:"bindingVersion"`
}

// directionalOp is one direction of a channel, as the server sees it.
type directionalOp struct {
	Action   string `json:"action"` // send or receive
	Channel  ref    `json:"channel"`
	Title    string `json:"title"`
	Messages []ref  `json:"messages"`
}

type ref struct {
	Ref string `json:"$ref"`
}

type components struct {
	Schemas  huma.Registry      `json:"schemas"`
	Messages map[string]message `json:"messages"`
}

type message struct {
	Name        string       `json:"name"`
	Title       string       `json:"title"`
	Summary     string       `json:"summary"`
	ContentType string       `json:"contentType"`
	Payload     *huma.Schema `json:"payload"`
	Examples    []example    `json:"examples,omitempty"`
}

type example struct {
	Payload any `json:"payload"`
}

// The two directions, as parts of a message's key.
const (
	toClient = "toClient"
	toServer = "toServer"
)

// New makes the document. It panics on a struct tag that says something impossible.
func New(o Options) *Document {
	b := &builder{
		set: schemas.NewSet("#/components/schemas/", schemaName),
		doc: &Document{
			AsyncAPI:           "3.0.0",
			Info:               info{Title: o.Name + " sockets", Version: cmp.Or(o.Version, "unknown"), Description: aboutSockets},
			DefaultContentType: "application/json",
			Servers: map[string]server{
				"secure": serverOver("wss", "With TLS, as everywhere but on one's own machine."),
				"plain":  serverOver("ws", "Without TLS."),
			},
			Channels:   map[string]*channel{},
			Operations: map[string]directionalOp{},
		},
	}
	b.doc.Components = components{Schemas: b.set.Registry(), Messages: map[string]message{}}
	b.native(o.Closes)
	b.original(o.Conversation)
	b.set.Finish()
	b.examples()
	return b.doc
}

const aboutSockets = `A conversation with the tutor by voice. ` + "`/v1/voice`" + ` is the native protocol, ` +
	wire.Subprotocol + ` ` + wire.Version + `; ` + "`/ws`" + ` is the one that the original's app speaks, kept for it alone.
Both answer below ` + "`/api`" + ` as well. The REST API is described at /openapi.json.`

func serverOver(protocol, about string) server {
	return server{Host: "{host}", Protocol: protocol, Description: about, Variables: map[string]serverVariable{
		"host": {Default: "localhost:8000", Description: "Host and port of the server"},
	}}
}

// schemaName tells apart what only a client says, whose types stand here.
func schemaName(t reflect.Type, name string) string {
	if t.PkgPath() == reflect.TypeFor[head]().PkgPath() {
		return "Client" + name
	}
	return name
}

// builder makes one document.
type builder struct {
	set *schemas.Set
	doc *Document
}

// channel adds a channel without messages.
func (b *builder) channel(id, address, title, about string, how binding) {
	how.BindingVersion = "0.1.0"
	b.doc.Channels[id] = &channel{
		Address: address, Title: title, Description: about,
		Messages: map[string]ref{}, Bindings: map[string]binding{"ws": how},
	}
	for _, d := range []struct{ direction, action, title string }{
		{toServer, "receive", "What a client says"}, {toClient, "send", "What the server says"},
	} {
		b.doc.Operations[id+"."+d.direction] = directionalOp{Action: d.action, Title: d.title, Channel: ref{"#/channels/" + id}, Messages: []ref{}}
	}
}

// message adds a message to one direction of a channel.
func (b *builder) message(channelID, direction string, m message) {
	key := channelID + "." + direction + "." + m.Name
	if _, twice := b.doc.Components.Messages[key]; twice {
		panic("asyncapi: two messages called " + key)
	}
	m.Title = m.Name
	m.ContentType = cmp.Or(m.ContentType, b.doc.DefaultContentType)
	b.doc.Components.Messages[key] = m
	b.doc.Channels[channelID].Messages[key] = ref{"#/components/messages/" + key}
	opKey := channelID + "." + direction
	op := b.doc.Operations[opKey]
	op.Messages = append(op.Messages, ref{"#/channels/" + channelID + "/messages/" + key})
	b.doc.Operations[opKey] = op
}

// examples makes one for every message of JSON that has none.
func (b *builder) examples() {
	for key, m := range b.doc.Components.Messages {
		if len(m.Examples) > 0 || m.ContentType != b.doc.DefaultContentType {
			continue
		}
		m.Examples = []example{{Payload: b.exampleOf(m.Payload)}}
		b.doc.Components.Messages[key] = m
	}
}

// exampleOf merges the examples of a payload's parts.
func (b *builder) exampleOf(payload *huma.Schema) map[string]any {
	merged := map[string]any{}
	for _, part := range append([]*huma.Schema{{Type: huma.TypeObject, Properties: payload.Properties}}, payload.AllOf...) {
		if value, ok := b.set.Example(part, true); ok {
			for name, v := range value.(map[string]any) {
				merged[name] = v
			}
		}
	}
	return merged
}

// constant is the schema of one fixed string.
func constant(value string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{value}}
}

// table writes the close codes in Markdown.
func table(closes []Close) string {
	var b strings.Builder
	b.WriteString("\n\n| close code | reason | then |\n|---|---|---|\n")
	for _, c := range closes {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", c.Code, c.Name, c.Then)
	}
	return b.String()
}
