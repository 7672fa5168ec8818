# make help lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# A tag and what came after it; before the first tag v0.0.0 and the commit.
VERSION ?= $(shell git describe --tags --abbrev=12 --match 'v*' --dirty 2>/dev/null || echo v0.0.0-g$$(git describe --always --abbrev=12 --exclude '*' --dirty 2>/dev/null || echo devel))
# When that commit was made: the time of all that a release has in it.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)
GOFLAGS_BUILD := -trimpath
LDFLAGS := -s -w -X main.version=$(VERSION)
MODULE := github.com/nodedoc/kubectl-nodedoc
PROBE_ARCHES := amd64 arm64
PROBES := $(PROBE_ARCHES:%=pkg/payload/bin/nodedoc-probe-linux-%.zst)
# What is shipped.
PLATFORMS ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# A count, not a time: at the end of a time go test may fail by its own deadline.
FUZZTIME ?= 20000x
# Such as '-v -soak.runs 1000 -cuts 200', or -run.
E2EFLAGS ?=
# Bytes, packed: what each probe adds to the plugin.
PROBE_LIMIT := 1200000
# Sorting by slices.SortFunc costs 3 kB for each type that is sorted, sort.Slice nothing.
# Line numbers cost 200 kB: a crash names its functions and offsets, and the same
# build without striplines has the lines.
# These packages work once for a process or an answer: no inlining
# there saves 24 kB; in all but runtime and pkg/hostfs 20 kB more, and 6 % of CPU.
PROBE_SMALL := $(MODULE)/pkg/probe $(MODULE)/pkg/report encoding/json reflect fmt strconv os
PROBE_BUILD := CGO_ENABLED=0 GOOS=linux go build $(GOFLAGS_BUILD) $(PROBE_SMALL:%=-gcflags=%=-l)
GOLANGCI := v2.15.0
PROBE_SOURCES := $(shell find cmd/nodedoc-probe cmd/striplines pkg/probe pkg/hostfs pkg/report -name '*.go') go.mod go.sum

.PHONY: help build probes platforms release releasetest tools test unit fuzz browser e2e e2e-vm bench benchsmall benchtools demo scale-mounts lint docs verify clean FORCE

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t12

build: dist/kubectl-nodedoc ## the plugin for this machine, in dist/

dist/kubectl-nodedoc: $(PROBES) FORCE
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/kubectl-nodedoc

FORCE:

probes: $(PROBES) ## the probes that the plugin carries

# The version is in the probe, too: an image that holds a probe is known by it.
dist/version: FORCE
	@mkdir -p dist && { echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@; }

pkg/payload/bin/nodedoc-probe-linux-%.zst: $(PROBE_SOURCES) dist/version
	mkdir -p dist
	GOARCH=$* $(PROBE_BUILD) -ldflags '$(LDFLAGS)' -o dist/nodedoc-probe-linux-$* ./cmd/nodedoc-probe
	go run ./cmd/striplines dist/nodedoc-probe-linux-$*
	@command -v zstd >/dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends zstd; } || { echo 'zstd is needed: install it' >&2; exit 1; }
	zstd -q -f --ultra -22 dist/nodedoc-probe-linux-$* -o dist/nodedoc-probe-linux-$*.zst
	mv dist/nodedoc-probe-linux-$*.zst $@

