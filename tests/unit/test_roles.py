"""A role's methods show what their steps say, and take what their requests hold."""

from dataclasses import fields
from inspect import getdoc, isfunction, signature

import pytest

from numerbay_chain.auditor import Auditor
from numerbay_chain.buyer import Buyer
from numerbay_chain.delivery.options import CopiesRequest, DeliveryRequest, ServeRequest
from numerbay_chain.orders.purchase import buy
from numerbay_chain.orders.quote import PurchaseRequest
from numerbay_chain.orders.ways_out import skip
from numerbay_chain.role import Role, method, method_with
from numerbay_chain.seller import Seller

METHODS = [
    (role, name)
    for role in (Seller, Buyer, Auditor)
    for name, one in vars(role).items()
    if isfunction(one) and not name.startswith("_")
]
REQUESTS = [
    (Buyer, "buy", PurchaseRequest),
    (Buyer, "quote", PurchaseRequest),
    (Buyer, "resume_purchase", PurchaseRequest),
    (Seller, "deliver", DeliveryRequest),
    (Seller, "deliver_copies", CopiesRequest),
    (Seller, "serve", ServeRequest),
]


@pytest.mark.parametrize(("role", "name"), METHODS, ids=lambda one: getattr(one, "__name__", one))
def test_a_method_has_a_text_of_its_own_and_no_session(role: type[Role], name: str) -> None:
    shown = getattr(role, name)
    assert (shown.__name__, shown.__qualname__, shown.__module__) == (name, f"{role.__name__}.{name}", role.__module__)
    assert len(getdoc(shown) or "") > 20
    assert "See `" not in (getdoc(shown) or "")
    parameters = [*signature(shown).parameters]
    assert parameters[0] == "self"
    assert not {"session", "recourse", "request"} & {*parameters}
    assert not {"order_id", "listing"} & {*parameters}, "programs say `order` and `listing_id`"


@pytest.mark.parametrize(("role", "name", "request_type"), REQUESTS)
def test_a_requests_fields_are_arguments_and_explained(role: type[Role], name: str, request_type: type) -> None:
    shown = getattr(role, name)
    names = {field.name for field in fields(request_type)}
    assert {*signature(shown).parameters} == {"self", *names}
    for field in names:
        assert f"`{field}`" in (getdoc(shown) or "")


def test_what_a_method_hands_to_its_step() -> None:
    handed: list[tuple[object, ...]] = []

    def step(session: object, order: int, *, round: int | None = None) -> str:
        handed.append((session, order, round))
        return "done"

    def step_of(session: object, given: str, /, order: int) -> None:
        handed.append((session, given, order))

    def step_with(session: object, request: ServeRequest) -> None:
        handed.append((session, request))

    class Tried(Role):
        taken = method(step)  # type: ignore[arg-type]  # any session will do
        of = method(step_of, "given")  # type: ignore[arg-type,call-overload]  # likewise
        having = method_with(ServeRequest, step_with)  # type: ignore[arg-type]  # likewise

    role = Tried("a session")  # type: ignore[arg-type]  # likewise
    assert role.taken(3, round=1) == "done"
    role.of(order=4)
    role.having(5, wait=True)
    assert handed == [("a session", 3, 1), ("a session", "given", 4), ("a session", ServeRequest(5, wait=True))]
    with pytest.raises(TypeError):
        role.having(5, note="none")  # type: ignore[call-arg]  # it has no such argument


def test_a_step_keeps_its_own_name() -> None:
    assert (skip.__qualname__, buy.__qualname__) == ("skip", "buy")
