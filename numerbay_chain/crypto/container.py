"""The container: one pass over the plaintext gives ciphertext, commitments and the data root (docs/protocol.md §3).

Nothing here grows with the file: what comes in goes out again, but for less than a chunk.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms

from numerbay_chain.core.errors import ContentError, RefusedError, WrongContentError
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.merkle import MerkleTree

CHUNK_SIZE: Final = 4096
COMMITMENT_SIZE: Final = 32
_BLOCKS_IN_CHUNK: Final = CHUNK_SIZE // 64
MAX_SIZE: Final = 2**38 - 64
"""ChaCha20's 32-bit block counter, which starts at 1, ends here."""

_WORTH_A_THREAD: Final = 64  # chunks
_PIECES_BEHIND: Final = 2

Buffer = bytes | bytearray | memoryview


def chunk_count(size: int) -> int:
    """Chunks in a plaintext of `size` bytes: an empty file is one empty chunk."""
    return max(1, -(-size // CHUNK_SIZE))


def commitments_size(size: int) -> int:
    """Bytes of all commitments to a plaintext of `size` bytes."""
    return COMMITMENT_SIZE * chunk_count(size)


def _stream(key: ContentKey, chunk: int = 0) -> CipherContext:
    # 16 bytes: the block counter, 4 bytes little endian, then RFC 8439's nonce; the key is used once, so that is zero.
    counter_and_nonce = (1 + chunk * _BLOCKS_IN_CHUNK).to_bytes(4, "little") + bytes(12)
    return Cipher(algorithms.ChaCha20(key.stream_key, counter_and_nonce), mode=None).encryptor()


def decrypt_chunk(key: ContentKey, index: int, ciphertext: bytes) -> tuple[bytes, bytes]:
    """The plaintext of one chunk, and the commitment that the seller should have made to it (32 bytes)."""
    plaintext = _stream(key, index).update(ciphertext)
    return plaintext, _commit(key, index, memoryview(plaintext))[0]


class _Behind:
    """Calls in one thread of their own, in order, a few pieces behind at most; small ones at once, in the caller's.

    One thread for all hashing of chunks: a hash of 4 KiB lets go of the interpreter, and two threads that both do so
    spend their time handing it to each other.
    """

    def __init__(self) -> None:
        self._worker: ThreadPoolExecutor | None = None
        self._pending: deque[Future[bytes]] = deque()

    def run(self, call: Callable[[], bytes], chunks: int) -> bytes:
        """Results that are there by now, joined. The bytes that the call reads must stay as they are."""
        if chunks < _WORTH_A_THREAD:
            return self.drain() + call()
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, "chunks")
        ready = self.drain(_PIECES_BEHIND)
        self._pending.append(self._worker.submit(call))
        return ready

    def drain(self, left: int = 0) -> bytes:
        """All results but the last `left`, joined."""
        results = []
        while len(self._pending) > left:
            results.append(self._pending.popleft().result())
        return b"".join(results)


@dataclass(frozen=True, slots=True)
class Sealed:
    """What plaintext became, as far as it is ready: a byte of ciphertext per byte, 32 bytes of commitment per chunk."""

    ciphertext: bytes
    commitments: bytes


class Encryptor:
    """Plaintext in pieces of any size to ciphertext and commitments.

    A key encrypts once: make a new one for every file.
    """

    def __init__(self, key: ContentKey) -> None:
        self._key, self._cipher = key, _stream(key)
        self._tree, self._behind = MerkleTree(), _Behind()
        self._pending = b""
        self._size = self._chunks = 0
        self._finished = False

    def update(self, plaintext: Buffer) -> Sealed:
        """Encrypts the whole chunks that are there by now; their commitments may come with a later call. Raises
        `RefusedError` above `MAX_SIZE`."""
        if self._finished:
            raise ValueError("the container is finished")
        self._size += len(plaintext)
        if self._size > MAX_SIZE:
            raise RefusedError(f"the artifact is larger than {MAX_SIZE} bytes (256 GiB)", "split it", code="too-large")
        view = memoryview(self._pending + plaintext if self._pending else plaintext)
        if not view.readonly:
            view = memoryview(bytes(view))  # the caller may reuse the buffer before it is hashed
        whole = len(view) - len(view) % CHUNK_SIZE
        self._pending = bytes(view[whole:])
        return self._seal(view[:whole]) if whole else Sealed(b"", b"")

    def finish(self) -> Sealed:
        """Encrypts what is left; `data_root` and `size` are known from here on."""
        if self._finished:
            raise ValueError("the container is finished")
        self._finished = True
        rest = memoryview(self._pending)
        last = self._seal(rest) if rest or not self._size else Sealed(b"", b"")
        return Sealed(last.ciphertext, last.commitments + self._behind.drain())

    def _seal(self, plaintext: memoryview) -> Sealed:
        ciphertext, first = self._cipher.update(plaintext), self._chunks
        chunks = chunk_count(len(plaintext))
        self._chunks += chunks

        def commit() -> bytes:
            commitments = _commit(self._key, first, plaintext)
            self._tree.extend(leaf_hashes(commitments, memoryview(ciphertext)))
            return b"".join(commitments)

        return Sealed(ciphertext, self._behind.run(commit, chunks))

    @property
    def data_root(self) -> bytes:
        """Root of the tree over `commitment ‖ ciphertext` of every chunk, 32 bytes."""
        if not self._finished:
            raise ValueError("the container is not finished")
        return self._tree.root

    @property
    def size(self) -> int:
        """Bytes of plaintext so far."""
        return self._size


class _Reader:
    """Pairs ciphertext with commitments: pieces of any size, and a chunk counts once both of its parts are there."""

    def __init__(self, size: int) -> None:
        if not 0 <= size <= MAX_SIZE:
            raise ContentError(f"no artifact has {size} bytes")
        self._size, self._tree, self._chunks = size, MerkleTree(), 0
        self._ciphertext, self._commitments = b"", b""
        self._received = self._received_commitments = 0

    def finish(self) -> None:
        """Raises `ContentError` if less came than the size promises."""
        self._advance(b"", b"")  # the one chunk of an empty file is complete without a byte
        if self._chunks != chunk_count(self._size):
            raise ContentError("the ciphertext or its commitments end early")

    @property
    def data_root(self) -> bytes:
        """The root over what came so far; after `finish` the container's, 32 bytes."""
        return self._tree.root

    def _advance(self, ciphertext: Buffer, commitments: Buffer) -> bytes:
        self._received += len(ciphertext)
        self._received_commitments += len(commitments)
        if self._received > self._size or self._received_commitments > commitments_size(self._size):
            raise ContentError("the ciphertext or its commitments are longer than promised")
        texts = memoryview(self._ciphertext + ciphertext if self._ciphertext else ciphertext)
        promises = memoryview(self._commitments + commitments if self._commitments else commitments)
        complete = self._received == self._size
        have = chunk_count(self._size) - self._chunks if complete else len(texts) // CHUNK_SIZE
        ready = min(have, len(promises) // COMMITMENT_SIZE)
        used, promised = min(ready * CHUNK_SIZE, len(texts)), ready * COMMITMENT_SIZE
        self._ciphertext, self._commitments = bytes(texts[used:]), bytes(promises[promised:])
        if not ready:
            return b""
        taken = self._take(texts[:used], _split(promises[:promised]))
        self._chunks += ready
        return taken

    def _take(self, ciphertext: memoryview, commitments: list[bytes]) -> bytes:
        self._tree.extend(leaf_hashes(commitments, ciphertext))
        return b""


class PublicVerifier(_Reader):
    """The data root from ciphertext and commitments, as anybody can compute it without the key."""

    def update(self, ciphertext: Buffer, commitments: Buffer) -> None:
        """Takes the next bytes of both. Raises `ContentError` for more than the size promises."""
        self._advance(ciphertext, commitments)


class Decryptor(_Reader):
    """Ciphertext and commitments to plaintext: nothing comes out that the seller did not commit to.

    `keep_going`: at the first chunk that is not what was committed to, note it in `wrong` instead of raising, and take
    the rest as a `PublicVerifier` does, so that one reading says all.
    """

    def __init__(self, key: ContentKey, size: int, *, keep_going: bool = False) -> None:
        super().__init__(size)
        self._key, self._cipher = key, _stream(key)
        self._keep_going = keep_going
        self.wrong: WrongContentError | None = None

    def update(self, ciphertext: Buffer, commitments: Buffer) -> bytes:
        """The plaintext of the chunks that are complete by now.

        Raises `WrongContentError` with the first bad chunk's index, and `ContentError` for more than the size promises.
        """
        return self._advance(ciphertext, commitments)

    def _take(self, ciphertext: memoryview, commitments: list[bytes]) -> bytes:
        if self.wrong is not None:
            return super()._take(ciphertext, commitments)
        plaintext = self._cipher.update(ciphertext)
        found = _commit(self._key, self._chunks, memoryview(plaintext))
        if found != commitments:
            index = self._chunks + next(i for i, promise in enumerate(commitments) if found[i] != promise)
            wrong = WrongContentError(f"chunk {index} does not decrypt to what the seller committed to", index=index)
            if not self._keep_going:
                raise wrong
            self.wrong = wrong
        super()._take(ciphertext, commitments)
        return plaintext if self.wrong is None else b""


# These two loops take most of the time of sealing: no call of our own inside, and one hash call per hash.


def _commit(key: ContentKey, first: int, plaintext: memoryview) -> list[bytes]:
    """The commitments to consecutive chunks, the first of which has the index `first`; nothing at all is one chunk."""
    salt_key, starts = key.salt_key, range(0, len(plaintext) or 1, CHUNK_SIZE)
    salts = [sha256(salt_key + (first + i).to_bytes(8, "big")).digest() for i in range(len(starts))]
    return [
        sha256(b"".join((b"\x02", salt, plaintext[start : start + CHUNK_SIZE]))).digest()
        for salt, start in zip(salts, starts, strict=True)
    ]


def leaf_hashes(commitments: list[bytes], ciphertext: memoryview) -> list[bytes]:
    """The hashes of the leaves `commitment ‖ ciphertext` of consecutive chunks."""
    starts = range(0, len(ciphertext) or 1, CHUNK_SIZE)
    return [
        sha256(b"".join((b"\x00", commitment, ciphertext[start : start + CHUNK_SIZE]))).digest()
        for commitment, start in zip(commitments, starts, strict=True)
    ]


def _split(commitments: memoryview) -> list[bytes]:
    return [bytes(commitments[i : i + COMMITMENT_SIZE]) for i in range(0, len(commitments), COMMITMENT_SIZE)]
