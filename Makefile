# The one door: every check, test and measurement of the repository is a target here.
#
#   make demo    watch an IPv4 and an IPv6 address being allocated, announced, reached, moved and released
#   make test    everything, against the real kernel and real peers; names what it had to skip
#   make lint    format, clippy, documentation, licences, layering and shape
#   make bench   measured figures beside their goals and beside the ways other systems work
#   make fuzz    every fuzz target for a few seconds from its committed seeds
#   make nightly a million random histories of elections, on all cores
#   make envtest a Kubernetes control plane for the tests, built with Go; part of make test
#   make docs    the API documentation, into target/doc
#   make image   the container image of the controller and the speaker

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO ?= cargo
# Tools that no distribution packages are built once into the target folder.
TOOLS := $(CURDIR)/target/tools
export PATH := $(PATH):$(TOOLS)/bin:/usr/sbin:/sbin
DENY_VERSION := 0.20.2
FUZZ_VERSION := 0.13.2
FUZZ_SECONDS ?= 5
NIGHTLY_SEEDS ?= 1000000
# Without a C library at run time.
STATIC := x86_64-unknown-linux-musl
IMAGE ?= ghcr.io/openelb/openelb:dev

# Programs of other people that the tests speak to, and the Debian packages that hold them.
PEERS := ip:iproute2 bridge:iproute2 arping:iputils-arping ping:iputils-ping ndisc6:ndisc6 \
         tcpdump:tcpdump tshark:tshark nft:nftables setpriv:util-linux unshare:util-linux \
         vtysh:frr bird:bird2 gobgpd:gobgpd gobgp:gobgpd exabgp:exabgp bgpctl:openbgpd \
         keepalived:keepalived promtool:prometheus \
         radvd:radvd kea-dhcp6:kea-dhcp6-server dnsmasq:dnsmasq-base dhcpcd:dhcpcd-base /usr/lib/cni/bridge:containernetworking-plugins

.PHONY: help demo test unit peers envtest examples lint fmt clippy doc deny deploy features tidy fuzz-check bench fuzz nightly docs image \
        advisories package

help:
	@sed -n '3,12s/^# *//p' Makefile

demo:
	@$(CARGO) run --quiet --package openelb-cli -- lab

# --- tests -------------------------------------------------------------------------------------------------

test: peers envtest unit examples

unit:
	$(CARGO) test --workspace --all-features --no-fail-fast

