#!/usr/bin/env bash
# Known vulnerabilities in what Cargo.lock names: against the live RustSec database where it can be reached, else
# against a copy of it in ../shared/advisory-db.
set -euo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if .cache/tools/bin/cargo-deny --log-level warn check advisories >"$log" 2>&1; then
  echo "advisories: none (live database)"
elif ! grep -qiE 'failed to (fetch|clone|acquire)|could not connect|error sending request|failed to resolve' "$log"; then
  cat "$log" >&2
  exit 1
elif [ -d ../shared/advisory-db ]; then
  ignored=()
  for id in $(grep -oE 'RUSTSEC-[0-9]{4}-[0-9]{4}' deny.toml); do ignored+=(--ignore "$id"); done
  .cache/tools/bin/cargo-audit audit --db ../shared/advisory-db --no-fetch --stale --deny warnings "${ignored[@]}"
else
  echo "advisories: skipped: the database cannot be reached and there is no copy in ../shared/advisory-db"
fi
