#!/usr/bin/env bash
# Writes the checksums of a folder's packages into it, and signs them where SIGNING_KEY names a key of gpg.
#
#   checksums.sh FOLDER
set -euo pipefail
cd "${1:?usage: checksums.sh FOLDER}"

# A signature of other checksums must not stay beside these.
rm -f SHA256SUMS.asc
sha256sum -- *.deb >SHA256SUMS
cat SHA256SUMS
if [ -n "${SIGNING_KEY:-}" ]; then
  gpg --batch --armor --detach-sign --local-user "$SIGNING_KEY" --output SHA256SUMS.asc SHA256SUMS
fi
