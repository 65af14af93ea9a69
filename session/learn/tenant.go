package learn

import (
	"encoding/json"
	"fmt"
)

// TenantSettings are what a school has set for all of its lessons. The zero value has
// set nothing: what holds is what the deployment says.
type TenantSettings struct {
	Drafts   DraftSettings   `json:"drafts"`
	Sessions SessionSettings `json:"sessions"`
	// Pronunciation is about who may judge how learners speak.
	Pronunciation PronunciationSettings `json:"pronunciation"`
}

// PronunciationSettings are about vendors that judge learners' sounds, which get their voices.
type PronunciationSettings struct {
	// Vendors says whether one may be asked, for learners who agree; nil when nothing is set.
	Vendors *bool `json:"vendors"`
}

// Allowed says whether a vendor may be asked for learners of a tenant who agree: a school
// has to say so, people on their own decide for themselves.
func (p PronunciationSettings) Allowed(tenantID string) bool {
	if p.Vendors == nil {
		return tenantID == PersonalTenant
	}
	return *p.Vendors
}

// SessionSettings are about how many conversations there may be.
type SessionSettings struct {
	// Most is how many the tenant's learners may have open at once, all together and over
	// all nodes; 0 when nothing is set.
	Most int `json:"most"`
}

// DraftSettings are about answers that are begun before the learner's turn has ended.
type DraftSettings struct {
	// Enabled is nil when nothing is set. True cannot turn on what the deployment has
	// turned off: it is the deployment that pays.
	Enabled *bool `json:"enabled"`
}

// Off says whether the school wants no drafts.
func (d DraftSettings) Off() bool { return d.Enabled != nil && !*d.Enabled }

// ParseTenantSettings reads settings from JSON; empty text sets nothing. Fields that it
// does not know are passed over, since newer versions may have written them.
func ParseTenantSettings(raw string) (TenantSettings, error) {
	var s TenantSettings
	if raw == "" {
		return s, nil
	}
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return TenantSettings{}, fmt.Errorf("learn: tenant settings: %w", err)
	}
	if s.Sessions.Most < 0 {
		return TenantSettings{}, fmt.Errorf("learn: tenant settings: sessions.most is %d, below 0", s.Sessions.Most)
	}
	return s, nil
}
