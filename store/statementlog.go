package store

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// statementLog carries gorm's log to slog: statements that are slow, and nothing
// else, because failures are returned and whoever handles them logs them. It
// sees statements without their parameters, which hold what learners say.
type statementLog struct {
	log  *slog.Logger
	slow time.Duration
}

var (
	_ logger.Interface  = statementLog{}
	_ gorm.ParamsFilter = statementLog{}
)

// LogMode does nothing: the level is slog's.
func (l statementLog) LogMode(logger.LogLevel) logger.Interface { return l }

// Info drops gorm's own messages.
func (statementLog) Info(context.Context, string, ...any) {}

// Warn passes on what gorm warns of, without its arguments.
func (l statementLog) Warn(ctx context.Context, msg string, _ ...any) {
	l.log.LogAttrs(ctx, slog.LevelWarn, "gorm", slog.String("format", msg))
}

// Error passes on what gorm complains of, without its arguments.
func (l statementLog) Error(ctx context.Context, msg string, _ ...any) {
	l.log.LogAttrs(ctx, slog.LevelError, "gorm", slog.String("format", msg))
}

// Trace logs a statement that took long.
func (l statementLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	took := time.Since(begin)
	if took < l.slow || !l.log.Enabled(ctx, slog.LevelWarn) {
		return
	}
	text, rows := statement()
	l.log.LogAttrs(ctx, slog.LevelWarn, "slow statement",
		slog.Duration("took", took), slog.String("sql", text), slog.Int64("rows", rows),
		slog.Bool("failed", err != nil && !errors.Is(err, gorm.ErrRecordNotFound)))
}

// ParamsFilter keeps parameters out of the statement's text.
func (statementLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}
