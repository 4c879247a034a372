"""Which manifest the content hash on chain stands for."""

from hashlib import sha256

from numerbay_chain.core.errors import NetworkError
from numerbay_chain.ipfs import Cid
from numerbay_chain.protocol.types import Listing, Release
from numerbay_chain.session import Session


def resolve_manifest(
    session: Session, listing: Listing, release: Release, content_hash: bytes, known: bytes = b""
) -> bytes:
    """Return the manifest, 288 bytes, that stands for `content_hash`, as the contract tells it: out of the release's
    log. The log has none of a copy: that is what is `known` of it on this machine, else a block of the store.

    It is what was hashed, and nothing else is known of it: it may be malformed. Raises `NetworkError`
    (`node-incomplete`) where the log has another one, and as `Session.small_block` for a copy.
    """
    if not listing.terms.copies:
        if sha256(release.manifest).digest() != content_hash or release.content_hash != content_hash:
            raise NetworkError(
                "the node's logs and the contract do not agree on the manifest",
                "use another node",
                code="node-incomplete",
            )
        return release.manifest
    if sha256(known).digest() == content_hash:
        return known
    return session.content.small_block(Cid.raw(content_hash))
