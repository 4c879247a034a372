"""The stores that content is pinned to and read from: every byte is checked against its CID.

Most code needs `fallback.open_store` and the protocol `base.ContentStore`.
"""
