"""The one-time keys of a challenge, and the key that its answer holds (docs/protocol.md §2 "Disputes")."""

from numerbay_chain.core.errors import AccountError, NetworkError
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.crypto.content_key import word
from numerbay_chain.crypto.dispute_keys import (
    DisputeKey,
    Response,
    derive_dispute_key,
    is_committed_key,
    open_response,
)
from numerbay_chain.orders.order_round import OrderRound


def dispute_key(case: OrderRound, pair: KeyPair) -> DisputeKey:
    """Return the one-time key of this dispute. Raise `AccountError` where the challenge was made with another one."""
    key = derive_dispute_key(pair.reveal_private_key(), case.context)
    if case.challenge is not None and case.challenge.dispute_key != key.x:
        raise AccountError(
            f"the challenge of {case.name} was not made with this key file",
            "use the machine, or the program, that opened it",
            code="wrong-key-file",
        )
    return key


def sealed_scalar(case: OrderRound, pair: KeyPair) -> int | None:
    """Return what the seller's answer holds, which may be the content key; None where there is no answer."""
    answered = case.challenge
    if answered is None or not answered.responded:
        return None
    return open_response(Response(answered.response_key, answered.sealed_key), dispute_key(case, pair), case.context)


def is_right(case: OrderRound, scalar: int, commitment: bytes | None) -> bool:
    """Return whether the contract takes an answer's content for the content key. `commitment`: the manifest's, where it
    is available. Raise `NetworkError` where the node tells of another one with the answer."""
    known = None if case.challenge is None else word(case.challenge.key_commitment)
    if case.challenge is None or commitment not in (None, known):
        raise NetworkError(
            "the node's logs of the answer and of the release do not agree",
            "use another node",
            code="node-incomplete",
        )
    return is_committed_key(scalar, case.challenge.key_commitment)
