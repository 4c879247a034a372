"""What is wrong is said in one sentence, and nothing is lost: no file appears, nothing is sent."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.signers.signer import LocalSigner
from numerbay_chain.core.errors import (
    AccountError,
    ContentError,
    DecryptionError,
    NetworkError,
    NotFoundError,
    NumerbayChainError,
    RefusedError,
    RevertedError,
    UsageError,
)
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.network.failures import TransportError
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, seal_envelopes
from numerbay_chain.delivery.options import Choices, KeyOptions
from numerbay_chain.delivery.posting import content_key
from numerbay_chain.ipfs import Cid, EmbeddedStore
from numerbay_chain.seller import Seller
from numerbay_chain.session import Session
from tests.support.codes import fails_with
from tests.support.places import PRICE, Place
from tests.support.told import Told
from tests.support.wrapped import altered

CONTENT = b"id,prediction\n" + b"n0001,0.5\n" * 2_000


@dataclasses.dataclass
class Sold:
    """A round that its buyer could fetch."""

    place: Place
    order: int
    manifest: Manifest
    envelopes: Cid

    @property
    def buyer(self) -> Buyer:
        return self.place.buyer()

    @property
    def disk(self) -> EmbeddedStore:
        assert isinstance(self.place.store, EmbeddedStore)
        return self.place.store

    def fetch(self) -> bytes:
        self.buyer.fetch(self.order, path=self.place.output(), overwrite=True)
        return self.place.output().read_bytes()


@pytest.fixture
def sold(place: Place) -> Sold:
    listing = place.seller.create_listing(PRICE, min_interval=60)
    order = place.buyer().buy(listing.id, rounds=2).order
    place.seller.deliver(place.file(content=CONTENT), listing.id)
    release = Told(place.contract).releases(listing.id)[0]
    delivery = Told(place.contract).deliveries(listing.id, 0)[0]
    envelopes = Cid.of(delivery.digest, delivery.count * ENVELOPE_SIZE)
    return Sold(place, order.id, Manifest.decode(release.manifest), envelopes)


PARTS: dict[str, Callable[[Sold], Cid]] = {
    "ciphertext": lambda sold: sold.manifest.ciphertext_cid,
    "commitments": lambda sold: sold.manifest.commitments_cid,
    "details": lambda sold: sold.manifest.details_cid,
    "envelopes": lambda sold: sold.envelopes,
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("damage", ["altered", "truncated", "longer", "missing"])
def test_a_part_that_is_not_as_promised(sold: Sold, part: str, damage: str) -> None:
    path = sold.disk.block_path(PARTS[part](sold))
    good = path.read_bytes()
    path.chmod(0o600)
    changed = {"altered": good[:-1] + bytes([good[-1] ^ 1]), "truncated": good[:-1], "longer": good + b"\0"}
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(changed[damage])

    if part == "details":  # whatever is wrong with them, no contract judges it
        assert sold.fetch() == CONTENT, "the file is there, and whole"
        sold.place.output().unlink()
    else:
        with pytest.raises(NumerbayChainError) as raised:
            sold.fetch()
        assert isinstance(raised.value, NotFoundError if damage == "missing" else ContentError)
    assert not sold.place.output().exists()
    kinds = {problem.kind for problem in sold.buyer.verify(sold.order).problems}
    expected = {"ciphertext": "content", "envelopes": "no-envelope" if damage == "missing" else "envelope"}
    assert kinds == {expected.get(part, part)}

    path.write_bytes(good)
    assert sold.fetch() == CONTENT, "nothing was lost"


def test_the_wrong_key_file(sold: Sold, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    keyfile.save(keyfile.generate(), other)
    shutil.move(sold.buyer.session.home.path / "keys", tmp_path / "away")
    wrong = Buyer(sold.place.session("elsewhere", 1, key=other))
    with fails_with(AccountError, "wrong-key-file", "other.json") as caught:
        wrong.fetch(sold.order, path=sold.place.output())
    assert caught.value.code == "wrong-key-file"
    assert [problem.kind for problem in wrong.verify(sold.order).problems] == ["key-file"]
    missing = Buyer(sold.place.session("elsewhere", 1))
    with fails_with(AccountError, "no-key-file"):
        missing.fetch(sold.order, path=sold.place.output())
    right = Buyer(sold.place.session("elsewhere", 1, key=next((tmp_path / "away").glob("*.json"))))
    assert right.fetch(sold.order, path=sold.place.output()).size == len(CONTENT)


def test_an_envelope_with_another_key_in_it(sold: Sold) -> None:
    place, session = sold.place, sold.place.seller.session
    key = content_key(session, sold.manifest, 1, 0)
    public_key = place.contract.key_at(place.buyer().session.account, 1)
    elsewhere = seal_envelopes(key, session.context(2, 0), [(sold.order, public_key)])
    stranger = seal_envelopes(key, session.context(1, 0), [(sold.order, keyfile.generate().public_key)])
    records = {
        "masked for another round": seal_envelopes(key, session.context(1, 1), [(sold.order, public_key)]),
        "sealed to somebody else": stranger,
    }
    assert elsewhere != stranger
    for what, record in records.items():
        digest = place.store.add(record).cid.digest
        place.seller.session.sending.send("post", calls.deliver(listing=1, round=0, digest=digest, count=1), what)
    # the newest that opens counts: junk that is posted later does not take the key away
    assert sold.fetch() == CONTENT


def test_envelopes_that_never_hold_the_key_are_told(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, decline_window=600)
    order = place.buyer().buy(listing.id).order
    place.seller.deliver(place.file(content=CONTENT), listing.id)
    place.chain.advance(601)
    junk = order.id.to_bytes(8, "big") + bytes(80)
    digest = place.store.add(junk).cid.digest
    place.seller.session.sending.send("post", calls.deliver(listing=1, round=0, digest=digest, count=1))
    with fails_with(DecryptionError, "decryption"):
        place.buyer().fetch(order.id, path=place.output())
    problem = place.buyer().verify(order.id).problems[0]
    assert (problem.kind, problem.fault) == ("key", True)
    digest = place.store.add(bytes(88 * 5)).cid.digest
    place.seller.session.sending.send("post", calls.deliver(listing=1, round=0, digest=digest, count=5))
    assert place.buyer().verify(order.id).problems[0].kind == "envelope"


def test_a_round_that_is_out_is_checked_before_it_is_bought(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, instant=True)
    place.seller.deliver(place.file(content=CONTENT), listing.id)
    manifest = Manifest.decode(Told(place.contract).releases(listing.id)[0].manifest)
    assert isinstance(place.store, EmbeddedStore)
    place.store.block_path(manifest.ciphertext_cid).unlink()
    buyer = place.buyer()
    with pytest.raises(NumerbayChainError) as refused:
        buyer.buy(listing.id)
    assert refused.value.code == "bad-content"
    assert buyer.orders() == []
    assert buyer.buy(listing.id, check=False).order.first == 0


def test_what_can_t_be_fetched_says_why(sold: Sold) -> None:
    buyer, path = sold.buyer, sold.place.output()
    with fails_with(RefusedError, "not-released", 1):
        buyer.fetch(sold.order, 1, path=path)
    with fails_with(RefusedError, "not-covered", 0, 1, 7):
        buyer.fetch(sold.order, 7, path=path)
    with pytest.raises(RevertedError):
        buyer.fetch(99 << 32, path=path)
    path.write_text("mine")
    with fails_with(RefusedError, "file-exists"):
        buyer.fetch(sold.order, path=path)
    assert path.read_text() == "mine"


def test_a_node_that_goes_away_loses_nothing(sold: Sold, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> None:
        raise TransportError("can't be reached")

    with monkeypatch.context() as patch:
        for exchange in ("request", "batch"):
            altered(patch, sold.place.chain.connection.transport, exchange, gone)
        with pytest.raises(NetworkError):
            sold.fetch()
        with pytest.raises(NetworkError):
            sold.buyer.verify(sold.order)
    assert sold.fetch() == CONTENT


def test_a_disk_that_is_full_leaves_nothing_behind(sold: Sold, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from numerbay_chain.artifacts import unseal

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(unseal, "write_all", full)
        with fails_with(RefusedError, "disk-full"):
            sold.fetch()
    assert not sold.place.output().exists()
    assert sold.fetch() == CONTENT


def test_a_file_that_changes_while_it_is_sealed_is_not_sold(place: Place) -> None:
    listing = place.seller.create_listing(PRICE)
    place.buyer().buy(listing.id)
    path = place.file(content=CONTENT)

    def scribble(label: str, done: int, total: int, /) -> None:
        if label == "seal":
            path.write_bytes(CONTENT[::-1])

    with fails_with(RefusedError, "file-changed"):
        place.seller.deliver(path, listing.id, progress=scribble)
    assert Told(place.contract).releases(listing.id) == []
    place.seller.deliver(path, listing.id)
    assert place.buyer().verify(1 << 32).problems == ()


def test_a_delivery_that_comes_too_early_is_refused_before_the_file_is_read(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, min_interval="1d")
    place.seller.deliver(place.file(), listing.id)
    following, read = place.file("following.csv", b"another size"), []
    with fails_with(RefusedError, "too-early", 1):
        place.seller.deliver(following, listing.id, progress=lambda *step: read.append(step))
    assert read == []
    with fails_with(RefusedError, "same-file", 0):
        place.seller.deliver(place.file(), listing.id)
    place.chain.advance(86_400)
    assert place.seller.deliver(following, listing.id).round == 1


def test_copies_that_come_too_early_are_refused_before_they_are_read(place: Place) -> None:
    listing = place.seller.create_listing(PRICE, copies=True, dispute_window=0, min_interval="1d")
    order = place.buyer().buy(listing.id, rounds=2).order
    first = {order.id: place.file("first.csv", b"first")}
    place.seller.deliver_copies(listing.id, first)
    following, read = {order.id: place.file("following.csv", b"another size")}, []
    with fails_with(RefusedError, "too-early", 1):
        place.seller.deliver_copies(listing.id, following, progress=lambda *step: read.append(step))
    assert read == []
    with fails_with(RefusedError, "same-file", 0):
        place.seller.deliver_copies(listing.id, first)
    place.chain.advance(86_400)
    assert place.seller.deliver_copies(listing.id, following).round == 1


def test_who_can_pay_the_price_but_not_the_gas(place: Place) -> None:
    buyer = place.buyer()
    listing = place.seller.create_listing(place.balance(1) - 1)
    with fails_with(AccountError, "insufficient-funds"):
        buyer.buy(listing.id)
    assert buyer.orders() == []


def test_who_can_not_pay_for_a_registration_is_left_no_key_file(place: Place) -> None:
    session = place.session("poor", None)
    session.signer = LocalSigner.from_key(b"\x07" * 32)
    with fails_with(AccountError, "insufficient-funds"):
        Buyer(session).register_key()
    assert list((session.home.path / "keys").glob("*")) == []
    assert place.told == [], "of no key file"
    own = place.folder / "numerbay.json"
    keyfile.save(keyfile.generate(), own)
    kept = own.read_bytes()
    with fails_with(AccountError, "insufficient-funds"):
        Buyer(session).register_key(own)
    assert own.read_bytes() == kept


class TestOffADevelopmentChain:
    """The chain is the same one; it only does not call itself a development chain."""

    @pytest.fixture
    def real(self, place: Place) -> Place:
        place.seller.create_listing(PRICE)
        place.buyer().buy(1)
        place.chain.connection.is_development = False
        return place

    def session(self, place: Place, **more: object) -> Session:
        session = place.session("seller", None, **more)
        signer = place.chain.signer(0)
        signer.check = lambda connection: None  # type: ignore[method-assign]  # its key is known, and it is a test's
        session.signer = signer
        return session

    def test_a_store_must_be_chosen(self, real: Place) -> None:
        with fails_with(UsageError, "no-store"):
            Seller(self.session(real, explicit_store=False)).deliver(real.file(), 1)

    def test_a_second_way_is_needed(self, real: Place) -> None:
        with fails_with(UsageError, "no-read-back"):
            Seller(self.session(real)).deliver(real.file(), 1)
        with fails_with(UsageError, "no-read-back"):
            Seller(self.session(real)).deliver(real.file(), 1, read_back=f"embedded:{real.folder / 'store'}")

    @pytest.mark.parametrize(
        "spec",
        [
            "embedded:elsewhere",
            "kubo:http://localhost:5001",
            "gateway:http://127.0.0.1:8080",
            "gateway:http://localhost:8080",
            "gateway:http://ipfs.localhost:8080",
            "gateway:http://[::1]:8080",
            "gateway:http://0.0.0.0:8080",
        ],
    )
    def test_the_second_way_is_a_gateway_on_another_machine(self, real: Place, spec: str) -> None:
        with fails_with(UsageError, "no-read-back"):
            Seller(self.session(real, read_back=spec)).deliver(real.file(), 1)
        assert not (real.folder / "elsewhere").exists()
        assert Choices.make(self.session(real), KeyOptions(read_back="gateway:https://ipfs.io")).second is not None

    def test_a_block_is_final_as_the_chain_says_unless_a_depth_is_said(self, real: Place) -> None:
        assert self.session(real).finality().depth is None
        assert self.session(real).finality(3).depth == 3
        with fails_with(UsageError, "usage"):
            self.session(real).finality(-1)
