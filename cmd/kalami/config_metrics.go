package main

import (
	"errors"
	"net"
	"strconv"
)

// MetricsConfig is about what Prometheus reads.
type MetricsConfig struct {
	Addr MetricsAddr `env:"KALAMI_METRICS_ADDR" envDefault:"127.0.0.1:9464" doc:"host:port where Prometheus reads /metrics. Nobody is asked for a password there, so that it is no address that learners reach. Port 0 takes any free one and logs it; off serves none. When the address is taken, the log warns and everything else is served."`
}

// MetricsAddr is a host and port to listen on, or empty for none.
type MetricsAddr string

// metricsOff is how "none" is written: an empty variable means its default.
const metricsOff = "off"

// UnmarshalText accepts "off", and host:port with a host that can be listened on.
func (a *MetricsAddr) UnmarshalText(b []byte) error {
	if string(b) == metricsOff {
		*a = ""
		return nil
	}
	host, port, err := net.SplitHostPort(string(b))
	if err != nil || !validHost(host) {
		return errors.New("must be host:port, such as 127.0.0.1:9464, or off")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return errors.New("must have a port between 0 and 65535")
	}
	*a = MetricsAddr(b)
	return nil
}

// String is how the address is written in the variable.
func (a MetricsAddr) String() string {
	if a == "" {
		return metricsOff
	}
	return string(a)
}
