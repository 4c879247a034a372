"""The judge's cryptography: Solidity libraries against the RFCs' vectors and against well-kept libraries."""
