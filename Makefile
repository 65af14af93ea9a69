# Targets that people and the continuous integration use; there are no others.
# The longer ones are scripts in .ci.

GOLANGCI_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
K6_VERSION := v1.8.1

.DEFAULT_GOAL := help

.PHONY: help
help: ## Say what the targets do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## Build bin/kalami, stripped
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/kalami ./cmd/kalami

.PHONY: run
run: ## Serve at http://127.0.0.1:8000; needs Go and nothing else
	go run ./cmd/kalami

.PHONY: test
test: ## The whole suite, with whatever of Postgres, Redis, Chromium, … is installed
	@.ci/services .ci/test

.PHONY: race
race: ## The Go tests alone, with the race detector and without outside services
	go test -race -p 2 -timeout 20m ./...

.PHONY: cover
cover: ## The Go tests with coverage, into coverage.out
	@.ci/services go test -p 2 -timeout 20m -coverpkg=./... -coverprofile=coverage.out ./...
	@go tool cover -func=coverage.out | tail -n 1

.PHONY: fuzz
fuzz: ## Every fuzz target for 10 s; FUZZTIME=1m for longer
	@.ci/fuzz $(or $(FUZZTIME),10s)

.PHONY: cuts
cuts: ## 10,000 connections cut at random bytes; CUTS=100000 for more
	KALAMI_CUTS=$(or $(CUTS),10000) go test ./gateway -count=1 -v -timeout 30m -run TestResumeAnyByte | tail -n 3

.PHONY: simulate
simulate: ## Nodes and learners in virtual time, under random faults, for an hour; SIMTIME=5m for less
	KALAMI_TEST_SIMULATION=$(or $(SIMTIME),1h) go test -run TestSimulation -v -timeout 0 ./gateway/simulation

.PHONY: bench
bench: ## Every benchmark
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: load
load: ## 200 learners talk for a minute; what was seen goes into deploy/bench/RESULTS.md
	@deploy/bench/load.sh

.PHONY: bench-turns
bench-turns: ## How soon the tutor is heard, with fixed simulators; into deploy/bench/RESULTS.md
	@deploy/bench/turns.sh

.PHONY: bench-cutoff
bench-cutoff: ## How often hesitant learners are cut off, and how long they wait; into deploy/bench/RESULTS.md
	@deploy/bench/cutoff.sh

.PHONY: bench-bargein
bench-bargein: ## What false alarms and 500 interruptions do to what is heard; into deploy/bench/RESULTS.md
	@deploy/bench/bargein.sh

.PHONY: chaos-short
chaos-short: ## Break real nodes and stores in every way while learners talk, for a minute; needs Postgres and Redis
	@CGO_ENABLED=0 go build -tags chaos -o bin/kalami-chaos ./cmd/kalami && CGO_ENABLED=0 go build -o bin/chaos ./deploy/chaos && \
		bin/chaos -kalami bin/kalami-chaos -short $(CHAOS)

.PHONY: chaos
chaos: ## The same thousands of times, for hours; into deploy/bench/RESULTS.md
	@deploy/bench/chaos.sh

.PHONY: soak
soak: ## Random faults for an hour, and nothing may leak; SOAK=10m for less; into deploy/bench/RESULTS.md
	@CHAOS='-soak $(or $(SOAK),1h) $(CHAOS)' deploy/bench/chaos.sh soak

.PHONY: smoke
smoke: ## A few learners talk with the server at KALAMI_URL (http://127.0.0.1:8000); needs k6
	@PATH="$$PATH:$$(go env GOPATH)/bin"; if command -v k6 >/dev/null; then \
		k6 run --quiet --no-usage-report deploy/k6/smoke.js; \
	else \
		echo 'k6 is not installed; to install it:  go install go.k6.io/k6@$(K6_VERSION)'; \
		exit 1; \
	fi

.PHONY: lint
lint: ## golangci-lint, the pinned version
	@if golangci-lint version 2>/dev/null | grep -q 'version $(patsubst v%,%,$(GOLANGCI_VERSION)) '; then \
		golangci-lint run ./...; \
	else \
		echo 'golangci-lint $(GOLANGCI_VERSION) is not installed; to install it:'; \
		echo '  go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)'; \
		exit 1; \
	fi

.PHONY: fmt
fmt: ## Format the Go files
	gofmt -w .

.PHONY: fmt-check
fmt-check: ## Fail when a Go file is not formatted
	@.ci/fmt-check

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what is really called
	go run golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION) ./...

.PHONY: docs
docs: ## Make .env.example from the configuration's own documentation
	go run ./cmd/kalami config doc --env > .env.example.new
	mv .env.example.new .env.example

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf bin coverage.out
