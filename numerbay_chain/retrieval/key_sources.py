"""Where the key to a round comes from: the answer on chain, the envelopes in a store, the buyer's key files."""

from typing import Final

from numerbay_chain.artifacts.manifest import Manifest
from numerbay_chain.core.errors import (
    AccountError,
    ContentError,
    DecryptionError,
    NetworkError,
    NumerbayChainError,
    RefusedError,
)
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.home.keyfile import KeyPair
from numerbay_chain.core.units import format_duration
from numerbay_chain.crypto.content_key import ContentKey, word
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, find_envelope, open_envelope
from numerbay_chain.ipfs import Cid
from numerbay_chain.protocol.rules import bought_when_out
from numerbay_chain.protocol.types import Delivery
from numerbay_chain.retrieval.key_search import search
from numerbay_chain.retrieval.promise import Promise, kind_of
from numerbay_chain.retrieval.results import Problem, ProblemError
from numerbay_chain.session import Session

_NAME_IT: Final = "name the right one with `--key FILE`, or restore it from its backup"
_RESTORE: Final = "restore the key file from its backup: no other key opens what was bought with it"


def content_key(promise: Promise, manifest: Manifest, pair: KeyPair) -> ContentKey:
    """The content key: out of the seller's answer on chain, which takes no store, else out of the newest envelope
    that opens. Raises `ProblemError`."""
    name = ("key", promise.order.id, promise.round, manifest.content_hash, pair.public_key)
    known = promise.session.memory.known(name)
    if not isinstance(known, ContentKey):
        known = _find_key(promise, manifest, pair)
        promise.session.memory.keep(name, known)
    return known


def _find_key(promise: Promise, manifest: Manifest, pair: KeyPair) -> ContentKey:
    doubt: NumerbayChainError | None = None
    try:
        answered = answered_key(promise, pair, manifest)
        if answered is not None:
            return answered
    except (ProblemError, NetworkError) as error:
        doubt = error  # an envelope may hold the right one all the same

    def attempt(delivery: Delivery) -> ContentKey | None:
        record = _envelope(promise, delivery, manifest)
        return None if record is None else _open(promise, record, pair, manifest)

    key, failure = search(promise.session, promise.case.posted, attempt, promise.case.act_until, promise.case.margin)
    if key is not None:
        return key
    raise doubt or failure or _no_envelope(promise)


def answered_key(promise: Promise, pair: KeyPair, manifest: Manifest | None) -> ContentKey | None:
    """Return the key out of the seller's answer on chain; None where there is no answer, and without `manifest`
    where it holds the right one. Raises `ProblemError` for a wrong one."""
    try:
        scalar = promise.recourse.sealed_scalar(promise.case, pair)
    except AccountError as error:
        raise promise.refuse("key-file", str(error), error=AccountError, advice=error.hint, because=error) from error
    if scalar is None:
        return None
    commitment = None if manifest is None else manifest.key_commitment
    if not promise.recourse.is_right(promise.case, scalar, commitment):
        text = "the seller's answer to the challenge does not hold the key that was committed to"
        raise promise.refuse("answer", text, fault=True, error=DecryptionError)
    return None if manifest is None else ContentKey.from_bytes(word(scalar), manifest.key_commitment)


def _no_envelope(promise: Promise) -> ProblemError:
    case, named = promise.case, f"order {promise.order} and round {promise.round}"
    late = case.terms.adjudicated and case.now >= case.matures_at
    over = late or case.state not in ("none", "challenged")
    if over:  # waiting leads nowhere
        return promise.refuse("no-envelope", f"no key for {named} was handed out in time", fault=True)
    text, found = (
        f"there is no key for {named} yet",
        promise.remedy("no-envelope", False),
    )
    advice = _when_key(promise)
    if case.state == "challenged":
        advice = found.text
    elif case.terms.adjudicated:
        advice = f"{advice}; {found.text}"
    return ProblemError(
        Problem("no-envelope", text, advice, False, found), RefusedError(text, advice, code="no-envelope")
    )


