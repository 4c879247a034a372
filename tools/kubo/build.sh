#!/usr/bin/env bash
# A Kubo for the tests of the real daemon: the one on PATH, else one built with Go, else a line that says it is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
built=.cache/bin/ipfs

if command -v ipfs >/dev/null && ipfs version >/dev/null 2>&1; then
    exit 0
elif ! command -v go >/dev/null; then
    echo "setup: no Kubo (neither ipfs nor go on PATH): the tests of the real daemon will not run"
    exit 0
fi

echo "setup: Kubo, built with Go once (3 to 4 minutes)"
mkdir -p .cache/bin
log=.cache/kubo-build.log
if (cd tools/kubo && go build -o "../../$built.part" github.com/ipfs/kubo/cmd/ipfs) >"$log" 2>&1 && "$built.part" version >/dev/null; then
    mv "$built.part" "$built"
    echo "   $("$built" version)"
else
    echo "setup: Kubo could not be built ($(tail -n 1 "$log"); all of it in $log): the tests of the real daemon will not run"
fi
