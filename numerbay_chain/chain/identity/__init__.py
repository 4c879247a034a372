"""Which contract it is: where it is, how it came to be, and how it is deployed."""
