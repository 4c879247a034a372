"""Chains on this machine, for trials and tests: `embedded` in this process, `devnet` in one of its own."""
