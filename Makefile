# Kiln: everything that a user or the CI runs. `make run` and `make test` set up a fresh Debian 12
# machine (as root) themselves.

CARGO_FLAGS := -q --release -j2

.PHONY: help setup build arm64 image run test bench jtreg

help:
	@echo "make run               benchmarks on Kiln and on java, side by side"
	@echo "make test              all tests, on x86-64 and (under qemu) on ARM64"
	@echo "make build             target/release/{kiln,libjvm.so}"
	@echo "make arm64             target/arm64/{kiln,libjvm.so}"
	@echo "make image             target/image: the installed JDK with Kiln as its VM"
	@echo "make bench [ARGS=..]   all benchmark kernels, -Xint on both VMs"
	@echo "make jtreg DIRS=..     OpenJDK tests on both VMs, compared"
	@echo "make setup             install what is missing (root, Debian 12)"

setup:
	@scripts/setup

build: setup
	cargo build $(CARGO_FLAGS)

arm64: setup
	scripts/build-arm64

image: build
	scripts/build-image

run: build
	@scripts/build-java
	@scripts/bench --quick $(ARGS)

test: setup
	scripts/test

bench: build
	@scripts/build-java
	@scripts/bench $(ARGS)

jtreg: image
	scripts/jtreg $(DIRS)
