# What a person or CI calls. Every target does its own set-up; a second call is quick.
.DELETE_ON_ERROR:
.PHONY: help demo test test-setup test-ui test-ha rig build-arm64 deb test-deb deb-reproducible check check-portable fuzz sanitize power-cuts soak bench bench-instructions bench-boxes bench-fleet bench-commands bench-peers models-data models-teach models-assist models-train models-soup models-export models-eval

SET_UP := deploy/set-up-checkout.sh

# What can be made, each with what stands above it in this file.
help:
	@awk '/^#/ { said = said substr($$0, 2) } /^$$/ { said = "" } \
	  /^[a-z][a-z0-9-]*:/ && !($$1 in seen) { seen[$$1]; sub(/:.*/, ""); sub(/\. .*/, ".", said); printf "%-18s%s\n", $$0, said }' $(MAKEFILE_LIST)

# A recording (or, with MOODBOX_DEMO="--camera", this computer's webcam) through the whole box, with its own broker.
demo:
	@$(SET_UP) build
	@cargo build --quiet --release --package moodbox
	@target/release/moodbox demo $(MOODBOX_DEMO)

# All tests that need no root, browser or Home Assistant. Most wait for programs, timers and brokers, with the processor idle:
# more of them run at once than there are processors.
test: export RUST_TEST_THREADS ?= 4
test:
	@$(SET_UP) test
	cargo test --workspace

# Both programs for a 64-bit Raspberry Pi, on an x86 machine; they lie in target/aarch64-unknown-linux-gnu/release.
build-arm64:
	deploy/cargo-arm64.sh build --release --locked --package moodboxd --package moodbox

# Setting up, finding, examining, aiming and updating a box with these packages: a fresh Debian that boots in a container, over
# its own SSH; takes root.
test-setup: deb
	@$(SET_UP) setup
	@tests/setup/run.sh

# The Debian packages, with checksums, in target/debian: for both architectures on an x86 machine, for its own on a Raspberry Pi.
# Signs the checksums where SIGNING_KEY, in the environment or after `make deb`, names a key of gpg.
deb:
	deploy/package.sh

# Their life on a clean Debian with its own systemd: installed, upgraded, put back, removed, purged. Takes root.
test-deb: deb
	tests/deb/run.sh

# Makes them of this commit in another folder too, and compares.
deb-reproducible:
	tests/deb/reproducible.sh

# The real daemon beside a real Home Assistant; takes root, and some minutes the first time.
test-ha:
	@$(SET_UP) test
	@cargo build --quiet --workspace --bins --examples
	tests/ha/up.sh check

# The page of `moodbox ui` in a real Chromium, beside real boxes.
test-ui:
	@$(SET_UP) ui
	@cargo build --quiet --workspace --bins --examples
	.cache/ui/bin/python tests/ui/check.py

# The daemon on an emulated Raspberry Pi with the kernel's real drivers, and all that can go wrong around it.
rig:
	@tests/rig/run.sh

# Format, lints, documentation, invariants, licences, advisories.
check:
	@$(SET_UP) check
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	deploy/check-invariants.sh
	systemd-analyze --no-pager security --offline=true --threshold=16 systemd/moodboxd.service
	python3 models/training/expression/card.py
	.cache/tools/bin/cargo-deny --log-level error check bans licenses sources
	deploy/check-advisories.sh

# What of the tool needs no vision, for macOS and Windows: compiled and linted, neither linked nor run.
PORTABLE := aarch64-apple-darwin x86_64-pc-windows-gnu
check-portable:
	@$(SET_UP) portable
	cargo clippy --quiet --locked --package moodbox --no-default-features $(PORTABLE:%=--target %) -- -D warnings

# What others hand to the box, as bad as a machine can make it: each target of tests/fuzz for FUZZ_SECONDS.
FUZZ_SECONDS ?= 60
fuzz:
	@$(SET_UP) build
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

# The tests that reach the unsafe blocks, under AddressSanitizer; five minutes the first time.
sanitize:
	@$(SET_UP) test
	@tests/sanitize.sh

# The power fails CUTS times while the state is written.
CUTS ?= 15000
power-cuts:
	@$(SET_UP) test
	MOODBOX_POWER_CUTS=$(CUTS) cargo test --quiet --workspace --test all power_cuts::a_power_cut -- --nocapture

# Hours of video through the box while things fail around it, six times as fast as they would come; ends with 1 if it grows.
SOAK_SECONDS ?= 3600
soak:
	@$(SET_UP) test
	cargo run --quiet --release --package moodbox-tests --example soak -- $(SOAK_SECONDS)

# Speed on the folder of photos named by FRAMES.
bench:
	@$(SET_UP) build
	@cargo build --quiet --release --package moodbox
	target/release/moodbox bench --frames "$(FRAMES)"

# What a frame takes in instructions, against what it took before. Takes valgrind.
bench-instructions:
	@$(SET_UP) build
	@device/vision/benches/instructions.sh

# How many boxes one Mosquitto carries; some minutes.
bench-boxes:
	@$(SET_UP) test
	cargo run --quiet --release --package moodbox-tests --example boxes -- 10 50 200 1000

# How long `moodbox fleet` takes with 200 boxes.
bench-fleet:
	@$(SET_UP) test
	cargo run --quiet --release --package moodbox-tests --example fleet -- 200

# How fast the tool answers where it needs no box.
bench-commands:
	@$(SET_UP) build
	cargo run --quiet --release --package moodbox-tests --example commands

# `bench` beside other face detectors (and YuNet, where YUNET names its model), which take 6 GB of packages the first time.
bench-peers:
	@$(SET_UP) build
	@cargo build --quiet --release --package moodbox
	tests/peers/run.sh "$(FRAMES)" "$(YUNET)"

# The classifier, from labelled faces to the file that the box runs; see models/training/README.md. FACES names other faces.
PIPELINE := python3 models/training/pipeline.py

# Reads and checks the labelled faces; FACES names others than FER2013.
models-data:
	@$(PIPELINE) data $(if $(FACES),--faces "$(FACES)")

# Large networks whose answers `models-train` can learn from; wants a GPU, on a large one it took three minutes. Goes on where it was interrupted.
models-teach:
	@$(PIPELINE) teach $(TEACH_OPTIONS)

# One larger network, whose answers are joined with theirs for `models-soup` to learn from; an hour on two processor cores that compute
# in bfloat16. Goes on where it was interrupted.
models-assist:
	@$(PIPELINE) assist $(ASSIST_OPTIONS)

# The classifier's weights, from the prepared faces. Goes on where it was interrupted.
models-train:
	@$(PIPELINE) train $(TRAIN_OPTIONS)

# Trains on from weights several times, and takes the mean; an hour and a half for two seeds on two processor cores that compute in
# bfloat16. Goes on where it was interrupted.
models-soup:
	@$(PIPELINE) soup $(SOUP_OPTIONS)

# The int8 file of what was trained, or else of the released weights, or of those that WEIGHTS names: proved and measured, and
# its entry in the manifest.
models-export:
	@$(PIPELINE) export $(if $(WEIGHTS),--weights "$(WEIGHTS)")

# Measures with the box's own code and writes the model card.
models-eval:
	@$(SET_UP) build
	@cargo build --quiet --release --package moodbox
	@$(PIPELINE) eval