# Nothing of the machine, its environment or the directory gets into these.
platforms: $(PROBES)
	@for p in $(PLATFORMS); do echo "build $$p"; suffix=; [[ $$p != windows/* ]] || suffix=.exe; \
		CGO_ENABLED=0 GOFLAGS= GOOS=$${p%/*} GOARCH=$${p#*/} go build $(GOFLAGS_BUILD) -buildvcs=false -ldflags '$(LDFLAGS)' \
			-o dist/built/$${p/\//-}/kubectl-nodedoc$$suffix ./cmd/kubectl-nodedoc; done

release: platforms ## archives, checksums, bill of materials and krew manifest, in dist/release/
	rm -rf dist/release
	go run ./krew -version '$(VERSION)' -time $(SOURCE_DATE_EPOCH) -built dist/built -template krew/nodedoc.yaml.tmpl \
		$(PROBE_ARCHES:%=-probe dist/nodedoc-probe-linux-%) -file LICENSE -file pkg/cmd/kubectl_complete-nodedoc -out dist/release $(PLATFORMS)
	@cd dist/release && ls -l && sha256sum -c --quiet SHA256SUMS

releasetest: release ## installed by krew for every platform; made again elsewhere it is the same
	go -C test/krew test -count=1 ./...

tools: build dist/cluster dist/actor dist/demo dist/loopcsi dist/nfsserver dist/bench/deadfuse

dist/cluster: FORCE
	go -C test/cluster build -trimpath -o ../../dist/cluster .

dist/actor dist/demo dist/scale: dist/%: FORCE
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -o $@ ./test/incidents/$*

dist/loopcsi dist/nfsserver: dist/%: FORCE
	CGO_ENABLED=0 go -C test/incidents/$* build $(GOFLAGS_BUILD) -o ../../../dist/ .

dist/bench/deadfuse: FORCE
	CGO_ENABLED=0 go -C test/bench build $(GOFLAGS_BUILD) -o ../../dist/bench/ ./deadfuse

test: lint verify unit fuzz browser e2e benchsmall releasetest ## everything, as CI runs it: needs root for the cluster

unit: $(PROBES) ## unit and probe tests
	go test ./...
	go -C test/cluster test ./...

# One target a run is all that go test takes, so they are listed first.
fuzz: ## each fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' pkg | xargs -n1 dirname | sort -u | while read -r dir; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$dir/*_test.go | cut -c6-); do \
			echo "fuzz $$dir $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1000x ./$$dir >dist/fuzz.log 2>&1 || { cat dist/fuzz.log; exit 1; }; \
		done; \
	done

browser: build ## the pages of -o html in a headless Chromium, pictures in dist/browser
	@[[ -n "$${CHROMIUM:-}" ]] || command -v chromium chromium-browser google-chrome >/dev/null || { apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } || { echo 'chromium is needed: install it' >&2; exit 1; }
	go -C test/browser test -count=1 ./...

e2e: tools ## the built programs on a real throwaway cluster: needs root
	dist/cluster run --nodes 3 -- go test -tags e2e -count=1 -parallel 8 -timeout 25m ./test/e2e $(E2EFLAGS)
	go -C test/cluster test -tags e2e -count=1 .

e2e-vm: tools ## the same on a node that is a virtual machine, with systemd and cgroup v2: needs root
	dist/cluster run --nodes 1 --vms 1 -- go test -tags e2e -count=1 -timeout 25m ./test/e2e/vm
	go -C test/cluster test -tags e2e,vm -run VM -count=1 .

bench: tools benchtools ## nodedoc beside its peers, in one table: needs root
	dist/cluster run --nodes 1 -- dist/bench/bench dist

benchsmall: benchtools ## the same with a few processes and no cluster: does it work?
	dist/bench/bench --small --runs 1 dist

benchtools: FORCE
	$(PROBE_BUILD) -ldflags '$(LDFLAGS)' -o dist/bench/nodedoc-probe ./cmd/nodedoc-probe
	go run ./cmd/striplines dist/bench/nodedoc-probe
	CGO_ENABLED=0 go -C test/bench build -trimpath -o ../../dist/bench/ ./...

demo: tools ## a real cluster, a real incident, nodedoc's answer: needs root
	dist/cluster run --nodes 1 -- dist/demo dist

scale-mounts: tools dist/scale ## incident 4 at its own size: 6,385 leaked volumes, 26,000 mounts: needs root and some minutes
	dist/cluster run --nodes 1 -- dist/scale

lint: $(PROBES) ## gofmt, vet, golangci-lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./... && go vet -tags e2e ./test/...
	go -C test/cluster vet -tags e2e,vm ./...
	go -C test/bench vet ./...
	go -C test/browser vet ./...
	go -C test/incidents/loopcsi vet ./...
	go -C test/krew vet ./...
	go -C test/incidents/nfsserver vet ./...
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI) run ./...

docs: ## docs/commands.md and docs/rules.md anew, from the commands and the rules
	go test ./pkg/cmd -run TestCommandDocs -count=1 -update
	go test ./pkg/printer -run TestRulesDocumentIsOfTheseRules -count=1 -update

verify: platforms ## the design's promises: what the probe links, where everything builds
	@! go list -deps ./cmd/nodedoc-probe | grep -E '^(k8s.io/|net/http$$|net$$|crypto/|regexp$$|text/template$$|github.com/spf13/)' || { echo 'the probe links what it must not (above)'; exit 1; }
	@for p in $(PROBES); do size=$$(stat -c %s $$p); echo "$$p $$size bytes"; \
		((size <= $(PROBE_LIMIT))) || { echo "$$p is over the limit of $(PROBE_LIMIT) bytes: see docs/performance.md"; exit 1; }; done
	go mod tidy -diff
	go test ./pkg/cmd ./pkg/printer -run 'TestCommandDocs|TestRulesDocument' # make docs writes what they look at

clean: ## remove what was built
	rm -rf dist pkg/payload/bin/*.zst
