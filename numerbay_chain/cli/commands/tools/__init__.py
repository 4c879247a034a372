"""Commands about this machine, and those that need no marketplace."""
