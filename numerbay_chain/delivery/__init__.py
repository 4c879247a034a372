"""From a file to its buyers: sealed, pinned, released, and its key handed out.

Most code needs `deliver.deliver` and `deliver.serve`, which can be run again after a crash. Who gets a key is decided
in `recipients`.
"""
