"""Which authorities are believed: those of `certifi`, or of a file that the environment names, and one's own."""

import os
import ssl
from functools import lru_cache
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util.ssl_ import create_urllib3_context

from numerbay_chain.core.errors import UsageError
from numerbay_chain.core.network.bounds import BoundedTLSSocket
from numerbay_chain.core.network.failures import CA_VARIABLE

_INSTEAD = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Files or folders that take the place of the usual authorities, as other programs use them; the first one counts."""


def context() -> ssl.SSLContext:
    """Return what certificates are checked with. `NUMERBAY_CHAIN_CA_FILE` adds authorities to the usual ones.

    Raises `UsageError`, with the variable's name, for a file that is not there or holds no certificate.
    """
    instead = next(((name, os.environ[name]) for name in _INSTEAD if os.environ.get(name)), None)
    return _context(instead, os.environ.get(CA_VARIABLE) or None)


@lru_cache(maxsize=8)
def _context(instead: tuple[str, str] | None, own: str | None) -> ssl.SSLContext:
    made = create_urllib3_context()
    made.sslsocket_class = BoundedTLSSocket
    if instead is None:
        made.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
    else:
        _load(made, *instead)
    if own is not None:
        _load(made, CA_VARIABLE, own)
    return made


def _load(made: ssl.SSLContext, variable: str, place: str) -> None:
    try:
        if Path(place).is_dir():
            made.load_verify_locations(capath=place)
        else:
            made.load_verify_locations(cafile=place)
    except (OSError, ValueError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise UsageError(
            f"{variable} names {'a file that is not there' if missing else 'no file of certificates'}: {place}",
            f"correct {variable}, or take it out of the environment",
            code="bad-setting",
        ) from None
