"""Accounts that sign. Most code needs `signer.Signer.from_spec`."""
