package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kalami/gateway"
)

// RateMap says by name how often something may happen, where the built-in rate is not wanted.
type RateMap map[string]gateway.Rate

// rateFields are the rates that can be set, by the names that the variable uses.
func rateFields(r *gateway.Rates) map[string]*gateway.Rate {
	return map[string]*gateway.Rate{
		"reading": &r.Reading, "writing": &r.Writing, "speaking": &r.Speaking, "guests": &r.GuestSpeaking,
		"open": &r.Open, "strangers": &r.Strangers, "joins": &r.Joins, "logins": &r.Logins, "handshakes": &r.Handshakes,
	}
}

// UnmarshalText accepts speaking=30/m,reading=600/m:120,joins=off: a number in a second,
// minute or hour, and after a colon how many of them may come at once (as many as in the
// whole time when it is not said).
func (m *RateMap) UnmarshalText(b []byte) error {
	known, rates := rateFields(&gateway.Rates{}), RateMap{}
	for item := range splitList(string(b)) {
		name, text, _ := strings.Cut(item, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if known[name] == nil {
			return fmt.Errorf("%q is not one of %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if _, twice := rates[name]; twice {
			return fmt.Errorf("%s is there twice", name)
		}
		rate, ok := parseRate(strings.ToLower(strings.TrimSpace(text)))
		if !ok {
			return fmt.Errorf("%q of %s is not a rate such as 30/m, 30/m:10 or off", text, name)
		}
		rates[name] = rate
	}
	*m = rates
	return nil
}

// maxRate is more than a node can answer in any of the units.
const maxRate = 1_000_000

// units are the times that a rate is counted in.
func units() map[string]time.Duration {
	return map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}
}

func parseRate(s string) (gateway.Rate, bool) {
	if s == "off" {
		return gateway.Rate{Count: -1}, true
	}
	s, burstText, hasBurst := strings.Cut(s, ":")
	countText, unit, _ := strings.Cut(s, "/")
	count, err := strconv.Atoi(countText)
	burst := count
	if hasBurst && err == nil {
		burst, err = strconv.Atoi(burstText)
	}
	per := units()[unit]
	if err != nil || per == 0 || count < 1 || count > maxRate || burst < 1 || burst > maxRate {
		return gateway.Rate{}, false
	}
	return gateway.Rate{Count: count, Per: per, Burst: burst}, true
}

// String returns the map as it may be written, sorted.
func (m RateMap) String() string {
	var items []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		r := m[name]
		if r.Count < 0 {
			items = append(items, name+"=off")
			continue
		}
		for unit, per := range units() {
			if per == r.Per {
				items = append(items, fmt.Sprintf("%s=%d/%s:%d", name, r.Count, unit, r.Burst))
			}
		}
	}
	return strings.Join(items, ",")
}

// rates are the gateway's, with its own defaults where none was set.
func (m RateMap) rates() gateway.Rates {
	var r gateway.Rates
	for name, field := range rateFields(&r) {
		*field = m[name]
	}
	return r
}
