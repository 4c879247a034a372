"""What the contracts do, told one concern a file, on the fast in-process EVM."""
