"""The contract's ABI as it ships, and words for its errors.

Most code needs `calls`: one builder for each function that changes state.
"""
