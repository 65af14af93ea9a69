package gateway

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"
)

// query reads the parameters behind a request's question mark and collects what is
// wrong with them, as [faults] does for a body's fields. Parameters that nobody asks
// for are ignored.
type query struct {
	values url.Values
	faults
}

// readQuery splits the request's query. What is not percent-encoded rightly is a fault.
func readQuery(c echo.Context) *query {
	q := &query{}
	var err error
	if q.values, err = url.ParseQuery(c.Request().URL.RawQuery); err != nil {
		q.add("query", "must be percent-encoded parameters, name=value, separated by &")
	}
	return q
}

// get returns a parameter's value; ok is false when it is not there or empty, and when
// it stands there twice, which is a fault: two readers might take different ones.
func (q *query) get(name string) (value string, ok bool) {
	all := q.values[name]
	if len(all) > 1 {
		q.add(name, "must be given once")
		return "", false
	}
	return strings.Join(all, ""), len(all) == 1 && all[0] != ""
}

// integer returns a whole number between lo and hi, or otherwise when it is not there.
func (q *query) integer(name string, otherwise, lo, hi int) int {
	value, ok := q.get(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < lo || n > hi {
		q.add(name, "must be a whole number between %d and %d", lo, hi)
		return otherwise
	}
	return n
}

// number returns a decimal number between lo and hi, or otherwise when it is not there.
func (q *query) number(name string, otherwise, lo, hi float64) float64 {
	value, ok := q.get(name)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= lo && n <= hi) { // a NaN is in no range
		q.add(name, "must be a number between %v and %v", lo, hi)
		return otherwise
	}
	return n
}
