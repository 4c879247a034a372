"""Results as JSON and as text."""
