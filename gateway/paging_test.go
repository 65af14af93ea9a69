package gateway

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/labstack/echo/v4"

	"kalami/session/learn"
)

func asked(target string) echo.Context {
	return echo.New().NewContext(httptest.NewRequest(http.MethodGet, target, http.NoBody), httptest.NewRecorder())
}

// faultsOf returns the parameters that an error names.
func faultsOf(t *testing.T, err error) []string {
	t.Helper()
	if err == nil {
		return nil
	}
	var fields []string
	for _, f := range describe(err).body.Errors {
		fields = append(fields, f.Field)
	}
	if learn.KindOf(err) != learn.Invalid || fields == nil {
		t.Errorf("refused with %v, want Invalid with fields", err)
	}
	return fields
}

func TestReadPage(t *testing.T) {
	for target, want := range map[string]struct {
		pageRange
		faults []string
	}{
		"/":                             {pageRange{20, 0}, nil},
		"/?limit=&offset=":              {pageRange{20, 0}, nil},
		"/?limit=1&offset=0":            {pageRange{1, 0}, nil},
		"/?limit=100&offset=100000":     {pageRange{100, 100_000}, nil},
		"/?limit=7&other=-1":            {pageRange{7, 0}, nil},
		"/?limit=0":                     {faults: []string{"limit"}},
		"/?limit=101":                   {faults: []string{"limit"}},
		"/?limit=-1&offset=-1":          {faults: []string{"limit", "offset"}},
		"/?limit=1e2&offset=100001":     {faults: []string{"limit", "offset"}},
		"/?limit=9223372036854775808":   {faults: []string{"limit"}},
		"/?limit=ten":                   {faults: []string{"limit"}},
		"/?limit=1.5":                   {faults: []string{"limit"}},
		"/?limit=%31":                   {pageRange{1, 0}, nil},
		"/?limit=1&limit=2":             {faults: []string{"limit"}},
		"/?limit=%":                     {faults: []string{"query"}},
		"/?limit=1;offset=2":            {faults: []string{"query"}},
		"/?offset=%D9%A1":               {faults: []string{"offset"}}, // an Arabic one
		"/?limit=2&limit[]=9&LIMIT=999": {pageRange{2, 0}, nil},
	} {
		q := readQuery(asked(target))
		got := q.page(20, 100)
		err := q.err("test")
		if faults := faultsOf(t, err); !slices.Equal(faults, want.faults) {
			t.Errorf("%s: at fault %q, want %q", target, faults, want.faults)
		} else if err == nil && got != want.pageRange {
			t.Errorf("%s: %+v, want %+v", target, got, want.pageRange)
		}
	}
}

// What page takes is what its description says.
func TestPageParameters(t *testing.T) {
	for _, p := range pageParameters(20, 100) {
		if n, ok := p.shape.(int); !ok || p.min == nil || p.max == nil || n < *p.min || n > *p.max || p.about == "" {
			t.Errorf("%s is described as %+v", p.name, p)
		}
	}
}

func TestQueryNumber(t *testing.T) {
	for target, want := range map[string]struct {
		speed  float64
		faults []string
	}{
		"/":                    {1, nil},
		"/?speed=":             {1, nil},
		"/?speed=0.75&other=x": {0.75, nil},
		"/?speed=2":            {2, nil},
		"/?speed=fast":         {faults: []string{"speed"}},
		"/?speed=NaN":          {faults: []string{"speed"}},
		"/?speed=Inf":          {faults: []string{"speed"}},
		"/?speed=2.01":         {faults: []string{"speed"}},
		"/?speed=1&speed=2":    {faults: []string{"speed"}},
	} {
		q := readQuery(asked(target))
		got := q.number("speed", 1, 0.5, 2)
		if faults := faultsOf(t, q.err("test")); !slices.Equal(faults, want.faults) {
			t.Errorf("%s: at fault %q, want %q", target, faults, want.faults)
		} else if faults == nil && got != want.speed {
			t.Errorf("%s: %v, want %v", target, got, want.speed)
		}
	}
}
