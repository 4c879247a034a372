"""Chains on this machine, for trials and tests."""
