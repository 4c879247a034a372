"""Encrypted, recurring deliveries of predictions on Ethereum and IPFS."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# public name -> the module it lives in; loaded when it is used, because web3 takes more than a second to import
_EXPORTS: dict[str, str] = {
    name: f"{__name__}.{module}"
    for module, names in {
        "seller": "Seller",
        "buyer": "Buyer",
        "auditor": "Auditor",
        "session": "Session",
        "opening": "open_session",
        "chain.sending.plan": "Planned",
        "core.home.config": "Home Settings load_settings",
        "core.errors": (
            "AccountError ContentError DecryptionError ExitCode NetworkError NotFoundError NumerbayChainError "
            "RefusedError RevertedError UnseenKeyError UsageError WrongContentError"
        ),
        "protocol.events": "Done Receipt",
        "listings.results": "Created ListingView VoucherStatus",
        "orders.results": "OrderView PotView Purchase Quote RegisteredKey Remedy RoundView Withdrawal",
        "delivery.results": "Delivered Left Served",
        "retrieval.results": "Fetched Problem Verification",
        "disputes.results": "Answer Answers Dispute EndedDispute Judgement OpenedDispute Proven Unanswered",
        "audit.results": "AuditReport Finding TokenBalance",
        "protocol.types": "Challenge Ground Listing Offer Order Release Settlement Terms Token Voucher",
        "listings.description": "Description",
        "artifacts.manifest": "Manifest",
        "core.home.keyfile": "KeyPair",
        "ipfs": "Cid ContentStore EmbeddedStore GatewayStore KuboStore open_store",
        "listings.terms": "PRESETS build_terms",
        "listings.words": "explain",
        "listings.vouchers": "SignedVoucher",
    }.items()
    for name in names.split()
}

_EARLIER = {"Market": "Session", "open_market": "open_session"}
"""Names that programs may still use -> what they are called now."""

__all__ = ["__version__", *_EXPORTS]


def __getattr__(name: str) -> Any:
    if name in _EARLIER:
        return __getattr__(_EARLIER[name])
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
