"""Disputes: what can be done, and each step of it."""
