package gateway

import (
	"cmp"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"kalami/gateway/schemas"
	"kalami/session"
)

// The groups of operations.
const (
	tagOperations   = "operations"
	tagDescriptions = "descriptions"
)

// tags are the groups in the order in which they are shown.
func tags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "accounts", Description: "Making an account, signing in, and staying signed in."},
		{Name: "profiles", Description: "A profile is one language that somebody learns: its level, its settings, and how far they are."},
		{Name: "statistics", Description: "What a learner has done over all languages. Speaking time is the time in which the learner's " +
			"voice was heard, not the length of sessions. A word is mastered when its card is in review with a stability of 21 days, " +
			"or when it was used rightly and unprompted on three different days."},
		{Name: "conversations", Description: "A conversation is held over the voice socket (see /asyncapi.json), or turn by turn with whole " +
			"recordings or texts. Both run the same tutor and fill the same history."},
		{Name: "scenarios", Description: "Situations to talk in, with two roles and goals that the learner is to reach."},
		{Name: "sync", Description: "Devices keep copies of profiles, cards and reviews, and work on without a network. Here they agree."},
		{Name: "vocabulary", Description: "Cards are what a learner wants to remember. How well each is remembered follows from its reviews."},
		{Name: "reviews", Description: "Spaced repetition (FSRS): which cards to ask now, and what came of it."},
		{Name: "memories", Description: "What the tutor remembers of a learner from one conversation to the next."},
		{Name: "pronunciation", Description: "How learners speak, told with care: what a recogniser understood is kept apart from what an " +
			"assessor has heard of the sounds."},
		{Name: "consents", Description: "What learners have agreed to, and what they have taken back."},
		{Name: "speech", Description: "Recordings to text and text to clips, without a conversation."},
		{Name: tagOperations, Description: "What this server is, what it offers, and how it is."},
		{Name: tagDescriptions, Description: "This API for machines."},
		{Name: "debug", Description: "Aids for trying things out on one's own machine."},
	}
}

// usedTags are those of the groups that have operations.
func usedTags(operations []operation) []*huma.Tag {
	return slices.DeleteFunc(tags(), func(tag *huma.Tag) bool {
		return !slices.ContainsFunc(operations, func(op operation) bool { return op.tag == tag.Name })
	})
}

const aboutAPI = `Kalami is a tutor that one talks with to learn a language.

Every route answers at the path shown and below ` + "`/api`" + ` as well. A GET route answers HEAD too. Times are RFC 3339 in UTC.
Unknown fields of a request are ignored, but for those of a PATCH, which are refused: a change that is not made must not
look like one that is.

**Signing in.** ` + "`POST /auth/login`" + ` gives an access token, which goes into the Authorization header of every request whose
operation asks for it, and a refresh token, with which ` + "`POST /auth/refresh`" + ` gives the next ones. The voice socket takes a
single-use ticket instead: ` + "`POST /v1/voice/tickets`" + `.

**Errors** all have one shape. ` + "`detail`" + ` is a sentence for people, ` + "`code`" + ` a word for programs, ` + "`errors`" + ` names the
fields to correct, and ` + "`request_id`" + ` is what the server's log calls this request; a client may choose it with X-Request-ID.`

// describer turns operations into an OpenAPI document.
type describer struct {
	operations []operation
	schemas    *schemas.Set
}

func newDescriber(operations []operation) *describer {
	return &describer{operations: operations, schemas: schemas.NewSet("#/components/schemas/", schemaName)}
}

// schemaName names what would say too little under its own name outside its package.
func schemaName(t reflect.Type, name string) string {
	switch {
	case t == reflect.TypeFor[errorBody]():
		return "Error"
	case t.PkgPath() == reflect.TypeFor[session.Config]().PkgPath():
		return "Voice" + name
	}
	return name
}

// document is the whole description. It panics on a tag of a Go type that says something
// impossible, such as a number as the example of a string.
func (d *describer) document(name, version string) *huma.OpenAPI {
	failed := d.schemas.Sent(reflect.TypeFor[errorBody]())
	api := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: name + " API", Version: cmp.Or(version, "unknown"), Description: aboutAPI},
		Servers: []*huma.Server{{URL: "/", Description: "The routes"}, {URL: "/api", Description: "The same routes, for clients that expect them here"}},
		Tags:    usedTags(d.operations),
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{
			Schemas:         d.schemas.Registry(),
			Responses:       commonFailures(failed),
			Headers:         commonHeaders(),
			SecuritySchemes: securitySchemes(),
		},
	}
	for _, op := range d.operations {
		path := openAPIPath(op.path)
		item := api.Paths[path]
		if item == nil {
			item = &huma.PathItem{}
			api.Paths[path] = item
		}
		*methodOf(item, op.method) = d.operation(op, failed)
	}
	d.schemas.Finish()
	d.examples(api)
	return api
}

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access token that signing in gave."},
		"password": {Type: "oauth2", Description: "Signs in with an e-mail address (as username) and password.",
			Flows: &huma.OAuthFlows{Password: &huma.OAuthFlow{TokenURL: "/auth/login", Scopes: map[string]string{}}}}, //nolint:gosec // a route, not a credential
	}
}

// operation describes one route.
func (d *describer) operation(op operation, failed *huma.Schema) *huma.Operation {
	out := &huma.Operation{
		OperationID: op.id, Tags: []string{op.tag}, Summary: op.summary, Description: op.about,
		Parameters:  d.parameters(op),
		RequestBody: d.requestBody(op),
		Responses:   d.answers(op, failed),
	}
	if !op.open {
		out.Security = []map[string][]string{{"bearer": {}}, {"password": {}}}
	}
	return out
}

