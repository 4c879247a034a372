"""The marketplace's bytecode against its model, in sequences of calls that hypothesis thinks of."""
