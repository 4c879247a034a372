"""The contract's ABI as it ships: calls, errors, signed messages, and the words for its errors."""
