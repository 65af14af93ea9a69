package verify

// tenantsAreApart is I5: no client has seen another tenant's marker, and the conversations
// that it was let into are its own tenant's, as are all their messages.
func tenantsAreApart(f *caseFile, id Invariant) {
	owner := ""
	if f.stored != nil {
		owner = f.stored.Conversation.TenantID
		for _, m := range f.stored.Messages {
			if m.TenantID != owner {
				f.violated(id, f.lastCommit(m.UtteranceID), "message %d belongs to tenant %s, its conversation to %s", m.Seq, m.TenantID, owner)
			}
		}
	}
	for i, rec := range f.records {
		switch fact := rec.Fact.(type) {
		case CanarySeen:
			f.violated(id, i, "%s has seen a marker of tenant %s", rec.By, fact.Of)
		case Connected:
			if owner != "" && fact.Tenant != "" && fact.Tenant != owner {
				f.violated(id, i, "%s of tenant %s is in a conversation of tenant %s", rec.By, fact.Tenant, owner)
			}
		}
	}
}
