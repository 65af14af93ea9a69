package learn

import "testing"

func TestParseTenantSettings(t *testing.T) {
	for raw, c := range map[string]struct {
		off, fails bool
		most       int
	}{
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
		`{"sessions":{"most":30}}`:      {most: 30},
		`{"sessions":{"most":0}}`:       {},
		`{"sessions":{"most":-1}}`:      {fails: true},
		`{"sessions":{"most":"30"}}`:    {fails: true},
	} {
		s, err := ParseTenantSettings(raw)
		if s.Drafts.Off() != c.off || s.Sessions.Most != c.most || (err != nil) != c.fails {
			t.Errorf("%s: off %v, most %d, %v", raw, s.Drafts.Off(), s.Sessions.Most, err)
		}
	}
}

func FuzzParseTenantSettings(f *testing.F) {
	for _, raw := range []string{``, `{}`, `{"drafts":{"enabled":false}}`, `{"drafts":{"enabled":1}}`, `{"sessions":{"most":-3}}`, `[[[`} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if s, err := ParseTenantSettings(raw); err != nil && s != (TenantSettings{}) {
			t.Errorf("%q: %+v with %v", raw, s, err)
		}
	})
}
