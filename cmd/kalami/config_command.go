package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// newConfigCommand makes "kalami config" with check, print and doc.
func newConfigCommand(p process) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Check, print or document the configuration",
		Args:  noArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	check := &cobra.Command{
		Use:   "check",
		Short: "Say ok, or one line per problem and exit with 2",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := configOf(c, p); err != nil {
				return err
			}
			_, err := fmt.Fprintln(p.stdout, "ok")
			return err
		},
	}
	show := &cobra.Command{
		Use:   "print",
		Short: "Print the effective configuration, secrets masked, with where each value came from",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			l, err := configOf(c, p)
			if err != nil {
				return err
			}
			return writeEffective(p.stdout, l)
		},
	}
	addConfigFlags(check)
	addConfigFlags(show)
	c.AddCommand(check, show, newConfigDocCommand(p))
	return c
}

// newConfigDocCommand makes "kalami config doc".
func newConfigDocCommand(p process) *cobra.Command {
	var example bool
	c := &cobra.Command{
		Use:   "doc",
		Short: "Document every variable, as Markdown or as an example .env",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if example {
				return writeEnvExample(p.stdout)
			}
			return writeConfigTable(p.stdout)
		},
	}
	c.Flags().BoolVar(&example, "env", false, "write an example .env file instead of Markdown")
	return c
}