examples:
	@for example in examples/examples/*.rs; do \
	  name=$$(basename $$example .rs); \
	  $(CARGO) run --quiet --package openelb-examples --example $$name >/dev/null || { echo "example $$name failed"; exit 1; }; \
	  echo "example $$name ran"; \
	done
	@$(CARGO) run --quiet --package openelb-cli -- --version # as the demo starts it

# As root on a Debian with apt, missing peers are installed; elsewhere they are named. With CI=true none may be missing.
# Routers are not started where they are installed: while apt runs, policy-rc.d says no (unless the host has one already).
peers:
	@missing=(); packages=(); \
	for pair in $(PEERS); do \
	  command -v $${pair%%:*} >/dev/null || { missing+=($${pair%%:*}); packages+=($${pair##*:}); }; \
	done; \
	if [ $${#missing[@]} -gt 0 ] && [ $$(id -u) = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing $${packages[*]}"; \
	  policy=/usr/sbin/policy-rc.d; \
	  if [ ! -e $$policy ]; then trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod +x $$policy; fi; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $${packages[*]} >/dev/null; \
	  missing=(); for pair in $(PEERS); do command -v $${pair%%:*} >/dev/null || missing+=($${pair%%:*}); done; \
	fi; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  echo "NOT INSTALLED: $${missing[*]}: the suites that need them will be skipped (Debian packages: $${packages[*]})"; \
	  if [ "$${CI:-}" = true ]; then exit 1; fi; \
	fi

# A real control plane for the tests that need one: the current Kubernetes, and the oldest one that the client library supports.
# Each is one program that Go builds from its module proxy, under the names of the components. KUBEBUILDER_ASSETS, when set, names
# a folder with the programs of the former. Without Go their tests are skipped; with CI=true they may not be.
envtest:
	@if ! command -v go >/dev/null; then why="go is not installed (Go 1.26: https://go.dev/dl)"; \
	elif $(MAKE) envtest-build MODFILE=go.mod && $(MAKE) envtest-build MODFILE=oldest.mod && $(MAKE) envtest-beside; then why=; \
	else why="go could not build it, as it says above"; fi; \
	if [ -n "$$why" ]; then \
	  echo "NOT BUILT: $$why: the suites that need a Kubernetes control plane will be skipped"; \
	  if [ "$${CI:-}" = true ]; then exit 1; fi; \
	fi

# The linker fills in the version that the server tells its clients.
ENVTEST := $(CURDIR)/target/envtest
envtest-build:
	@cd openelb-k8s/tests/envtest && \
	version=$$(sed -n 's|.*k8s.io/kubernetes v|v|p' $(MODFILE)) && folder=$(ENVTEST)/$$version && \
	minor=$${version#v1.} && minor=$${minor%%.*} && flags="-s -w" && mkdir -p $$folder && \
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do \
	  flags+=" -X $$package.gitVersion=$$version -X $$package.gitMajor=1 -X $$package.gitMinor=$$minor -X $$package.gitTreeState=clean"; \
	done && \
	if [ ! -e $$folder/envtest ]; then echo "building Kubernetes $$version into $$folder (eight minutes of processor time, once)"; fi && \
	CGO_ENABLED=0 go build -modfile=$(MODFILE) -trimpath -ldflags "$$flags" -o $$folder/envtest . && \
	for component in etcd kube-apiserver kube-controller-manager kube-proxy kubectl; do ln -sf envtest $$folder/$$component; done

# Helm, for the chart, and the definitions of Prometheus' operator, for the objects of its kinds: both of their own modules.
envtest-beside:
	@cd openelb-k8s/tests/envtest && folder=$(ENVTEST)/beside && mkdir -p $$folder && \
	CGO_ENABLED=0 go build -modfile=beside.mod -trimpath -ldflags "-s -w" -o $$folder/helm helm.sh/helm/v3/cmd/helm && \
	go mod download -modfile=beside.mod github.com/prometheus-operator/prometheus-operator && \
	operator=$$(go list -modfile=beside.mod -m -f '{{.Dir}}' github.com/prometheus-operator/prometheus-operator) && \
	for kind in servicemonitors prometheusrules; do \
	  install -m 644 $$operator/example/prometheus-operator-crd/monitoring.coreos.com_$$kind.yaml $$folder; \
	done

# A seed that breaks an invariant is made smaller, told line by line, and can be run again.
nightly:
	OPENELB_SEEDS=$(NIGHTLY_SEEDS) $(CARGO) test --quiet --release --package openelb-announce --features sim --test election -- --nocapture

# --- checks ------------------------------------------------------------------------------------------------

lint: fmt clippy doc deny features tidy fuzz-check

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --quiet

deny:
	@command -v cargo-deny >/dev/null || CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
	  $(CARGO) install --quiet --locked --root $(TOOLS) --version $(DENY_VERSION) cargo-deny
	$(CARGO) deny --log-level error check bans licenses sources

advisories:
	$(CARGO) deny check advisories

# The promises of the feature flags: the core crates build without std and without the driver, and stay free of I/O crates there.
features:
	$(CARGO) check --quiet --package openelb-ipam --no-default-features
	$(CARGO) check --quiet --package openelb-announce --no-default-features
	$(CARGO) check --quiet --package openelb-announce --no-default-features --features sim,serde
	$(CARGO) check --quiet --package openelb-announce --no-default-features --features driver
	$(CARGO) check --quiet --package openelb-k8s
	@if $(CARGO) tree --quiet --package openelb-announce --no-default-features --edges normal --prefix none | grep -E '^(tokio|libc|socket2|nix) '; \
	  then echo "openelb-announce without the driver must not depend on the above"; exit 1; fi
	@if rustup target list --installed 2>/dev/null | grep -q '^$(STATIC)$$'; \
	  then $(CARGO) check --quiet --package openelb-announce --target $(STATIC); \
	  else echo "NOT CHECKED: the static image, whose C library is musl (rustup target add $(STATIC))"; fi

# The container image, from a program that is built here: needs rustup, musl-gcc (Debian: musl-tools) and podman or buildah.
image:
	rustup target add $(STATIC)
	CC_$(subst -,_,$(STATIC))=musl-gcc $(CARGO) build --locked --release --target $(STATIC) -p openelb-k8s --features daemon --bin openelb-k8s
	$$(command -v podman || command -v buildah) build -f openelb-k8s/deploy/Containerfile -t $(IMAGE) \
	  --build-context build=$${CARGO_TARGET_DIR:-target}/$(STATIC)/release .

# The manifests and the chart, from the Rust types; a test fails while they differ.
deploy:
	OPENELB_WRITE=1 $(CARGO) test --quiet --package openelb-k8s --features schema --lib -- the_files_equal_the_objects

tidy:
	$(CARGO) test --quiet --package openelb-cli --test tidy

fuzz-check:
	$(CARGO) check --quiet --manifest-path fuzz/Cargo.toml --target-dir target/fuzz-check

# --- measurements ------------------------------------------------------------------------------------------

bench: envtest
	$(CARGO) bench --quiet --package openelb-benches --bench goals
	$(CARGO) bench --quiet --package openelb-benches --bench l2
	$(CARGO) bench --quiet --package openelb-benches --bench session
	$(CARGO) bench --quiet --package openelb-benches --bench bgp
	$(CARGO) bench --quiet --package openelb-benches --bench bfd
	$(CARGO) bench --quiet --package openelb-benches --bench failover
	$(CARGO) bench --quiet --package openelb-benches --bench cluster
	$(CARGO) bench --quiet --package openelb-benches --bench cni

fuzz:
	@command -v cargo-fuzz >/dev/null || $(CARGO) install --quiet --locked --root $(TOOLS) --version $(FUZZ_VERSION) cargo-fuzz
	@for target in fuzz/fuzz_targets/*.rs; do \
	  name=$$(basename $$target .rs); \
	  echo "== $$name"; \
	  mkdir -p fuzz/corpus/$$name; \
	  (cd fuzz && $(CARGO) +nightly fuzz run --sanitizer none $$name corpus/$$name seeds/$$name -- -max_total_time=$(FUZZ_SECONDS) -print_final_stats=0 2>&1 | tail -n 1); \
	done

docs:
	$(CARGO) doc --workspace --all-features --no-deps

# What `cargo publish` would do, short of publishing.
package:
	$(CARGO) publish --dry-run --allow-dirty --package openelb-ipam
	$(CARGO) publish --dry-run --allow-dirty --package openelb-announce
