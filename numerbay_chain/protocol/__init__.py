"""The contract's rules in Python, without any input or output.

Most code needs `types` (what the contract holds), `events` (what its logs and receipts tell) and `rules` (what may
happen to a round, and until when). `replay` keeps the marketplace's books from its events alone.
"""
