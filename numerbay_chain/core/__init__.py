"""What every part needs and nothing of the marketplace is in: errors, units, text, files, settings, HTTP."""
