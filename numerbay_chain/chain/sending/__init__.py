"""Transactions: each is sent once, and followed until it is final.

Most code needs `outbox.Outbox.send`, which writes a signed transaction down before the network hears of it.
"""
