"""Sealed files: source, sealing, checking, opening, and what is kept of them on this machine."""
