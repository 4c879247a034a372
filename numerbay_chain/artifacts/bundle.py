"""A sealed artifact as a folder of five files, to be handed over without a chain and without IPFS."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from numerbay_chain.artifacts.manifest import MANIFEST_SIZE, Manifest
from numerbay_chain.artifacts.parts import ByteProgress
from numerbay_chain.artifacts.seal import seal
from numerbay_chain.artifacts.source import Measured, open_source
from numerbay_chain.artifacts.unseal import OpenedArtifact, Target, unseal
from numerbay_chain.artifacts.verify import Problem, check
from numerbay_chain.core.errors import (
    ContentError,
    DecryptionError,
    NotFoundError,
    RefusedError,
    UsageError,
    WrongContentError,
)
from numerbay_chain.core.files.atomic import set_mode, storage_error, sync, sync_folder, write_all, write_atomic
from numerbay_chain.core.home.keyfile import KeyPair, refuse_small_order
from numerbay_chain.crypto.content_key import ContentKey, Context
from numerbay_chain.crypto.details import MAX_DETAILS_SIZE, Details
from numerbay_chain.crypto.envelopes import ENVELOPE_SIZE, open_envelope, seal_envelopes
from numerbay_chain.ipfs.cid import Cid
from numerbay_chain.ipfs.stores.base import ContentWriter, Store, Writer
from numerbay_chain.ipfs.unixfs import Importer, Root

MOST_RECIPIENTS: Final = 500_000
_PIECE_SIZE: Final = 1 << 20
_FILE_MODE: Final = 0o644
_FOLDER_MODE: Final = 0o755


@dataclass(frozen=True, slots=True)
class SealedBundle:
    """`content_hash` is to reach the recipients by a way that they trust; `size` and `sha256` are the plaintext's."""

    content_hash: bytes
    cid: Cid
    ciphertext_cid: Cid
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class OpenedBundle:
    """As `OpenedArtifact`; `authenticated` says whether there was a content hash to check the manifest against."""

    size: int
    sha256: bytes
    details: Details
    problems: tuple[Problem, ...]
    content_hash: bytes
    authenticated: bool


def seal_to_folder(
    source: str | os.PathLike[str],
    recipients: Sequence[bytes],
    seller_secret: bytes,
    folder: str | os.PathLike[str],
    note: str | None = None,
    progress: ByteProgress | None = None,
) -> SealedBundle:
    """Seals to X25519 public keys, as orders 0, 1, 2 … The folder appears when it is complete, or not at all.

    Raises as `seal.seal`, `RefusedError` for a folder that is not empty, `AccountError` for an unusable public key.
    """
    target = Path(os.path.realpath(folder))
    if not recipients:
        raise UsageError("there is nobody to seal to", "give at least one public key with --to", code="no-recipient")
    if len(recipients) > MOST_RECIPIENTS:
        raise UsageError(
            f"a folder is sealed to at most {MOST_RECIPIENTS:,} keys", "make several folders", code="too-many"
        )
    if target.is_relative_to(os.path.realpath(source)):
        raise UsageError(
            f"{os.fspath(folder)} lies in what is to be sealed", "choose a folder outside of it", code="unusable-path"
        )
    for public_key in recipients:
        refuse_small_order(public_key)
    if os.path.lexists(target) and not (target.is_dir() and not any(target.iterdir())):
        raise RefusedError(
            f"{os.fspath(folder)} exists already and is not an empty folder", "choose another one", code="file-exists"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:80]}.", suffix=".part", dir=target.parent))
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        context = Context.offline()
        measured = Measured(open_source(source))
        sealed = seal(measured, _FolderStore(temporary), seller_secret, context, note=note or "", progress=progress)
        envelopes = seal_envelopes(sealed.key, context, enumerate(recipients))
        write_atomic(temporary / "envelopes", envelopes, _FILE_MODE)
        set_mode(temporary, _FOLDER_MODE)
        temporary.rename(target)  # an empty folder of that name gives way
        sync_folder(target.parent)
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    manifest = sealed.manifest
    return SealedBundle(sealed.content_hash, manifest.cid, manifest.ciphertext_cid, sealed.size, measured.sha256)


def open_folder(
    folder: str | os.PathLike[str],
    pair: KeyPair,
    target: Target,
    content_hash: bytes | None = None,
    progress: ByteProgress | None = None,
    *,
    overwrite: bool = True,
) -> OpenedBundle:
    """Finds the envelope that opens with `pair`, checks everything, and decrypts to a path or an open binary stream.

    Raises `ContentError` for files that are missing or altered, `DecryptionError` where no envelope opens, and what
    `unseal.unseal` raises.
    """
    encoded = _read(Path(folder) / "manifest", MANIFEST_SIZE)
    found = sha256(encoded).digest()
    if content_hash is not None and found != content_hash:
        raise ContentError(
            "the manifest is not the one that the content hash stands for",
            "ask the seller for folder and hash again",
            code="wrong-manifest",
        )
    manifest = Manifest.decode(encoded)
    key = _find_key(_read(Path(folder) / "envelopes", MOST_RECIPIENTS * ENVELOPE_SIZE), pair, manifest)
    parts = {
        manifest.ciphertext_cid: "ciphertext",
        manifest.commitments_cid: "commitments",
        manifest.details_cid: "details",
    }
    store = _FolderStore(Path(folder), parts)
    if not isinstance(target, str | os.PathLike):
        _require_sound(encoded, found, store)  # what has gone down a pipe can't be taken back
    # Details that a host leaves out keep no file back; a folder that lacks them was damaged on its way.
    store.read_block(manifest.details_cid)
    try:
        opened: OpenedArtifact = unseal(manifest, key, store, target, progress, overwrite=overwrite)
    except WrongContentError:
        _require_sound(encoded, found, store)  # altered on the way is not the seller's fault: say which it was
        raise
    return OpenedBundle(
        opened.size, opened.sha256, opened.details, opened.problems, found, authenticated=content_hash is not None
    )


