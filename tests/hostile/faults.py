"""Faults that were mended, to be put back for a run: a campaign that does not find them finds nothing."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import wraps
from typing import Any

import numerbay_chain.buyer
import numerbay_chain.delivery.release
import numerbay_chain.disputes.docket
import numerbay_chain.disputes.judge
import numerbay_chain.disputes.prove
import numerbay_chain.disputes.respond
import numerbay_chain.seller
from numerbay_chain.artifacts.content import Content
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.clock import STALE, Clock
from numerbay_chain.core.errors import NetworkError, NumerbayChainError
from numerbay_chain.disputes.docket import OpenChallenge
from numerbay_chain.disputes.results import DisputeScope
from numerbay_chain.role import method
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session
from tests.hostile import stores


@contextmanager
def _with(*replaced: tuple[Any, str, Any]) -> Iterator[None]:
    """Each attribute is another one in the block."""
    with ExitStack() as undo:
        for owner, name, value in replaced:
            undo.callback(setattr, owner, name, owner.__dict__[name])
            setattr(owner, name, value)
        yield


def _on_a_stale_clock(step: Callable[..., Any]) -> Callable[..., Any]:
    """The step knows the time at which it began, and the dispute as it stood then, however long it takes; a node that
    seems to be behind by then is refused."""

    @wraps(step)
    def stale(session: Session, *arguments: Any, **named: Any) -> Any:
        then = session.connection.now()

        def present(clock: Clock, now: int, margin: int) -> int:
            if margin and time.time() - then > STALE:
                raise NetworkError("the node's newest block is old", code="stale-node")
            return then

        disputes = numerbay_chain.disputes
        again = [
            (one, "read_again", lambda _, case: case) for one in (disputes.judge, disputes.prove, disputes.respond)
        ]
        with _with((Clock, "now", lambda _: then), (Clock, "_present", present), *again):
            return step(session, *arguments, **named)

    return stale


def stale_clock_in_prove() -> AbstractContextManager[None]:
    return _with((Buyer, "prove", method(_on_a_stale_clock(numerbay_chain.buyer.prove))))


def stale_clock_in_respond() -> AbstractContextManager[None]:
    return _with((Seller, "respond", method(_on_a_stale_clock(numerbay_chain.seller.respond))))


def strangers_challenges() -> AbstractContextManager[None]:
    """Whoever names a seller as operator is served, in the order of deadlines, for as long as the store takes."""
    modules = numerbay_chain.disputes.docket, numerbay_chain.disputes.respond
    scope_of, open_challenges = modules[0].scope_of, modules[0].open_challenges

    def everybody(session: Session, named: Collection[int], *look: Any) -> DisputeScope:
        scope = scope_of(session, named, *look)
        operators = {
            event["listing"]: event["operator"] for event in session.index.events(["ListingCreated", "OperatorChanged"])
        }
        mine = {listing for listing, operator in operators.items() if operator == session.account}
        return DisputeScope(scope.sold, scope.operated | (mine - scope.sold), 0)

    def by_deadline(session: Session, scope: DisputeScope, *look: Any) -> list[OpenChallenge]:
        return sorted(open_challenges(session, scope, *look), key=lambda one: (one.answered, one.deadline))

    return _with(
        *((module, "scope_of", everybody) for module in modules),
        *((module, "open_challenges", by_deadline) for module in modules),
        (OpenChallenge, "at_stake", True),
        (Content, "reading", lambda *_: nullcontext()),
    )


class _Ended(NumerbayChainError):
    """What nothing catches that would try another object, or another store."""


def one_poisoned_object() -> AbstractContextManager[None]:
    """A gateway's 451 for one object ends the command."""
    return _with((stores, "refused", lambda name, cid: _Ended(f"{name} refused {cid}: HTTP 451")))


def checked_bytes_not_kept() -> AbstractContextManager[None]:
    return _with((Content, "keeping", lambda *_: nullcontext()), (Content, "reader", lambda content, _: content.store))


def keys_with_a_late_release() -> AbstractContextManager[None]:
    """Time is looked at before envelopes are pinned, not after."""
    with_keys = numerbay_chain.delivery.release._with_keys

    def never_late(*arguments: Any) -> Any:
        with _with((Clock, "is_late", lambda *_: False)):
            return with_keys(*arguments)

    return _with(
        (numerbay_chain.delivery.release, "_with_keys", never_late),
        (numerbay_chain.delivery.release, "keys_until", lambda *_: 2**40),
    )


FAULTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "stale-clock-in-prove": stale_clock_in_prove,
    "stale-clock-in-respond": stale_clock_in_respond,
    "strangers-challenges": strangers_challenges,
    "one-poisoned-object": one_poisoned_object,
    "checked-bytes-not-kept": checked_bytes_not_kept,
    "keys-with-a-late-release": keys_with_a_late_release,
}


def put_back(name: str | None) -> AbstractContextManager[None]:
    """The fault is there in the block; None: none is."""
    return nullcontext() if name is None else FAULTS[name]()
