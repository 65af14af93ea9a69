package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kalami/store"
)

// newMigrateCommand brings the database's schema up to date without serving.
func newMigrateCommand(p process) *cobra.Command {
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database's schema up to date",
		Long:  "Bring the database's schema up to date and exit. The server does the same when it starts; of several that start at once, one does it.",
		Args:  noArgs,
	}
	addConfigFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := configOf(c, p)
		if err != nil {
			return err
		}
		db, err := store.Open(c.Context(), store.Options{URL: cfg.Storage.Database.Reveal(), Migrate: true, Log: newLogger(p.stderr, cfg.Log)})
		if err != nil {
			return fmt.Errorf("DATABASE_URL: %w", err)
		}
		// A write error has nowhere to be reported.
		_, _ = fmt.Fprintln(p.stdout, "The schema is up to date.")
		return errors.Join(db.Close())
	}
	return c
}
