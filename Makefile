# Kiln: everything that a user or the CI runs. `make run` and `make test` set up a fresh Debian 12
# machine (as root) themselves.

CARGO_FLAGS := -q --release -j2
# The reference VM; looked for when a recipe that needs it runs, after set-up.
HOTSPOT = $(shell bash -c '. scripts/lib.sh && jdk17')/bin/java

.PHONY: help setup build arm64 image run test stress soak tools bench jtreg litmus fuzz-classfiles fuzz-jit

help:
	@echo "make run               benchmarks on Kiln and on java, side by side"
	@echo "make test              all tests, on x86-64 and (under qemu) on ARM64"
	@echo "make stress            all fixtures in every mode of the compilers: hours (MODES='xcomp eager')"
	@echo "make build             target/release/{kiln,libjvm.so}"
	@echo "make arm64             target/arm64/{kiln,libjvm.so}"
	@echo "make image             target/image: the installed JDK with Kiln as its VM"
	@echo "make tools             javac, jshell, jlink, ... and Debian's Clojure, ecj, JUnit, H2 on both VMs (TOOLS='jar ecj')"
	@echo "make bench             all benchmark kernels, -Xint on both VMs (ARGS='-r 5' KERNELS=crc)"
	@echo "make litmus            the Java memory model: litmus tests, a million rounds each"
	@echo "make jtreg DIRS=..     OpenJDK tests on both VMs, compared"
	@echo "make soak              ten minutes of eight threads on a graph that nearly fills the heap, on both VMs"
	@echo "make fuzz-classfiles    changed class files on both VMs, compared (SEED=1 COUNT=20000)"
	@echo "make fuzz-jit           generated programs on HotSpot and on Kiln's compilers, compared (SEED=1 FROM=0 N=1000)"
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
	@benches/compare -n 3 -s 2 -r 1 target/release/kiln "$(HOTSPOT)" $(ARGS)

test: setup
	scripts/test

stress: setup
	scripts/stress $(MODES)

tools: image
	@scripts/tools $(TOOLS)

bench: build
	@benches/compare $(ARGS) "target/release/kiln -Xint" "$(HOTSPOT) -Xint" $(KERNELS)

jtreg: LIST ?= tests/jtreg.dirs
jtreg: DIRS ?= $(shell grep -v '^\#' $(LIST))
jtreg: image
	@scripts/jtreg $(DIRS)

soak: build
	scripts/soak

litmus: build
	@scripts/litmus $(ROUNDS)

fuzz-classfiles: SEED ?= 1
fuzz-classfiles: COUNT ?= 20000
fuzz-classfiles: build
	CLASSFUZZ=$(SEED):0:$(COUNT) cargo test $(CARGO_FLAGS) --test classfuzz -- --nocapture

fuzz-jit: SEED ?= 1
fuzz-jit: FROM ?= 0
fuzz-jit: N ?= 1000
fuzz-jit: build
	@scripts/fuzz-jit $(SEED) $(FROM) $(N) $(ARGS)
