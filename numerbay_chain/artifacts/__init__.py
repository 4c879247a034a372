"""Sealed files, without a chain.

Most code needs `seal.seal`, `verify.check` and `unseal.unseal`; `manifest` is the page that stands for all of it on
chain. `kept` is what was checked and stays on this machine, `bundle` the same as a folder of five files.
"""
