package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kalami/gateway/metrics"
	"kalami/session"
	"kalami/session/evaluation"
	"kalami/session/learn"
)

// newEvaluateCommand measures how well the configured model corrects.
func newEvaluateCommand(p process) *cobra.Command {
	c := &cobra.Command{
		Use:   "evaluate",
		Short: "Measure how well the language model corrects learners",
		Long: "Have utterances analysed whose mistakes are known, as those of learners are, and print precision, recall, F0.5 and how many\n" +
			"right sentences were corrected. Each utterance is one call of the configured language model.",
		Args: noArgs,
	}
	addConfigFlags(c)
	var languages []string
	var recorded bool
	var atOnce int
	c.Flags().StringSliceVar(&languages, "language", nil, "only utterances in this `language` ("+strings.Join(evaluation.Languages(), ", ")+"); may be repeated")
	c.Flags().BoolVar(&recorded, "recorded", false, "take the recorded answers that come with the set, and call nobody")
	c.Flags().IntVar(&atOnce, "at-once", 4, "how many calls to make at a time")
	c.RunE = func(c *cobra.Command, _ []string) error {
		all, err := evaluation.Set(languages...)
		if err != nil {
			return &usageError{fmt.Errorf("--language: %w", err)}
		}
		if atOnce < 1 || atOnce > 64 {
			return &usageError{errors.New("--at-once: between 1 and 64")}
		}
		return evaluate(c, p, all, recorded, atOnce)
	}
	return c
}

// evaluate prints the report.
func evaluate(c *cobra.Command, p process, all []evaluation.Utterance, recorded bool, atOnce int) (err error) {
	analyse, err := evaluation.Recorded()
	if err != nil {
		return err
	}
	if !recorded {
		parts, err := openModel(c, p)
		if err != nil {
			return err
		}
		defer func() { _ = parts.Close() }() // connections alone
		analyse = func(ctx context.Context, r learn.Reviewed) (learn.TurnAnalysis, error) {
			return session.Analyse(ctx, parts.analyst, r)
		}
	}
	report, err := evaluation.Run(c.Context(), all, atOnce, analyse)
	if err != nil {
		return err
	}
	if report.Failed == report.Utterances {
		return errors.New("evaluate: no utterance was analysed; does the language model answer?")
	}
	return report.Print(p.stdout)
}

// openModel makes the clients of the configured vendors, of which a language model must be
// one.
func openModel(c *cobra.Command, p process) (*parts, error) {
	cfg, err := configOf(c, p)
	if err != nil {
		return nil, err
	}
	if !cfg.thinks() {
		return nil, errors.New("no language model is configured: set ANTHROPIC_API_KEY, OPENAI_API_KEY or KALAMI_LLM_BASE_URL, or use --recorded")
	}
	return openParts(c.Context(), &cfg.Config, newLogger(p.stderr, cfg.Log), metrics.New(version(), func() int { return 0 }), nil, direct)
}
