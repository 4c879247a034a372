"""The stores that content is pinned to and read from."""
