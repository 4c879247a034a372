"""From a file to its buyers: sealed, pinned, released, and its key handed out."""
