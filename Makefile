# What a person or CI calls. Every target does its own set-up; a second call is quick.
.DELETE_ON_ERROR:
.PHONY: demo test check bench fmt

SET_UP := deploy/set-up-checkout.sh

# A recording (or, with MOODBOX_DEMO="--camera", this computer's webcam) through the whole box, with its own broker.
demo:
	@$(SET_UP) build
	@cargo build --quiet --release --package moodbox
	@target/release/moodbox demo $(MOODBOX_DEMO)

test:
	@$(SET_UP) test
	cargo test --workspace

check:
	@$(SET_UP) check
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	deploy/check-invariants.sh
	.cache/tools/bin/cargo-deny --log-level error check bans licenses sources
	deploy/check-advisories.sh

# Speed on the folder of photos named by FRAMES.
bench:
	@$(SET_UP) build
	@cargo build --quiet --release --package moodbox
	target/release/moodbox bench --frames "$(FRAMES)"
