"""The home folder: settings, profiles, key files, the seller secret.

Most code needs `config.load_settings`, which asks flags, environment and profile in that order.
"""
