"""Who can cheat whom (docs/protocol.md §4): what no contract judges, and what the clients do about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

import pytest
from nacl import bindings
from nacl.exceptions import CryptoError

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.buyer import Buyer
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.typed_data import registration
from numerbay_chain.core.errors import ContentError, RefusedError, RevertedError
from numerbay_chain.core.home import keyfile
from numerbay_chain.crypto.content_proof import ProofReader
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE
from numerbay_chain.delivery import posting
from numerbay_chain.ipfs import Cid, ContentStore, EmbeddedStore, open_store
from numerbay_chain.ipfs.stores.fallback import FallbackStore
from tests.support.codes import fails_with
from tests.support.gateways import Request, serving
from tests.support.places import PRICE, Place
from tests.support.told import Told
from tests.support.vectors.reference import H

WINDOW = 600


@dataclass(frozen=True)
class Sold:
    """A round that was delivered."""

    place: Place
    order: int
    manifest: Manifest
    envelopes: Cid


def sold(place: Place, content: bytes, **terms: int) -> Sold:
    listing = place.seller.create_listing(PRICE, **terms)
    order = place.buyer().buy(listing.id).order
    delivered = place.seller.deliver(place.file(content=content), listing.id)
    if delivered.state == "waiting":
        place.chain.advance(WINDOW + 1)
        place.seller.serve(listing.id)
    (release,) = Told(place.contract).releases(listing.id)
    (posted,) = Told(place.contract).deliveries(listing.id, 0)
    envelopes = Cid.of(posted.digest, posted.count * ENVELOPE_SIZE)
    return Sold(place, order.id, Manifest.decode(release.manifest), envelopes)


# ---------------------------------------------------------------------------------------------------------------- junk


def test_junk_arrives_exactly_as_committed_and_nobody_judges_it(place: Place) -> None:
    junk = b"no prediction in here\n" * 500
    bought = sold(place, junk, decline_window=WINDOW)
    buyer = place.buyer()

    assert buyer.verify(bought.order).problems == ()
    buyer.fetch(bought.order, path=place.output())
    assert place.output().read_bytes() == junk
    with fails_with(RefusedError, "nothing-to-prove"):
        buyer.judge(bought.order)
    with fails_with(RefusedError, "nothing-to-prove"):
        buyer.prove(bought.order, publish_key=True)
    assert [event.name for event in Told(place.contract).events(["RoundFaulty"])] == []


def test_a_proof_against_junk_that_is_sent_all_the_same_is_refused(place: Place) -> None:
    bought = sold(place, b"no prediction in here\n" * 500)
    key = posting.content_key(place.seller.session, bought.manifest, 1, 0)
    reader = ProofReader(bought.manifest.size, 0)
    reader.update(*whole(place.store, bought.manifest))
    reader.finish()

    with pytest.raises(RevertedError) as error:
        place.buyer().session.sending.sender.send(
            calls.prove_wrong_content(
                listing=1, round=0, manifest=bought.manifest.encode(), proof=reader.proof(key).encode()
            )
        )
    assert error.value.name == "ContentIsRight"


def test_a_sample_that_the_seller_opened_is_part_of_the_file_that_comes(place: Place) -> None:
    """What a buyer can look at before he pays for a round that is out: one chunk, with what opens its commitment."""
    content = bytes(4096) + b"predictions" * 400
    bought = sold(place, content)
    salt = H(posting.content_key(place.seller.session, bought.manifest, 1, 0).salt_key, (1).to_bytes(8, "big"))
    sample = content[4096:8192]

    _, commitments = whole(place.store, bought.manifest)
    assert H(b"\x02", salt, sample) == commitments[32:64]
    assert H(b"\x02", salt, sample[:-1] + b"!") != commitments[32:64]
    place.buyer().fetch(bought.order, path=place.output())
    assert place.output().read_bytes()[4096:8192] == sample


def whole(store: ContentStore, manifest: Manifest) -> tuple[bytes, bytes]:
    """Ciphertext and commitments."""
    chunks = -(-manifest.size // 4096)
    ciphertext = store.read_bytes(manifest.ciphertext_cid, manifest.size)
    return ciphertext, store.read_bytes(manifest.commitments_cid, 32 * chunks)


# ------------------------------------------------------------------------------------------------------ other bytes


@contextmanager
def lying_gateway(place: Place, about: Cid) -> Iterator[str]:
    """A real gateway over the store's blocks, one of which has other bytes."""
    store = place.store
    assert isinstance(store, EmbeddedStore)

    def answer(asked: Request) -> None:
        path = store.block_path(Cid.parse(asked.cid))
        if not path.exists():
            return asked.answer(status=404)
        block = path.read_bytes()
        other = block[:-1] + bytes([block[-1] ^ 1]) if asked.cid == str(about) else block
        return asked.answer(other, Content_Type="application/vnd.ipld.raw")

    with serving(answer) as server:
        yield f"gateway:{server.url}"


