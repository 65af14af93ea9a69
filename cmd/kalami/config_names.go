package main

import (
	"regexp"
	"strings"
)

// ourPrefix is what every variable begins with that is ours alone. In the
// environment, a name with this prefix that we do not have is an error.
const ourPrefix = "KALAMI_"

// notOurs tells which names in the environment are no misspelling: everything
// without our prefix; KALAMI_TEST_…, which the test suite reads; and the
// variables with which Kubernetes describes a Service that is called kalami (or
// kalami-redis, …) to every pod in its namespace.
func notOurs(name, value string) bool {
	rest, ours := strings.CutPrefix(name, ourPrefix)
	return !ours || strings.HasPrefix(rest, "TEST_") || isServiceLink(rest, value)
}

func isServiceLink(rest, value string) bool {
	if strings.HasSuffix(rest, "SERVICE_HOST") {
		return true
	}
	if regexp.MustCompile(`(^|_)SERVICE_PORT(_[A-Z0-9_]+)?$|(^|_)PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$`).MatchString(rest) {
		return true
	}
	// KALAMI_PORT is a service link as tcp://10.0.0.1:8000, and a misspelt PORT as 8000.
	return (rest == "PORT" || strings.HasSuffix(rest, "_PORT")) && strings.Contains(value, "://")
}

// closest returns the known name that the writer probably meant, or "".
func closest(name string, known []string) string {
	name = strings.TrimPrefix(strings.ToUpper(name), ourPrefix)
	best, bestDistance := "", 1+len(name)/5
	for _, k := range known {
		d := editDistance(name, strings.TrimPrefix(k, ourPrefix))
		if d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = k, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete or replace to turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
