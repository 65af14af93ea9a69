package learn

import "testing"

func TestParseTenantSettings(t *testing.T) {
	for raw, c := range map[string]struct{ off, fails bool }{
		``:                              {},
		`{}`:                            {},
		`null`:                          {},
		`{"drafts":{}}`:                 {},
		`{"drafts":{"enabled":true}}`:   {},
		`{"drafts":{"enabled":false}}`:  {off: true},
		`{"later":1,"drafts":{"x":[]}}`: {},
		`{"drafts":{"enabled":"no"}}`:   {fails: true},
		`{"drafts":`:                    {fails: true},
		`[]`:                            {fails: true},
	} {
		s, err := ParseTenantSettings(raw)
		if s.Drafts.Off() != c.off || (err != nil) != c.fails {
			t.Errorf("%s: off %v, %v", raw, s.Drafts.Off(), err)
		}
	}
}

func FuzzParseTenantSettings(f *testing.F) {
	for _, raw := range []string{``, `{}`, `{"drafts":{"enabled":false}}`, `{"drafts":{"enabled":1}}`, `[[[`} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if s, err := ParseTenantSettings(raw); err != nil && s != (TenantSettings{}) {
			t.Errorf("%q: %+v with %v", raw, s, err)
		}
	})
}
