"""Orders: bought, looked at, paid back, paid out."""
