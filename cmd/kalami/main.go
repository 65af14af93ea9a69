// Command kalami is the whole of Kalami in one binary: the server that a learner
// talks to, and the tools around it.
//
//	kalami                 serve (the default)
//	kalami config check    say whether the configuration is usable
//	kalami config print    the effective configuration, secrets masked, with origins
//	kalami config doc      every variable, as Markdown or as an example .env
//	kalami verify          check that nothing was lost, as after a restore
//	kalami version         what this binary was built from
//
// This package is the only one that knows the outside: arguments, environment,
// signals, exit codes, and which implementation stands behind which interface.
// Every other package receives values. Nobody imports this one.
//
// Exit codes: 0 done, 1 failed, 2 the configuration or the command line is wrong
// (one line per problem on standard error, each naming the variable).
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // learners' local days, also on machines without zone files

	"kalami/providers/elevenlabs"
)

// The exit codes, all of them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	// A package that lists voices has its vendor's address and this transport built in.
	http.DefaultTransport = elevenlabs.NewCarrier(http.DefaultTransport)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the default handling is back, so that a second one
	// ends a program that is slow to stop.
	context.AfterFunc(ctx, stop)
	code := run(ctx, process{
		args:    os.Args[1:],
		environ: os.Environ(),
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	})
	stop()
	os.Exit(code)
}

// process is what the operating system hands to a program. Tests hand in their
// own; nothing below main reads the real one.
type process struct {
	// args are the arguments without the program's name.
	args []string
	// environ holds "NAME=value" as os.Environ gives it.
	environ        []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run executes one command, prints its error and returns the exit code. It
// returns when the command has ended, which ctx asks it to do.
func run(ctx context.Context, p process) int {
	root := newRootCommand(p)
	root.SetArgs(p.args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		// A write error has nowhere to be reported.
		for line := range strings.Lines(err.Error()) {
			_, _ = fmt.Fprintf(p.stderr, "kalami: %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	return exitCode(err)
}

// exitCode maps a command's error to the process's exit code.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[*configError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

// usageError is a command line that cannot be understood.
type usageError struct{ err error }

// Error implements error.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *usageError) Unwrap() error { return e.err }
