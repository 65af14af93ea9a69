package store_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kalami/session/learn"
	"kalami/store"
	"kalami/store/storetest"
)

func backends() map[string]storetest.Fresh {
	return map[string]storetest.Fresh{"SQLite": storetest.SQLite, "Postgres": storetest.Postgres}
}

// BenchmarkAppendMessage is one learner after another: the time until an
// utterance may be acknowledged.
func BenchmarkAppendMessage(b *testing.B) {
	for name, fresh := range backends() {
		b.Run(name, func(b *testing.B) {
			db := storetest.Open(b, fresh(b))
			c := storetest.NewLearner(b, db, "ana").Start(b, db)
			var took latencies
			seq := 0
			b.ReportAllocs()
			for b.Loop() {
				seq++
				start := time.Now()
				if err := db.AppendMessage(b.Context(), c.Epoch, sentence(c, seq)); err != nil {
					b.Fatal(err)
				}
				took.add(time.Since(start))
			}
			took.report(b, "append")
		})
	}
}

// BenchmarkMixed is eight learners at once, each saying something and then, as at
// a resumption, reading the last twenty messages.
func BenchmarkMixed(b *testing.B) {
	for name, fresh := range backends() {
		b.Run(name, func(b *testing.B) {
			db := storetest.Open(b, fresh(b))
			ana := storetest.NewLearner(b, db, "ana")
			var appends, reads latencies
			b.SetParallelism((8 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
			b.RunParallel(func(pb *testing.PB) {
				c := ana.Start(b, db)
				for seq := 1; pb.Next(); seq++ {
					sayAndRead(b, db, c, seq, &appends, &reads)
				}
			})
			appends.report(b, "append")
			reads.report(b, "read")
		})
	}
}

func sayAndRead(b *testing.B, db *store.DB, c learn.Conversation, seq int, appends, reads *latencies) {
	start := time.Now()
	if err := db.AppendMessage(b.Context(), c.Epoch, sentence(c, seq)); err != nil {
		b.Error(err)
		return
	}
	appends.add(time.Since(start))
	start = time.Now()
	if _, err := db.RecentMessages(b.Context(), c.TenantID, c.ID, 20); err != nil {
		b.Error(err)
	}
	reads.add(time.Since(start))
}

// BenchmarkCrowd is the number of acknowledged utterances that 64 learners get
// through together.
func BenchmarkCrowd(b *testing.B) {
	for name, fresh := range backends() {
		b.Run(name, func(b *testing.B) {
			db := storetest.Open(b, fresh(b))
			ana := storetest.NewLearner(b, db, "ana")
			var took latencies
			var n atomic.Int64
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			start := time.Now()
			b.RunParallel(func(pb *testing.PB) {
				c := ana.Start(b, db)
				for seq := 1; pb.Next(); seq++ {
					begin := time.Now()
					if err := db.AppendMessage(b.Context(), c.Epoch, sentence(c, seq)); err != nil {
						b.Error(err)
						return
					}
					took.add(time.Since(begin))
					n.Add(1)
				}
			})
			b.ReportMetric(float64(n.Load())/time.Since(start).Seconds(), "commits/s")
			took.report(b, "append")
		})
	}
}

// sentence is an utterance of ordinary length, with its words.
func sentence(c learn.Conversation, seq int) learn.Message {
	m := storetest.Utterance(c, seq)
	m.Content = "Ayer fui al mercado con mi hermana y compramos manzanas."
	m.Heard = m.Content
	for i := range 10 {
		m.Words = append(m.Words, learn.SpokenWord{
			Text: fmt.Sprintf("palabra%d", i), StartMS: i * 300, EndMS: i*300 + 250, Confidence: 0.98, Language: "es",
		})
	}
	return m
}

// latencies collects durations from several goroutines.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.all = append(l.all, d)
	l.mu.Unlock()
}

func (l *latencies) report(b *testing.B, what string) {
	if len(l.all) == 0 {
		return
	}
	slices.Sort(l.all)
	for _, p := range []int{50, 99} {
		d := l.all[(len(l.all)-1)*p/100]
		b.ReportMetric(float64(d.Microseconds())/1000, fmt.Sprintf("%s-p%d-ms", what, p))
	}
}
