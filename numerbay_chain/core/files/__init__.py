"""Files on this machine: written whole, locked, read within bounds."""
