#!/usr/bin/env bash
# Known vulnerabilities in what Cargo.lock names: against the live RustSec database where it can be reached, else
# against a copy of it in ../shared/advisory-db.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

check() { .cache/tools/bin/cargo-deny --log-level warn "$@" check advisories; }

# Cargo-deny clones the database from its own address alone; git takes the copy for that.
check_copy() {
  local database=$scratch/database
  cp -r ../shared/advisory-db "$database"
  chmod -R u+w "$database"
  git -C "$database" init --quiet --initial-branch=main
  git -C "$database" add --all
  git -C "$database" -c user.name=copy -c user.email=copy@localhost commit --quiet --message=copy
  sed "s#^\[advisories\]#&\ndb-path = \"$scratch/cloned\"#" deny.toml >"$scratch/deny.toml"
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$database.insteadOf" \
    GIT_CONFIG_VALUE_0=https://github.com/RustSec/advisory-db check --config "$scratch/deny.toml"
}

if check >"$scratch/log" 2>&1; then
  echo "advisories: none (live database)"
elif ! grep -qiE 'failed to (fetch|clone|acquire)|could not connect|error sending request|failed to resolve' "$scratch/log"; then
  cat "$scratch/log" >&2
  exit 1
elif [ -d ../shared/advisory-db ]; then
  check_copy
else
  echo "advisories: skipped: the database cannot be reached and there is no copy in ../shared/advisory-db"
fi
