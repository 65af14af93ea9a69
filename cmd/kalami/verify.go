package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kalami/gateway"
	"kalami/session/verify"
	"kalami/store"
)

// verifyFlags is what "kalami verify" was asked for.
type verifyFlags struct {
	histories  []string
	database   string
	noDatabase bool
	logs       []string
	canaries   string
	skew       time.Duration
	around     int
	run        string
	trials     int
	seed       string
}

// newVerifyCommand checks what clients, nodes and the database say against what Kalami
// promises.
func newVerifyCommand(p process) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check that nothing was lost, by histories and the database",
		Long: "Check the database, as after a restore, and what clients and nodes have written down (see KALAMI_HISTORY_DIR).\n" +
			"Without a history every conversation of the database is checked; with histories, those that they name.\n" +
			"Exits 1 when a promise was not kept, and shows the first record that proves it among those around it.",
		Args: noArgs,
	}
	addConfigFlags(c)
	var f verifyFlags
	c.Flags().StringArrayVar(&f.histories, "history", nil, "read this `file`, or each .jsonl file of this folder; may be repeated")
	c.Flags().StringVar(&f.database, "database", "", "check the database at this `URL` (DATABASE_URL)")
	c.Flags().BoolVar(&f.noDatabase, "no-database", false, "check the histories alone")
	c.Flags().StringArrayVar(&f.logs, "log", nil, "look for canaries in this `file`; may be repeated")
	c.Flags().StringVar(&f.canaries, "canaries", "", "`file` with one marker a line that must stand in no log")
	c.Flags().DurationVar(&f.skew, "skew", 500*time.Millisecond, "how much the clocks of two histories may differ")
	c.Flags().IntVar(&f.around, "around", 5, "how many records to show before and after the one that proves a violation")
	c.Flags().StringVar(&f.run, "run", "verify", "`name` that the closing line begins with")
	c.Flags().IntVar(&f.trials, "trials", 1, "how many trials the histories are of, for the closing line")
	c.Flags().StringVar(&f.seed, "seed", "", "what chance began with, for the closing line")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if f.noDatabase && (f.database != "" || len(f.histories) == 0) {
			return &usageError{errors.New("--no-database: name a --history, and no --database")}
		}
		return f.check(c, p)
	}
	return c
}

// check gathers the evidence, prints the report and fails when it names a violation.
func (f *verifyFlags) check(c *cobra.Command, p process) (err error) {
	e := verify.Evidence{CloseCodes: gateway.CloseCodes(), Skew: f.skew, Around: f.around}
	if e.Records, err = readHistories(f.histories); err != nil {
		return err
	}
	if err := f.addLogs(&e); err != nil {
		return err
	}
	if !f.noDatabase {
		db, err := f.open(c, p)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		e.Database = inspectedStore{db}
	}
	report, err := verify.Check(c.Context(), e)
	if err != nil {
		return err
	}
	if err := report.Print(p.stdout); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.stdout, report.Line(f.run, f.trials, f.seed)); err != nil {
		return err
	}
	if report.Count > 0 {
		return fmt.Errorf("verify: %d violations", report.Count)
	}
	return nil
}

// open opens the database that the flags name, or the configuration.
func (f *verifyFlags) open(c *cobra.Command, p process) (*store.DB, error) {
	cfg, err := configOf(c, p)
	if err != nil {
		return nil, err
	}
	url, name := cfg.Storage.Database.Reveal(), "DATABASE_URL"
	if f.database != "" {
		url, name = f.database, "--database"
	}
	db, err := store.Open(c.Context(), store.Options{URL: url, Log: newLogger(p.stderr, cfg.Log)})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return db, nil
}

// addLogs adds the logs and what must not stand in them.
func (f *verifyFlags) addLogs(e *verify.Evidence) error {
	if f.canaries != "" {
		text, err := os.ReadFile(f.canaries)
		if err != nil {
			return fmt.Errorf("--canaries: %w", err)
		}
		e.Canaries = strings.Fields(string(text))
	}
	for _, name := range f.logs {
		e.Logs = append(e.Logs, verify.Log{Name: name, Open: func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	return nil
}

// readHistories reads the histories of these files, and of the files in these folders.
func readHistories(names []string) ([]verify.Record, error) {
	var records []verify.Record
	for _, name := range names {
		files := []string{name}
		if info, err := os.Stat(name); err != nil {
			return nil, fmt.Errorf("--history: %w", err)
		} else if info.IsDir() {
			if files, err = filepath.Glob(filepath.Join(name, "*.jsonl")); err != nil {
				return nil, fmt.Errorf("--history %s: %w", name, err)
			}
			slices.Sort(files)
		}
		for _, file := range files {
			var err error
			if records, err = readHistory(records, file); err != nil {
				return nil, fmt.Errorf("--history %s: %w", file, err)
			}
		}
	}
	return records, nil
}

func readHistory(records []verify.Record, file string) (_ []verify.Record, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	_, err = verify.Read(in, func(r verify.Record) error {
		records = append(records, r)
		return nil
	})
	return records, err
}

// inspectedStore is the store as the checker reads it.
type inspectedStore struct{ db *store.DB }

// Conversations implements [verify.Database].
func (s inspectedStore) Conversations(ctx context.Context, ids []string, each func(verify.Stored) error) error {
	return s.db.Inspect(ctx, ids, func(a store.Inspected) error {
		stored := verify.Stored{Conversation: a.Conversation, Analysed: a.Analysed}
		for _, m := range a.Messages {
			stored.Messages = append(stored.Messages, verify.StoredMessage(m))
		}
		return each(stored)
	})
}
