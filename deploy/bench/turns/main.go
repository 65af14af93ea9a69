// Command turns measures how soon the tutor is heard: learners in parallel speak
// recordings, whose end is known to a frame, to a real server over real sockets, and the
// services behind it are simulators with fixed times (end of turn 350 ms, eager end 200 ms
// before it, first token 400 ms, then 60 a second, first sound 150 ms).
//
//	turns -kalami bin/kalami
//
// starts four servers, with drafts and without, for learners whose turns end where the
// recogniser says and for those whom the turn clock is patient with, and prints tables
// as Markdown and lines for machines. A server, the simulators and the learners share the
// machine; everything is on its loopback. The exit code is 1 when a conversation went
// wrong or nothing was measured, not when a figure is bad.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"kalami/deploy/bench/node"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "turns:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	kalami, speech string
	drafts         []string
	length         time.Duration
	atOnce         int
}

// parse reads the command line; the error says what is wrong with it.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("turns", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.kalami, "kalami", "bin/kalami", "`binary` to measure")
	f.StringVar(&o.speech, "speech", "deploy/bench/speech", "`folder` of recordings")
	drafts := f.String("drafts", "off,on", "`settings` of drafts to compare")
	f.DurationVar(&o.length, "length", 30*time.Second, "how long the learners begin new turns")
	f.IntVar(&o.atOnce, "learners", 8, "`number` of learners of a server whose turns end where the recogniser says; the patient ones have six")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.drafts = strings.Split(*drafts, ",")
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("there are no arguments, only flags; %q is not known", f.Args())
	case o.atOnce < 1 || o.length <= 0:
		return nil, errors.New("-learners and -length: must be positive")
	}
	for _, d := range o.drafts {
		if d != "on" && d != "off" {
			return nil, fmt.Errorf("-drafts: %q is not on or off", d)
		}
	}
	return o, nil
}

// class is one server's learners and what came of them.
type class struct {
	drafts   string
	endpoint bool

	mu     sync.Mutex
	byWhom map[string][]measured // by level; guarded by mu
	usage  int                   // tokens of the answers; guarded by mu

	greetings, calls, tokens int // of the language model, when all is over
}

// run holds all conversations and prints what came of them.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	said := map[string][]utterance{}
	for language := range readers {
		if said[language], err = utterances(o.speech, language); err != nil {
			return err
		}
	}
	var classes []*class
	group, gctx := errgroup.WithContext(ctx)
	for _, endpoint := range []bool{true, false} {
		for _, drafts := range o.drafts {
			c := &class{drafts: drafts, endpoint: endpoint, byWhom: map[string][]measured{}}
			classes = append(classes, c)
			group.Go(func() error { return c.hold(gctx, o, said) })
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	_, err = io.WriteString(stdout, report(classes))
	return err
}

// hold starts a server and its simulators and lets the learners talk with it.
func (c *class) hold(ctx context.Context, o *options, said map[string][]utterance) (err error) {
	v, err := startVendors(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	n, err := node.Start(ctx, o.kalami, "KALAMI_DRAFTS="+strconv.FormatBool(c.drafts == "on"),
		"DEEPGRAM_API_KEY=key", "DEEPGRAM_BASE_URL="+v.url, "ELEVENLABS_API_KEY=key", "ELEVENLABS_BASE_URL="+v.url,
		"ANTHROPIC_API_KEY=key", "ANTHROPIC_BASE_URL="+v.url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Stop()) }()
	talkers := c.talkers(o.atOnce)
	talking, over := context.WithTimeout(ctx, o.length)
	defer over()
	group, talking := errgroup.WithContext(talking)
	for i, k := range talkers {
		group.Go(func() error {
			time.Sleep(time.Duration(i) * 230 * time.Millisecond) // not all in step
			all, err := k.talk(talking, n.URL, said[k.language])
			c.mu.Lock()
			defer c.mu.Unlock()
			c.byWhom[k.level] = append(c.byWhom[k.level], all...)
			c.usage += k.answered
			if err != nil {
				return fmt.Errorf("drafts=%s, learner %d of %s at %s: %w", c.drafts, i, k.language, k.level, err)
			}
			return nil
		})
	}
	err = group.Wait()
	c.greetings, c.calls, c.tokens = len(talkers), int(v.calls.Load()), int(v.tokens.Load())
	return err
}

// patientLevels are those that the turn clock is tried at, and patientEach how many
// learners of each there are.
var patientLevels = []string{"A1", "B1", "C1"}

const patientEach = 2

// talkers are the class's learners.
func (c *class) talkers(atOnce int) (all []*talker) {
	languages := []string{"en", "es", "fr", "de"}
	if c.endpoint {
		for i := range atOnce {
			all = append(all, &talker{language: languages[i%len(languages)], level: "B1", endpoint: true, number: i})
		}
		return all
	}
	for i := range patientEach * len(patientLevels) {
		all = append(all, &talker{language: languages[i%len(languages)], level: patientLevels[i%len(patientLevels)], number: i})
	}
	return all
}
