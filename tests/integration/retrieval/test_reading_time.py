"""What others posted, or left out, must not use up a buyer's time: each read is bounded, none is repeated."""

from collections.abc import Callable, Iterator

import pytest

from numerbay_chain import Buyer
from numerbay_chain.core.errors import (
    ContentError,
    NetworkError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    SlowSourceError,
    UnseenKeyError,
)
from numerbay_chain.core.memory import Memory
from numerbay_chain.core.progress import silent
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE
from numerbay_chain.delivery import posting
from numerbay_chain.delivery.deliver import serve
from numerbay_chain.delivery.options import Choices, ServeRequest
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.retrieval.key_search import MOST_FAILURES, MOST_READ, reading_time
from tests.support.adversary import ANOTHER_KEY, CONTENT, DAY, Cheat, blind, sold
from tests.support.codes import fails_with
from tests.support.noise import noise
from tests.support.places import Place
from tests.support.slowness import advance_to
from tests.support.told import Told
from tests.support.wrapped import altered

Meanwhile = Callable[[Cid], object]


class Envelopes:
    """Counts the envelope objects that are read; `bad` ones fail with an error, after `meanwhile`."""

    def __init__(
        self,
        place: Place,
        monkeypatch: pytest.MonkeyPatch,
        error: NumerbayChainError,
        meanwhile: Meanwhile | None = None,
    ) -> None:
        self.bad: set[bytes] = set()
        self.read: list[Cid] = []
        real = EmbeddedStore.read

        def read(
            store: EmbeddedStore, cid: Cid, size: int, offset: int = 0, length: int | None = None
        ) -> Iterator[bytes]:
            if size % ENVELOPE_SIZE == 0 and size < 1_000:
                self.read.append(cid)
            if cid.digest in self.bad:
                if meanwhile:
                    meanwhile(cid)
                raise error
            yield from real(store, cid, size, offset, length)

        altered(monkeypatch, place.store, "read", read)

    def post(self, place: Place, listing: int, digest: bytes | None = None) -> bytes:
        """An object that nobody has, or `digest`, posted by the seller."""
        chosen = digest or noise(32, len(self.bad))
        if digest is None:
            self.bad.add(chosen)
        Cheat(place.seller.session).post(listing, chosen)
        return chosen


def with_key(place: Place, cheat: Cheat, **terms: object) -> tuple[int, int]:
    listing, (order,) = sold(place, **terms)
    sealed = cheat.release(listing, str(place.file()))
    cheat.hand_out(sealed.key, [order])
    return listing, order


# ------------------------------------------------------------------------------------------------------- one bad object


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("HTTP status 403"),
        NetworkError("HTTP status 500"),
        NotFoundError("HTTP status 451"),
        SlowSourceError("it dripped"),
        ContentError("other bytes"),
    ],
)
def test_one_object_that_can_t_be_read_hides_no_older_envelope(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch, error: NumerbayChainError
) -> None:
    listing, order = with_key(place, cheat)
    store = Envelopes(place, monkeypatch, error)
    store.post(place, listing)
    assert place.buyer().fetch(order, path=place.output()).size == 24
    with fails_with(RefusedError, "nothing-to-prove"):
        place.buyer().judge(order)
    with fails_with(RefusedError, "nothing-to-prove"):
        place.buyer().open_dispute(order, unseen=True)


