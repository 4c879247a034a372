"""From a release to the file: checked, fetched, decrypted."""
