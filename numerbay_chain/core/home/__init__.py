"""The home folder: settings, profiles, key files, the seller secret."""
