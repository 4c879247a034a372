"""From a release to the file: checked, fetched, decrypted.

Most code needs `verify.verify` and `fetch.fetch`. Nothing here knows of disputes: what a buyer can turn to is handed in
as a `Recourse`.
"""
