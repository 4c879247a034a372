"""Transactions: sent once, followed until they are final."""
