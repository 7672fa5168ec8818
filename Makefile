# make help lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
GOFLAGS_BUILD := -trimpath
LDFLAGS := -s -w -X main.version=$(VERSION)
PROBE_ARCHES := amd64 arm64
PROBES := $(PROBE_ARCHES:%=pkg/payload/bin/nodedoc-probe-linux-%.gz)
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
NODES ?= 2
FUZZTIME ?= 5s
CLUSTER := dist/cluster
PROBE_SOURCES := $(shell find cmd/nodedoc-probe pkg/probe pkg/hostfs pkg/report -name '*.go') go.mod go.sum

.PHONY: help build probes test unit fuzz e2e demo lint verify bench clean platforms

help: ## list the targets
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):.*## /\1\t/' | expand -t12

build: dist/kubectl-nodedoc ## the plugin for this machine, in dist/

dist/kubectl-nodedoc: $(PROBES) FORCE
	CGO_ENABLED=0 go build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/kubectl-nodedoc

FORCE:

probes: $(PROBES) ## the probes that the plugin carries

# -n keeps name and time out of the archive: the same source gives the same bytes.
pkg/payload/bin/nodedoc-probe-linux-%.gz: $(PROBE_SOURCES)
	mkdir -p dist
	CGO_ENABLED=0 GOOS=linux GOARCH=$* go build $(GOFLAGS_BUILD) -ldflags '$(LDFLAGS)' -o dist/nodedoc-probe-linux-$* ./cmd/nodedoc-probe
	gzip -9nc dist/nodedoc-probe-linux-$* > $@.new
	mv $@.new $@
