package storetest

import (
	"context"
	"errors"
	"testing"
	"time"
)

// testNotices: what one node publishes, both are told in its order, whoever listens to
// something else is not, and a listener that leaves is gone when Subscribe has returned.
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
	for _, word := range []string{"one", "two", "three"} {
		must(t, here.Publish(ctx, "topic", word))
	}
	for _, name := range []string{"here", "there"} {
		for _, want := range []string{"one", "two", "three"} {
			got := "knock"
			for got == "knock" {
				got = <-heard[name]
			}
			if got != want {
				t.Errorf("%s heard %q, want %q", name, got, want)
			}
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
