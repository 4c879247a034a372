"""What the contracts do for all arguments, not some: halmos runs their bytecode on symbols. `*.sol` hold the checks."""