def test_the_answer_on_chain_is_tried_before_any_store(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    manifest, key = cheat.release_junk(listing, CONTENT, chunk=2)
    store = Envelopes(place, monkeypatch, NotFoundError("nobody has it"), lambda _: place.chain.advance(DAY))
    for _ in range(3):
        store.post(place, listing)
    blind(place).open_dispute(order, unseen=True)
    cheat.answer(order, manifest, key)
    store.read.clear()
    assert place.buyer().prove(order, publish_key=True).kind == "wrong-content"
    assert store.read == []


def test_a_wrong_answer_leaves_the_envelopes_to_be_tried(place: Place, cheat: Cheat) -> None:
    listing, (order,) = sold(place)
    sealed = cheat.release(listing, str(place.file()))
    blind(place).open_dispute(order, unseen=True)
    cheat.answer(order, sealed.manifest, ANOTHER_KEY)
    cheat.hand_out(sealed.key, [order])
    assert place.buyer().fetch(order, path=place.output()).size == 24


# --------------------------------------------------------------------------------------------------------------- bounds


def test_failures_are_bounded(place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, order = with_key(place, cheat)
    store = Envelopes(place, monkeypatch, NotFoundError("nobody has it"))
    for _ in range(MOST_FAILURES + 2):
        store.post(place, listing)
    with pytest.raises(NotFoundError):
        place.buyer().fetch(order, path=place.output())
    assert len(store.read) == MOST_FAILURES


def test_objects_that_hold_somebody_else_s_key_are_bounded_too(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, orders = sold(place, buyers=2)
    sealed = cheat.release(listing, str(place.file()))
    cheat.hand_out(sealed.key, [orders[0]])
    store = Envelopes(place, monkeypatch, NotFoundError("nobody has it"))
    for _ in range(MOST_READ + 3):
        cheat.hand_out(sealed.key, [orders[1]])
    with pytest.raises(RefusedError):
        place.buyer().fetch(orders[0], path=place.output())
    assert len(store.read) == MOST_READ


def test_envelopes_leave_time_for_what_comes_after_them(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, order = with_key(place, cheat)
    buyer = place.buyer()
    matures = buyer.order(order).rounds[0].matures_at or 0
    store = Envelopes(place, monkeypatch, NotFoundError("nobody has it"), lambda _: place.chain.advance(120))
    for _ in range(MOST_FAILURES + 1):
        store.post(place, listing)
    advance_to(place, matures - 1_200)
    with pytest.raises(UnseenKeyError):
        buyer.open_dispute(order)
    assert matures - place.chain.connection.now() > 700
    assert len(store.read) <= 3


@pytest.mark.parametrize(("left", "seconds"), [(None, 600), (10 * DAY, 600), (1_260, 300), (30, 0)])
def test_the_time_for_small_objects_is_a_quarter_of_what_is_left(place: Place, left: int | None, seconds: int) -> None:
    session = place.seller.session
    until = None if left is None else session.clock.now() + left
    assert reading_time(session, until, 60) == pytest.approx(seconds, abs=1)


# -------------------------------------------------------------------------------------------------------- no wait twice


def test_no_object_is_waited_for_twice_in_a_command(
    place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing, (order,) = sold(place)
    cheat.release(listing, str(place.file()))
    store = Envelopes(place, monkeypatch, SlowSourceError("nothing came"))
    store.post(place, listing)
    buyer = place.buyer()
    with pytest.raises(UnseenKeyError):
        buyer.disputable(order)
    buyer.disputable(order, unseen=True)
    buyer.open_dispute(order, unseen=True)
    assert len(store.read) == 1


def test_the_key_is_looked_for_once(place: Place, cheat: Cheat, monkeypatch: pytest.MonkeyPatch) -> None:
    _, order = with_key(place, cheat)
    store = Envelopes(place, monkeypatch, NotFoundError("nobody has it"))
    buyer: Buyer = place.buyer()
    assert buyer.verify(order).key_opened
    buyer.fetch(order, path=place.output())
    assert len(store.read) == 1


def test_what_failed_at_once_is_asked_for_at_once() -> None:
    calls_, now = [], [1_000.0]
    memory = Memory(lambda: now[0])

    def find(takes: float, error: NumerbayChainError | None) -> str:
        calls_.append(takes)
        now[0] += takes
        if error:
            raise error
        return "found"

    for _ in range(2):
        with pytest.raises(NotFoundError):
            memory.get("a", lambda: find(0, NotFoundError("404")))
    assert len(calls_) == 2
    for _ in range(2):
        with pytest.raises(NotFoundError):
            memory.get("b", lambda: find(30, NotFoundError("nothing came")))
    assert len(calls_) == 3
    now[0] += 299
    with pytest.raises(NotFoundError):
        memory.get("b", lambda: find(0, None))
    now[0] += 2
    assert memory.get("b", lambda: find(0, None)) == "found"
    assert memory.get("b", lambda: find(0, NotFoundError("gone"))) == "found"
    with pytest.raises(NotFoundError):
        memory.get("c", lambda: find(600, NotFoundError("nothing came")))
    now[0] += 301  # a process that answers challenges for days asks again before an hour is over
    assert memory.get("c", lambda: find(0, None)) == "found"


# ---------------------------------------------------------------------------------------------------- keys on their way


def test_who_is_paid_back_while_envelopes_are_pinned_gets_no_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, orders = sold(place, buyers=2, decline_window=60)
    place.seller.deliver(place.file(), listing)
    place.chain.advance(61)

    class Second(EmbeddedStore):
        name = "gateway https://slow.example"

        def read_bytes(self, cid, size, *more, **rest):  # type: ignore[no-untyped-def]  # as the store's own
            if place.contract.settled(orders[1], 0) == 0:
                place.seller.refund(orders[1], 0)
            return super().read_bytes(cid, size, *more, **rest)

    second = Second(place.folder / "store")
    second.name = "gateway https://slow.example"
    choices = Choices(place.seller.session.finality(), second, False, silent)
    served = serve(place.session("seller", 0), ServeRequest(listing), choices)
    assert [one.newly_posted for one in served.rounds] == [(orders[0],)]
    (posted,) = Told(place.contract).deliveries(listing, 0)
    assert posted.count == 1


def test_who_buys_whenever_the_seller_looks_holds_up_nobody(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    listing, (order,) = sold(place, instant=True, decline_window=0)
    Cheat(place.seller.session).release(listing, str(place.file()))
    looks, bought, real = [], [], posting.posted_orders

    def posted(*arguments: object) -> set[int]:
        looks.append(arguments)
        assert len(looks) < 4, "keys never go out"
        bought.append(place.buyer(2).buy(listing, again=True, check=False).order.id)
        return real(*arguments)  # type: ignore[arg-type]  # its own

    monkeypatch.setattr(posting, "posted_orders", posted)
    (served,) = place.seller.serve(listing).rounds
    assert served.newly_posted == (order, bought[0])
    assert place.buyer().fetch(order, path=place.output()).size > 0
    assert place.buyer(2).verify(bought[0]).key_opened
