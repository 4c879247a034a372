"""A marketplace on a real chain with its people, for tests that hold on every chain."""