// parameters are those of the path, then those of the query.
func (d *describer) parameters(op operation) []*huma.Param {
	var out []*huma.Param
	segments := strings.Split(op.path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			noun := strings.TrimSuffix(segments[i-1], "s")
			out = append(out, &huma.Param{Name: name, In: "path", Required: true,
				Description: "The " + noun + "'s id.", Schema: &huma.Schema{Type: huma.TypeString}})
		}
	}
	for _, p := range op.query {
		schema := d.schemas.Inline(reflect.TypeOf(p.shape))
		if !reflect.ValueOf(p.shape).IsZero() {
			schema.Default = p.shape
		}
		schema.Enum = p.enum
		schema.Minimum, schema.Maximum = number64(p.min), number64(p.max)
		out = append(out, &huma.Param{Name: p.name, In: "query", Required: p.required, Description: p.about, Schema: schema})
	}
	return out
}

func number64(n *int) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// requestBody is nil for a route without one.
func (d *describer) requestBody(op operation) *huma.RequestBody {
	if len(op.takes) == 0 {
		return nil
	}
	return &huma.RequestBody{Required: !op.bodyOptional, Content: d.contents(op.takes, d.schemas.Received)}
}

// contents describes bodies by their media types; shaped gives the schema of a Go type.
func (d *describer) contents(bodies []content, shaped func(reflect.Type) *huma.Schema) map[string]*huma.MediaType {
	out := map[string]*huma.MediaType{}
	for _, body := range bodies {
		mt := cmp.Or(body.mediaType, echo.MIMEApplicationJSON)
		media := &huma.MediaType{Example: body.example}
		switch {
		case body.shape == nil:
			media.Schema = binary()
		case strings.HasPrefix(mt, "multipart/"):
			media.Schema = d.schemas.Form(reflect.TypeOf(body.shape))
		default:
			media.Schema = shaped(reflect.TypeOf(body.shape))
		}
		out[mt] = media
	}
	return out
}

// binary is the schema of plain bytes.
func binary() *huma.Schema { return &huma.Schema{Type: huma.TypeString, Format: "binary"} }

// answers are those of success and of every failure that a caller should expect.
func (d *describer) answers(op operation, failed *huma.Schema) map[string]*huma.Response {
	out := map[string]*huma.Response{}
	for _, ok := range op.gives {
		r := &huma.Response{
			Description: cmp.Or(ok.about, http.StatusText(ok.status)),
			Headers:     map[string]*huma.Header{"X-Request-ID": headerRef("RequestID")},
		}
		if op.class == reading || op.class == writing || op.class == speaking {
			addRateHeaders(r.Headers)
		}
		if len(ok.bodies) > 0 {
			r.Content = d.contents(ok.bodies, d.schemas.Sent)
		}
		out[strconv.Itoa(ok.status)] = r
	}
	for status, name := range d.usualFailures(op) {
		out[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + name}
	}
	for _, fail := range op.fails {
		key := strconv.Itoa(fail.status)
		if known := out[key]; known != nil && known.Ref == "" {
			known.Description += " " + fail.about
			continue
		}
		out[key] = failureResponse(failed, fail.status, fail.about)
	}
	return out
}

// usualFailures are the failures that follow from what an operation is, as names of
// components by status.
func (d *describer) usualFailures(op operation) map[int]string {
	out := map[int]string{http.StatusInternalServerError: "InternalError"}
	if !op.open {
		out[http.StatusUnauthorized] = "Unauthorized"
	}
	if len(op.takes) > 0 {
		out[http.StatusRequestEntityTooLarge] = "TooLarge"
		out[http.StatusUnsupportedMediaType] = "UnsupportedMediaType"
	}
	if len(op.takes) > 0 || len(op.query) > 0 {
		out[http.StatusUnprocessableEntity] = "Invalid"
	}
	if bounded(op) {
		out[http.StatusTooManyRequests] = "TooManyRequests"
	}
	return out
}

// bounded says whether an operation may be called only so often: by its class, by bounds of
// its own as signing in has, or because strangers' tokens are looked up only so often.
func bounded(op operation) bool {
	return !op.open || op.method == http.MethodPost || op.class != unpaced && op.class != describes
}

// openAPIPath turns Echo's /users/:id into /users/{id}.
func openAPIPath(path string) string {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if name, ok := strings.CutPrefix(segment, ":"); ok {
			segments[i] = "{" + name + "}"
		}
	}
	return strings.Join(segments, "/")
}

// methodOf is the place of a method's operation in a path's item.
func methodOf(item *huma.PathItem, method string) **huma.Operation {
	switch method {
	case http.MethodPost:
		return &item.Post
	case http.MethodPut:
		return &item.Put
	case http.MethodPatch:
		return &item.Patch
	case http.MethodDelete:
		return &item.Delete
	default:
		return &item.Get
	}
}

// operationsOf lists the operations of an item; tools expect no order of them.
func operationsOf(item *huma.PathItem) []*huma.Operation {
	return slices.DeleteFunc([]*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete},
		func(op *huma.Operation) bool { return op == nil })
}

// examples gives every body that has none an example made of the examples of its fields.
func (d *describer) examples(api *huma.OpenAPI) {
	for _, item := range api.Paths {
		for _, op := range operationsOf(item) {
			if op.RequestBody != nil {
				d.fillExamples(op.RequestBody.Content, false)
			}
			for _, answer := range op.Responses {
				d.fillExamples(answer.Content, true)
			}
		}
	}
}

// fillExamples makes the missing examples; a whole one has every field.
func (d *describer) fillExamples(bodies map[string]*huma.MediaType, whole bool) {
	for _, body := range bodies {
		if body.Example != nil {
			continue
		}
		if value, ok := d.schemas.Example(body.Schema, whole); ok {
			body.Example = value
		}
	}
}
