// Command hear lets a Kalami server hear recordings of learners and prints, as
// Markdown, what it understood: the words that were wrong, the turns that were made
// of what was said, how soon the tutor was heard, and, with an engine that
// recognises speech, whether the tutor's audio has the words of its captions.
//
//	hear -kalami bin/kalami -engine http://127.0.0.1:8089
//
// starts a server of its own on a free port, whose Deepgram and ElevenLabs are the
// engine's and whose language model is the demo tutor's role play;
//
//	hear -server http://127.0.0.1:8000
//
// uses one that runs, with whatever vendors it has. The exit code is 1 when
// something was not as it should be: the table names it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"kalami/deploy/bench/trial"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "hear:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	server, kalami, engine string
	fixtures               string
	level                  string
	hesitant               []string
	atOnce                 int
}

// parse reads the command line; the error says what is wrong with it.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	var hesitant string
	f := flag.NewFlagSet("hear", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.server, "server", "", "`address` of a server that runs")
	f.StringVar(&o.kalami, "kalami", "", "`binary` to start instead, with the engine as its Deepgram and ElevenLabs")
	f.StringVar(&o.engine, "engine", os.Getenv("REALSPEECH_URL"), "`address` of an engine that recognises the tutor's audio; REALSPEECH_URL is the default")
	f.StringVar(&o.fixtures, "fixtures", "deploy/bench/speech", "`folder` of recordings")
	f.StringVar(&o.level, "level", "B2", "the learners' CEFR `level`")
	f.StringVar(&hesitant, "hesitant", "A1,A2,B1,B2", "the `levels` of those who hesitate, each tried")
	f.IntVar(&o.atOnce, "at-once", 3, "`number` of conversations at the same time")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	o.hesitant = strings.Split(hesitant, ",")
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("there are no arguments, only flags; %q is not known", f.Args())
	case (o.server == "") == (o.kalami == ""):
		return nil, errors.New("one of -server and -kalami is needed")
	case o.kalami != "" && o.engine == "":
		return nil, errors.New("-kalami needs -engine or REALSPEECH_URL")
	case o.atOnce < 1:
		return nil, errors.New("-at-once: must be positive")
	}
	return o, nil
}

// run holds all trials and prints what came of them.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	fixtures, err := trial.Fixtures(o.fixtures)
	if err != nil {
		return err
	}
	if o.kalami != "" {
		s, err := startServer(ctx, o.kalami, o.engine)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, s.Stop()) }()
		o.server = s.URL
	}
	plan := trial.Plan(fixtures, o.level, o.hesitant...)
	err = trial.HoldAll(ctx, o.server, plan, o.atOnce, func(t *trial.Trial) {
		// A write error has nowhere to be reported.
		_, _ = fmt.Fprintf(stderr, "%s at %s: %d of %d words wrong, %d turns\n", t.Name, t.Level,
			t.WordError().Errors, t.WordError().Words, len(t.Result.Turns))
	})
	if err != nil {
		return err
	}
	for _, t := range plan {
		if err := t.Retry(ctx, o.server); err != nil {
			return err
		}
	}
	var echoes []trial.Echo
	if o.engine != "" {
		engine, err := trial.NewEngine(o.engine)
		if err != nil {
			return err
		}
		defer engine.Close()
		if echoes, err = engine.EchoAll(ctx, "en", plan); err != nil {
			return err
		}
	}
	return report(stdout, plan, echoes)
}
