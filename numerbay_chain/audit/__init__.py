"""Whether the contract holds what it owes."""
