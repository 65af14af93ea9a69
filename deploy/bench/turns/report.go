package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// samples are durations of which quantiles are wanted.
type samples []time.Duration

// at returns the least value that a share q of the samples does not exceed, in whole
// milliseconds; 0 of none.
func (s samples) at(q float64) int64 {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	i := int(q*float64(len(sorted)) + 0.999999)
	return sorted[min(max(i-1, 0), len(sorted)-1)].Round(time.Millisecond).Milliseconds()
}

// of takes one figure of each turn.
func of(all []measured, figure func(measured) time.Duration) (s samples) {
	for _, m := range all {
		s = append(s, figure(m))
	}
	return s
}

func first(m measured) time.Duration { return m.first }
func turn(m measured) time.Duration  { return m.turn }

// turns are all of the class.
func (c *class) turns() (all []measured) {
	for _, level := range c.byWhom {
		all = append(all, level...)
	}
	return all
}

// callsPerTurn is how often the language model was asked for one answer, and wasted how
// many of its tokens belonged to none.
func (c *class) callsPerTurn() float64 {
	return float64(c.calls-c.greetings) / float64(max(1, len(c.turns())))
}

func (c *class) wasted() int { return max(0, c.tokens-c.usage) }

// report prints the tables, and the lines for machines.
func report(classes []*class) string {
	var b, lines strings.Builder
	b.WriteString("The turn ends on the recogniser's word:\n\n" +
		"| drafts | turns | of them hesitant | end of speech → first audio p50 | p95 | p99 | model calls a turn | wasted tokens |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range classes {
		if !c.endpoint {
			continue
		}
		all := c.turns()
		s := of(all, first)
		fmt.Fprintf(&b, "| %s | %d | %d | %d ms | %d ms | %d ms | %.2f | %d |\n",
			c.drafts, len(all), hesitant(all), s.at(0.5), s.at(0.95), s.at(0.99), c.callsPerTurn(), c.wasted())
		fmt.Fprintf(&lines, "turn_latency drafts=%s p50_ms=%d p95_ms=%d p99_ms=%d llm_calls_per_turn=%.2f wasted_tokens=%d\n",
			c.drafts, s.at(0.5), s.at(0.95), s.at(0.99), c.callsPerTurn(), c.wasted())
	}
	b.WriteString("\nWhere that time goes, by the server's figures, p50 in milliseconds:\n\n" +
		"| drafts | end of turn | first token | first clause | first sound | to the socket | to the ear | drafted before |\n|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, c := range classes {
		if c.endpoint {
			stages(&b, c)
		}
	}
	b.WriteString("\nThe turn ends by the turn clock:\n\n" +
		"| level | drafts | turns | of them hesitant | end of speech → first audio p50 | p95 | turn's end → first audio p50 | p95 | model calls a turn, all levels |\n|---|---|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, level := range patientLevels {
		for _, c := range classes {
			if c.endpoint {
				continue
			}
			all := c.byWhom[level]
			s, t := of(all, first), of(all, turn)
			fmt.Fprintf(&b, "| %s | %s | %d | %d | %d ms | %d ms | %d ms | %d ms | %.2f |\n",
				level, c.drafts, len(all), hesitant(all), s.at(0.5), s.at(0.95), t.at(0.5), t.at(0.95), c.callsPerTurn())
		}
	}
	apart := agreement(classes)
	fmt.Fprintf(&b, "\nThe server's own figure of end of speech → first sample heard differs from the client's by %d ms p50, %d ms p95 (%d turns).\n",
		apart.at(0.5), apart.at(0.95), len(apart))
	fmt.Fprintf(&lines, "latency_agreement p50_ms=%d p95_ms=%d\n", apart.at(0.5), apart.at(0.95))
	return b.String() + "\n```\n" + lines.String() + "```\n"
}

// stages prints where a class's time goes.
func stages(b *strings.Builder, c *class) {
	fmt.Fprintf(b, "| %s", c.drafts)
	for _, figure := range []func(measured) int{
		func(m measured) int { return m.latency.EndpointMS }, func(m measured) int { return m.latency.LLMFirstMS },
		func(m measured) int { return m.latency.ClauseMS }, func(m measured) int { return m.latency.TTSFirstMS },
		func(m measured) int { return m.latency.EgressMS }, func(m measured) int { return m.latency.BufferMS },
		func(m measured) int { return m.latency.DraftMS },
	} {
		s := of(c.turns(), func(m measured) time.Duration { return time.Duration(figure(m)) * time.Millisecond })
		fmt.Fprintf(b, " | %d", s.at(0.5))
	}
	b.WriteString(" |\n")
}

// hesitant counts the turns with a pause in them.
func hesitant(all []measured) (n int) {
	for _, m := range all {
		if m.hesitant {
			n++
		}
	}
	return n
}

// agreement is by how much the server's figure of a turn and the client's differ, of all
// turns.
func agreement(classes []*class) (apart samples) {
	for _, c := range classes {
		for _, m := range c.turns() {
			if m.latency.HeardMS > 0 {
				apart = append(apart, (m.first - time.Duration(m.latency.HeardMS)*time.Millisecond).Abs())
			}
		}
	}
	return apart
}
