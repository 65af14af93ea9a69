package learn

import (
	"encoding/json"
	"fmt"
)

// TenantSettings are what a school has set for all of its lessons. The zero value has
// set nothing: what holds is what the deployment says.
type TenantSettings struct {
	Drafts DraftSettings `json:"drafts"`
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
	return s, nil
}
