# For a shell of your own: `. tools/env.sh` puts the project's programs on PATH and shows py-solc-x the project's compiler.
root="$(git rev-parse --show-toplevel 2>/dev/null || pwd)"
export SOLCX_BINARY_PATH="$root/.cache/solcx"
export PATH="$root/.venv/bin:$root/node_modules/@foundry-rs/anvil-linux-amd64/bin:$root/.cache/bin:$PATH"
unset root