def _find_key(envelopes: bytes, pair: KeyPair, manifest: Manifest) -> ContentKey:
    if len(envelopes) > MOST_RECIPIENTS * ENVELOPE_SIZE:
        raise ContentError(f"the file envelopes is for more than {MOST_RECIPIENTS:,} keys", code="too-large")
    if not envelopes or len(envelopes) % ENVELOPE_SIZE:
        raise ContentError("the file envelopes was cut off or altered", "ask the seller for it again")
    context = Context.offline()
    records = [envelopes[start : start + ENVELOPE_SIZE] for start in range(0, len(envelopes), ENVELOPE_SIZE)]
    if any(record[:8] != order.to_bytes(8, "big") for order, record in enumerate(records)):
        # before any is tried: all recipients must be told the same
        raise ContentError("the file envelopes was altered: its order ids do not count up", "ask for it again")
    for order, record in enumerate(records):
        try:
            return open_envelope(record, pair.reveal_private_key(), context, order, manifest.key_commitment)
        except DecryptionError:
            continue  # somebody else's
    raise DecryptionError(
        "no envelope in this folder opens with this key",
        "use the key file whose public key it was sealed to, or ask the seller for the folder again",
        code="no-envelope",
    )


def _require_sound(manifest: bytes, content_hash: bytes, store: "_FolderStore") -> None:
    for problem in check(manifest, content_hash, store):
        raise ContentError(problem.message, "ask the seller for the folder again")


def _read(path: Path, limit: int) -> bytes:
    """All of a file, or one byte more than `limit`."""
    with _open(path) as file:
        return file.read(limit + 1)


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """A part of a bundle. Who made the folder may have left a pipe or a device in its place, which has no end."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ContentError(f"{path} is not a file", "ask the seller for the folder again", code="not-a-file")
            yield file
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ContentError:
    reason = (error.strerror or str(error)).lower()
    code = "no-such-file" if isinstance(error, FileNotFoundError) else "unreadable"
    return ContentError(
        f"can't read {path}: {reason}", "give a folder that `seal` wrote, with all of its files", code=code
    )


class _FolderStore(Store):
    """Parts by their labels, as plain files. Without inner hashes a file is known to be sound at its end only."""

    writable = True

    def __init__(self, folder: Path, parts: Mapping[Cid, str] | None = None) -> None:
        self.name = f"folder {folder}"
        self._folder, self._parts = folder, dict(parts or {})

    def writer(self, label: str = "") -> ContentWriter:
        return _FolderWriter(self._folder / label)

    def read(self, cid: Cid, size: int, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        if offset or length not in {None, size}:
            raise ValueError("the files of a folder are read as a whole")
        importer, path = Importer(), self._path(cid)
        with _open(path) as file:
            found = os.fstat(file.fileno()).st_size
            if found != size:
                raise ContentError(
                    f"the file {path.name} was cut off or altered: it has {found} bytes instead of {size}",
                    "ask the seller for it again",
                )
            left = size
            while left and (piece := file.read(min(_PIECE_SIZE, left))):  # one that grows meanwhile has no end
                left -= len(piece)
                importer.update(piece)
                yield piece
        root = importer.finish()
        if root.cid != cid or root.size != size:
            raise ContentError(f"the file {path.name} was altered", "ask the seller for it again")

    def read_block(self, cid: Cid) -> bytes:
        self._require_time()
        path = self._path(cid)
        block = _read(path, MAX_DETAILS_SIZE)
        if not cid.matches(block):
            raise ContentError(f"the file {path.name} was altered", "ask the seller for it again")
        return block

    def _path(self, cid: Cid) -> Path:
        if cid not in self._parts:
            raise NotFoundError(f"{self.name} has no {cid}")
        return self._folder / self._parts[cid]


class _FolderWriter(Writer):
    def __init__(self, path: Path) -> None:
        self._path, self._importer = path, Importer()
        self._file = path.open("xb", buffering=0)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._importer.update(data)
        write_all(self._file, data)

    def finish(self) -> Root:
        set_mode(self._file.fileno(), _FILE_MODE)
        sync(self._file.fileno())
        self._file.close()
        return self._importer.finish()

    def abort(self) -> None:
        self._file.close()
