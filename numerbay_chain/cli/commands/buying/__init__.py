"""Commands of buyers."""
