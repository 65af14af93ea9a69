package verify

// invariant is a promise and how it is tested.
type invariant struct {
	id   Invariant
	says string
	// conversation tests it on one conversation; nil for what concerns nodes and logs.
	conversation func(f *caseFile, id Invariant)
	// nodes tests it on what the nodes wrote about themselves; or nil.
	nodes func(f *caseFile, id Invariant)
}

// logsAreClean is the one invariant that neither conversations nor nodes show.
const logsAreClean Invariant = "I10"

// invariants returns the table of all promises.
func invariants() []invariant {
	return []invariant{
		{id: "I1", says: "no acknowledged utterance is lost", conversation: acknowledgedIsStored},
		{id: "I2", says: "no message is stored twice, and what a conversation counts is what it holds", conversation: storedOnce},
		{id: "I3", says: "events and messages are numbered without holes, and turns are well-formed", conversation: numbersAreWhole},
		{id: "I4", says: "epochs never fall, and one epoch has one writer", conversation: oneWriterAnEpoch},
		{id: "I5", says: "nothing of one tenant reaches another", conversation: tenantsAreApart},
		{id: "I6", says: "the tutor's stored text is what the learner heard", conversation: heardIsStored},
		{id: "I7", says: "what was analysed is stored, once, with the message that it is about", conversation: analysedOnce},
		{id: "I8", says: "audio has no holes, and what was said in acknowledged audio is stored", conversation: audioIsWhole},
		{id: "I9", says: "what a node holds is what it is held for", nodes: nothingLeaks},
		{id: logsAreClean, says: "nothing that is secret stands in a log"},
		{id: "I11", says: "retries and hedges are at most a tenth of the calls to vendors", nodes: extraCallsAreFew},
		{id: "I12", says: "every socket closes with a documented code", conversation: codesAreDocumented, nodes: codesAreDocumented},
	}
}

// says returns what is promised.
func (i Invariant) says() string {
	for _, inv := range invariants() {
		if inv.id == i {
			return inv.says
		}
	}
	return "unknown"
}

// checkNodes tests what can be told by what nodes say of themselves.
func (f *caseFile) checkNodes() {
	for _, i := range invariants() {
		if i.nodes != nil {
			i.nodes(f, i.id)
		}
	}
}
