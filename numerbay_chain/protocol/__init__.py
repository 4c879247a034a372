"""The contract's rules in Python, without any input or output: types, arithmetic, the books."""
