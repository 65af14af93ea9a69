package live

import (
	"cmp"
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"kalami/session/learn"
)

// maxPipeline and maxQuestions are how many bytes, and how many runs of scripts, are sent
// before their answers are waited for: what a network of 1 Gbit/s and a busy server can deal
// with well within the time to answer, with others served in between.
const maxPipeline, maxQuestions = 4 << 20, 256

// question is one run of a script in a pipeline.
type question struct {
	script *redis.Script
	// conversation is whose it is; empty for none's.
	conversation string
	keys         []string
	args         []any
	size         int // of the arguments, roughly, in bytes
}

// ask runs scripts that answer with one of the answers above, in as few pipelines as
// there can be, and gathers what they say of conversations. Conversations that there was
// no answer about are lost; the error is the first of them.
func (s *Store) ask(ctx context.Context, questions []question) (answer learn.LiveAnswer, err error) {
	for len(questions) > 0 {
		n, size := 0, 0
		for n == 0 || n < min(len(questions), maxQuestions) && size+questions[n].size <= maxPipeline {
			size += questions[n].size
			n++
		}
		for i, cmd := range s.pipeline(ctx, questions[:n]) {
			code, failure := cmd.Int()
			id := questions[i].conversation
			switch {
			case failure != nil:
				err = cmp.Or(err, failure)
				fallthrough
			case code == answerLost:
				if id != "" {
					answer.Lost = append(answer.Lost, id)
				}
			case code == answerSuperseded:
				answer.Superseded = append(answer.Superseded, id)
			}
		}
		questions = questions[n:]
	}
	return answer, err
}

// pipeline sends questions together and returns their answers, or their errors, in order.
func (s *Store) pipeline(ctx context.Context, questions []question) []*redis.Cmd {
	answers := make([]*redis.Cmd, len(questions))
	send := func(which []int, run func(q question, p redis.Pipeliner) *redis.Cmd) {
		// Every command has the error, or its own.
		_, _ = s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, i := range which {
				answers[i] = run(questions[i], p)
			}
			return nil
		})
	}
	all := make([]int, len(questions))
	for i := range all {
		all[i] = i
	}
	send(all, func(q question, p redis.Pipeliner) *redis.Cmd { return q.script.EvalSha(ctx, p, q.keys, q.args...) })
	var unknown []int
	for i, a := range answers {
		if redis.HasErrorPrefix(a.Err(), "NOSCRIPT") || errors.Is(a.Err(), redis.ErrNoScript) {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) > 0 { // the server is new, or was emptied
		send(unknown, func(q question, p redis.Pipeliner) *redis.Cmd { return q.script.Eval(ctx, p, q.keys, q.args...) })
	}
	return answers
}
