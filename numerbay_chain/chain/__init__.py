"""The marketplace on the chain: its calls, logs, signers and transactions. Only what is imported by name loads web3."""
