package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// constructors returns what makes each subcommand, in the order of the help
// text. A command lives in its own file and is named here.
func constructors() []func(process) *cobra.Command {
	return []func(process) *cobra.Command{
		newServeCommand,
		newTalkCommand,
		newSimulateCommand,
		newMigrateCommand,
		newVerifyCommand,
		newEvaluateCommand,
		newConfigCommand,
		newVersionCommand,
	}
}

// defaultCommand is what runs when no command is named.
const defaultCommand = "serve"

// newRootCommand builds the command tree for p.
func newRootCommand(p process) *cobra.Command {
	root := &cobra.Command{
		Use:               "kalami",
		Short:             "A conversational language tutor in one binary",
		SilenceErrors:     true, // run prints them
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              noArgs,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w (see %q)", err, c.CommandPath()+" --help")}
	})
	for _, construct := range constructors() {
		c := construct(p)
		root.AddCommand(c)
		if c.Name() == defaultCommand {
			root.RunE = c.RunE
			root.Flags().AddFlagSet(c.Flags())
		}
	}
	return root
}

// noArgs refuses every argument, as a usage error that names the commands there are.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			names = append(names, sub.Name())
		}
	}
	if len(names) == 0 {
		return &usageError{fmt.Errorf("%s takes no argument, got %q", c.CommandPath(), args[0])}
	}
	return &usageError{fmt.Errorf("%s has no command %q; there are: %s", c.CommandPath(), args[0], strings.Join(names, ", "))}
}

// addConfigFlags gives c the flags that belong to the configuration: every
// command that reads it has them.
func addConfigFlags(c *cobra.Command) {
	c.Flags().String("env-file", defaultEnvFile, "read variables from this `file`; it must exist when named")
	c.Flags().String("host", "", "listen on this `address` (HOST)")
	c.Flags().Uint16("port", 0, "listen on this `port`, 0 for any free one (PORT)")
}

// configOf loads the configuration for c, a command with addConfigFlags. c is the
// command that runs: the root when it stands in for the default one, whose flags
// it shares.
func configOf(c *cobra.Command, p process) (*Loaded, error) {
	in := configInputs{environ: p.environ, flags: map[string]string{}}
	env := c.Flags().Lookup("env-file")
	in.envFile, in.envFileNamed = env.Value.String(), env.Changed
	for flag, name := range map[string]string{"host": "HOST", "port": "PORT"} {
		if f := c.Flags().Lookup(flag); f.Changed {
			in.flags[name] = f.Value.String()
		}
	}
	return loadConfig(in)
}
