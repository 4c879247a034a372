"""Files that several commands read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from numerbay_chain.cli import streams
from numerbay_chain.core.errors import RefusedError

if TYPE_CHECKING:
    from numerbay_chain.listings.vouchers import SignedVoucher

_MOST = 1_000_000  # characters of a file that claims to be a voucher


def read_voucher(path: str) -> "SignedVoucher":
    """A voucher from a file, - is stdin. Raises `RefusedError`."""
    from numerbay_chain.core.files import textfile
    from numerbay_chain.listings.vouchers import SignedVoucher

    if path == "-":
        return SignedVoucher.from_json(textfile.decode(streams.stdin_bytes().read(_MOST), "standard input"))
    return SignedVoucher.from_json(textfile.read(path, "voucher", limit=_MOST))


@contextmanager
def offering_overwrite() -> Iterator[None]:
    """Let the hint about a file that exists name the flag that replaces it."""
    try:
        yield
    except RefusedError as error:
        if error.code != "file-exists":
            raise
        raise RefusedError(str(error), "choose another name, or give --overwrite", code=error.code) from None
