"""Files that several commands read."""

from typing import TYPE_CHECKING

from numerbay_chain.cli import streams

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
