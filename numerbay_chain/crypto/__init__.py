"""Bytes and streams: content key, container, Merkle tree, envelopes. Knows no chain, no network and no path."""
