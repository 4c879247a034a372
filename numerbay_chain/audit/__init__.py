"""Whether the contract holds what it owes. Most code needs `checks.run_audit`."""
