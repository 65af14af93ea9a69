package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// testNotices: what one node publishes, both are told (in its order, except that a cluster
// has several ways for it), whoever listens to something else is not, and a listener that
// leaves is gone when Subscribe has returned.
func testNotices(t *testing.T, fresh FreshLive) {
	o := fresh(t)
	here := OpenLive(t, o)
	there := here
	if o.URL != "" {
		there = OpenLive(t, o)
	}
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	heard := map[string]chan string{"here": make(chan string, 100), "there": make(chan string, 100), "elsewhere": make(chan string, 100)}
	left := make(chan error, len(heard))
	for name, at := range heard {
		store, topic := here, "topic"
		if name == "there" {
			store = there
		}
		if name == "elsewhere" {
			topic = name
		}
		go func() { left <- store.Subscribe(ctx, topic, func(payload string) { at <- payload }) }()
	}
	// A subscription is asked for when it is heard: until then notices are lost.
	for _, name := range []string{"here", "there"} {
		for knock := true; knock; {
			must(t, here.Publish(ctx, "topic", "knock"))
			select {
			case <-heard[name]:
				knock = false
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	words := []string{"one", "two", "three"}
	for _, word := range words {
		must(t, here.Publish(ctx, "topic", word))
	}
	for _, name := range []string{"here", "there"} {
		var got []string
		for len(got) < len(words) {
			if word := <-heard[name]; word != "knock" {
				got = append(got, word)
			}
		}
		if strings.Contains(o.URL, "addr=") {
			slices.SortFunc(got, func(a, b string) int { return slices.Index(words, a) - slices.Index(words, b) })
		}
		if !slices.Equal(got, words) {
			t.Errorf("%s heard %q, want %q", name, got, words)
		}
	}
	leave()
	for range heard {
		if err := <-left; err != nil {
			t.Errorf("a listener left with %v", err)
		}
	}
	if len(heard["elsewhere"]) != 0 {
		t.Errorf("elsewhere heard %q", <-heard["elsewhere"])
	}
	if err := here.Publish(ctx, "topic", "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("publishing with an ended context: %v", err)
	}
}
