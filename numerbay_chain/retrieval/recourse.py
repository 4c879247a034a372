"""What a buyer can turn to where a round is not what was promised. The roles hand it in: retrieval knows no dispute."""

from collections.abc import Callable
from dataclasses import dataclass

from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.orders.order_round import OrderRound
from numerbay_chain.orders.results import Remedy
from numerbay_chain.retrieval.results import ProblemKind
from numerbay_chain.session import Session


@dataclass(frozen=True, slots=True)
class Recourse:
    """`remedy`: what can be done about a problem, which is the seller's fault or not; `words`: how the round stands, in
    one sentence; `sealed_scalar`: what an answer on chain holds for a key pair, None where there is none; `is_right`:
    whether that is the key with a commitment (None: the one that the chain knows)."""

    remedy: Callable[[Session, OrderRound, ProblemKind, bool], Remedy]
    words: Callable[[OrderRound], str]
    sealed_scalar: Callable[[OrderRound, KeyPair], int | None]
    is_right: Callable[[OrderRound, int, bytes | None], bool]
