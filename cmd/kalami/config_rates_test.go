package main

import (
	"testing"
	"time"

	"kalami/gateway"
)

func TestRateMap(t *testing.T) {
	checkAccepts[RateMap](t, []accept{
		{in: "", want: ""},
		{in: "speaking=30/m", want: "speaking=30/m:30"},
		{in: " Reading = 600/M:120 ,speaking=1/s , joins=off", want: "joins=off,reading=600/m:120,speaking=1/s:1"},
		{in: "guests=10/h:1,handshakes=1000000/s", want: "guests=10/h:1,handshakes=1000000/s:1000000"},
		{in: "talking=30/m", err: `"talking" is not one of guests, handshakes, joins, logins, open, reading, speaking, strangers, writing`},
		{in: "speaking=1/m,speaking=2/m", err: "speaking is there twice"},
		{in: "speaking", err: "is not a rate"},
		{in: "speaking=30", err: "is not a rate"},
		{in: "speaking=0/m", err: "is not a rate"},
		{in: "speaking=-1/m", err: "is not a rate"},
		{in: "speaking=1/d", err: "is not a rate"},
		{in: "speaking=1/m:0", err: "is not a rate"},
		{in: "speaking=1/m:", err: "is not a rate"},
		{in: "speaking=1000001/s", err: "is not a rate"},
		{in: "speaking=99999999999999999999/s", err: "is not a rate"},
	})
	var m RateMap
	if err := m.UnmarshalText([]byte("speaking=5/s:2,logins=off")); err != nil {
		t.Fatal(err)
	}
	want := gateway.Rates{Speaking: gateway.Rate{Count: 5, Per: time.Second, Burst: 2}, Logins: gateway.Rate{Count: -1}}
	if got := m.rates(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