def a_leaf(place: Place, content: bytes, manifest: Manifest) -> Cid:
    """The last block of a ciphertext that has several."""
    ciphertext, _ = whole(place.store, manifest)
    assert len(content) > 1 << 20
    return Cid.raw(sha256(ciphertext[-(len(content) % (1 << 20)) :]).digest())


@pytest.mark.parametrize("part", ["ciphertext", "commitments", "envelopes"])
def test_a_gateway_that_serves_other_bytes_is_refused_by_the_name_of_the_block(place: Place, part: str) -> None:
    content = bytes(range(256)) * 5_000
    bought = sold(place, content)
    lie = {
        "ciphertext": a_leaf(place, content, bought.manifest),
        "commitments": bought.manifest.commitments_cid,
        "envelopes": bought.envelopes,
    }[part]
    with lying_gateway(place, lie) as gateway:
        through = Buyer(place.session("buyer-1", 1, store=open_store(gateway)))
        with fails_with(ContentError, "bad-content", lie):
            through.fetch(bought.order, path=place.output())
        assert not place.output().exists()
        assert through.verify(bought.order).problems != ()

        # another store makes good what this one does not give
        both = FallbackStore([open_store(gateway), place.store])
        Buyer(place.session("buyer-1", 1, store=both)).fetch(bought.order, path=place.output())
    assert place.output().read_bytes() == content


# ------------------------------------------------------------------------------------------------------- other keys


def test_keys_are_sealed_to_what_the_chain_says_whatever_a_host_claims(place: Place) -> None:
    """A store, a folder of key files and a description all name the host's own key for the buyer: nobody asks them."""
    buyer, hosts = place.buyer(), keyfile.generate()
    account = buyer.session.account
    claim = keyfile.encode(hosts.public_key)
    place.store.add(f'{{"account":"{account}","public_key":"{claim}"}}'.encode(), account)
    keyfile.save(hosts, place.seller.session.home.folder("keys") / f"{account}.json")
    note = f"the buyer's key is {claim}"
    listing = place.seller.create_listing(PRICE, description=f"send to {claim}")
    order = buyer.buy(listing.id).order
    place.seller.deliver(place.file(), listing.id, note=note)

    (posted,) = Told(place.contract).deliveries(listing.id, 0)
    record = place.store.read_bytes(Cid.of(posted.digest, posted.count * ENVELOPE_SIZE), ENVELOPE_SIZE)
    with pytest.raises(CryptoError):
        bindings.crypto_box_seal_open(record[8:], hosts.public_key, hosts.reveal_private_key())
    assert buyer.fetch(order.id, path=place.output()).size > 0


def test_a_host_can_not_register_a_key_for_a_buyer(place: Place) -> None:
    buyer, hosts = place.buyer(), keyfile.generate()
    account, contract = buyer.session.account, place.contract
    before = contract.current_key(account)
    host = place.session("host", 5)
    deadline = place.chain.connection.now() + 3600
    message = registration(
        place.chain.connection.chain_id,
        contract.address,
        owner=account,
        public_key=hosts.public_key,
        backup=b"",
        nonce=1,
        deadline=deadline,
    )
    signature = host.signer_or_refuse().sign_typed_data(message)
    with pytest.raises(RevertedError) as error:
        host.sending.sender.send(
            calls.register_for(owner=account, public_key=hosts.public_key, deadline=deadline, signature=signature)
        )
    assert error.value.name == "InvalidSignature"
    assert contract.current_key(account) == before
