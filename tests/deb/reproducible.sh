#!/usr/bin/env bash
# Makes the packages of this commit here and, from nothing, in a folder with another name, and compares them byte for byte.
set -euo pipefail
cd "$(dirname "$0")/../.."
other=$(mktemp -d)/elsewhere
trap 'rm -rf "${other%/*}"' EXIT

[ -z "$(git status --porcelain)" ] || { echo "deb-reproducible: there are changes that are not committed" >&2; exit 2; }
deploy/package.sh
git clone --quiet . "$other"
# What was fetched is pinned and need not be fetched again.
cp -r .cache "$other/.cache"
(cd "$other" && deploy/package.sh)
diff target/debian/SHA256SUMS "$other/target/debian/SHA256SUMS"
echo "both folders made the same bytes"
