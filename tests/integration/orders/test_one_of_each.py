"""What several features ask in one way: was it sent, is it approved, which manifest is it, who may act."""

from dataclasses import replace
from hashlib import sha256

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.plan import Planned
from numerbay_chain.chain.sending.steps import Prepared
from numerbay_chain.core.errors import AccountError, NetworkError, NotFoundError, RefusedError
from numerbay_chain.core.files.journal import Entry
from numerbay_chain.orders.allowance import ensure_allowance, missing_approval
from numerbay_chain.orders.manifests import resolve_manifest
from numerbay_chain.protocol.rules import is_operated, require_operator
from numerbay_chain.protocol.types import ZERO_ADDRESS
from tests.integration.roles.test_tokens import deploy_token, mint
from tests.support.dying import KilledError, death
from tests.support.places import PRICE, Place
from tests.support.told import Told


def test_what_an_earlier_call_sent_is_found_before_anything_speaks_against_it(place: Place) -> None:
    session, listing = place.seller.session, place.seller.create_listing(PRICE).id
    label, asked = "try", list[int]()

    def prepare() -> Prepared:
        if asked:
            raise RefusedError("it was skipped already", code="too-late")
        asked.append(1)
        return Prepared(calls.skip(listing=listing, round=0))

    with death([(Entry, "remove")], 1), pytest.raises(KilledError):
        session.sending.resume_or_send(label, prepare)
    sent = place.seller.session.sending.resume_or_send(label, prepare)
    assert (sent.resumed, len(asked)) == (True, 1)
    with pytest.raises(RefusedError) as refused:
        session.sending.resume_or_send(label, prepare)
    assert refused.value.code == "too-late"


def test_where_there_is_nothing_to_send_nothing_is_sent(place: Place) -> None:
    session = place.seller.session
    before = session.connection.block_number()
    assert session.sending.resume_or_send("try", lambda: None) is None
    assert session.connection.block_number() == before


def test_only_what_is_missing_is_approved(place: Place) -> None:
    token = deploy_token(place, "StandardToken")
    mint(place, token, 1, 30)
    session = place.buyer(registered=False).session
    assert missing_approval(session, ZERO_ADDRESS, PRICE) is None
    assert missing_approval(session, token, 0) is None
    assert missing_approval(session, token, 30) == calls.approve(token=token, spender=place.contract.address, amount=30)
    with pytest.raises(AccountError):
        missing_approval(session, token, 31)
    with pytest.raises(Planned):
        ensure_allowance(place.session("buyer-1", 1, dry_run=True), token, 30)
    assert ensure_allowance(session, token, 30) is not None
    assert (ensure_allowance(session, token, 30), ensure_allowance(session, token, 29)) == (None, None)


def test_a_manifest_is_the_one_that_the_contract_has_the_hash_of(place: Place) -> None:
    place.seller.create_listing(PRICE)
    order = place.buyer().buy(1).order
    place.seller.deliver(place.file(), 1)
    session, listing = place.seller.session, place.contract.listing(1)
    release = Told(place.contract).release(1, 0)
    assert release is not None
    promised = place.contract.hash_of(order.id, 0)
    assert resolve_manifest(session, listing, release, promised) == release.manifest
    other = bytes([release.manifest[0] ^ 1]) + release.manifest[1:]
    for told in (replace(release, manifest=other), replace(release, content_hash=sha256(other).digest())):
        with pytest.raises(NetworkError) as refused:
            resolve_manifest(session, listing, told, promised, release.manifest)
        assert refused.value.code == "node-incomplete"


def test_a_copys_manifest_is_what_is_known_of_it_or_a_block_of_the_store(place: Place) -> None:
    place.seller.create_listing(PRICE, copies=True, decline_window=60, min_interval=60)
    order = place.buyer().buy(1).order
    place.seller.deliver_copies(1, {order.id: place.file()})
    session, listing = place.seller.session, place.contract.listing(1)
    release = Told(place.contract).release(1, 0)
    assert release is not None
    promised = place.contract.hash_of(order.id, 0)
    block = resolve_manifest(session, listing, release, promised)
    assert Manifest.decode(block).content_hash == promised
    assert resolve_manifest(session, listing, release, promised, b"another one") == block
    unknown = sha256(b"nobody has it").digest()
    with pytest.raises(NotFoundError):
        resolve_manifest(session, listing, release, unknown, block)
    assert resolve_manifest(session, listing, release, unknown, b"nobody has it") == b"nobody has it"


def test_a_seller_and_an_operator_may_act_and_nobody_else(place: Place) -> None:
    operator, stranger = place.chain.signer(1).address, place.chain.signer(2).address
    listing = place.seller.create_listing(PRICE, operator=operator).listing
    for account in (listing.seller, operator):
        assert is_operated(listing, account)
        require_operator(listing, account)
    assert not is_operated(listing, stranger)
    with pytest.raises(RefusedError) as refused:
        require_operator(listing, stranger)
    assert refused.value.code == "not-operator"
