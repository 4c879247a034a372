"""Commands of sellers."""
