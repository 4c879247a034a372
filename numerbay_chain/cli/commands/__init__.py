"""The commands, by who needs them."""