def _envelope(promise: Promise, delivery: Delivery, manifest: Manifest) -> bytes | None:
    size = delivery.count * ENVELOPE_SIZE
    if not 0 < delivery.count <= promise.listing.orders:
        raise promise.refuse("envelope", "envelopes were posted for more orders than there are", fault=True)
    cid = Cid.of(delivery.digest, size)

    def read(offset: int, length: int) -> bytes:
        return promise.store(manifest).read_bytes(cid, size, offset, length)

    try:
        return promise.session.memory.get(
            ("envelope", cid, promise.order.id), lambda: find_envelope(read, delivery.count, promise.order.id)
        )
    except ContentError as error:
        raise promise.refuse("envelope", str(error), fault=True, error=ContentError) from error
    except (NetworkError, RefusedError) as error:
        # whatever a source answers for one object, it is one candidate that failed
        text = f"the envelopes {cid} were posted, but are not available: {error}"
        raise promise.refuse("no-envelope", text, fault=True, error=kind_of(error)) from error


def _open(promise: Promise, record: bytes, pair: KeyPair, manifest: Manifest) -> ContentKey:
    context = promise.session.context(promise.listing.id, promise.round)
    try:
        return open_envelope(record, pair.reveal_private_key(), context, promise.order.id, manifest.key_commitment)
    except (ContentError, DecryptionError) as error:
        text = f"the envelope for order {promise.order} does not hold the key: {error}"
        raise promise.refuse("key", text, fault=True, error=DecryptionError) from error


def _when_key(promise: Promise) -> str:
    over = promise.case.released().released_at + promise.listing.terms.decline_window
    if over > promise.now:
        return f"keys go out when the decline window is over, in {format_duration(over - promise.now)}"
    if bought_when_out(promise.order, promise.round) or promise.case.posted:
        return "the seller seals keys to late buyers when they look next: try again later"
    return "the seller has to hand it out: try again later, then ask"


def pair_of(promise: Promise) -> KeyPair:
    """The key pair that the order was bought with. Raises `ProblemError` where there is none here, or another
    one."""
    order, session = promise.order, promise.session
    wanted = session.memory.get(
        ("public key", order.buyer, order.epoch), lambda: session.contract.key_at(order.buyer, order.epoch)
    )
    try:
        return find_key(session, wanted)
    except AccountError as error:
        _confirm_key(promise)
        text = f"order {order} was bought with the key {keyfile.encode(wanted)}: {error}"
        raise promise.refuse("key-file", text, error=AccountError, advice=error.hint, because=error) from error


def _confirm_key(promise: Promise) -> None:
    """Before a key file is said to be missing: raise `NetworkError` (`nodes-disagree`) where the second node names
    another key. A buyer who believes one node's word looks for a file that never was, while time runs out."""
    connection = promise.session.connection
    if connection.second is None or connection.decision is not None:
        return
    with promise.session.decision():
        order = promise.session.contract.order(promise.order.id)
        promise.session.contract.key_at(order.buyer, order.epoch)
        promise.session.confirm()


def find_key(session: Session, public_key: bytes) -> KeyPair:
    """The pair with that public key: in the key file that was set, else in the home folder. Raises `AccountError`."""
    chosen = session.key_path
    if chosen is not None:
        try:
            pair = keyfile.load(chosen)
        except AccountError as error:
            raise AccountError(str(error), _RESTORE, code=error.code) from error
        if pair.public_key == public_key:
            return pair
    unusable: AccountError | None = None
    for path in sorted((session.home.path / "keys").glob("*.json")):
        try:
            pair = keyfile.load(path)
        except AccountError as error:
            unusable = unusable or error
            continue
        if pair.public_key == public_key:
            return pair
    if chosen is not None:
        raise AccountError(f"the key file {chosen} is another one", _NAME_IT, code="wrong-key-file")
    missing = f"no key file in {session.home.path / 'keys'} has it"
    if unusable is not None:
        raise AccountError(f"{missing}, and {unusable}", _RESTORE, code="no-key-file") from unusable
    raise AccountError(missing, _NAME_IT, code="no-key-file")
