package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"kalami/store/live"
)

// newServeCommand is the main job: the server that learners talk to.
func newServeCommand(p process) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve learners (the default)",
		Args:  noArgs,
	}
	addConfigFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := configOf(c, p)
		if err != nil {
			return err
		}
		log := newLogger(p.stderr, cfg.Log)
		redis.SetLogger(live.NewLibraryLog(log)) // the library has one logger for the whole process
		before := countProcess()
		a, err := openApp(c.Context(), &cfg.Config, log)
		if err != nil {
			return err
		}
		a.begins(before)
		// A write error has nowhere to be reported.
		_, _ = fmt.Fprint(p.stdout, a.welcome())
		return errors.Join(a.run(c.Context()), a.Close())
	}
	return c
}

// welcome tells somebody who has just started the server where to go, and what is not real yet.
func (a *app) welcome() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  Kalami is at %s — open it in a browser and talk.\n", a.url())
	if len(a.parts.missing) > 0 {
		fmt.Fprintf(&b, "  This is the demo tutor: it follows a short role play and understands nothing else.\n"+
			"  Real parts are turned on by: %s (see \"kalami config doc\").\n", strings.Join(a.parts.missing, ", "))
	}
	return b.String() + "\n"
}
