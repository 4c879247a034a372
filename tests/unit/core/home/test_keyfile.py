import importlib.util
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from nacl import bindings
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, SealedBox

from numerbay_chain.core.errors import AccountError, RefusedError, UsageError
from numerbay_chain.core.home import keyfile
from numerbay_chain.core.home.keyfile import KeyPair
from tests.support.codes import fails_with
from tests.support.vectors import failures, load, why

VECTORS = load("keyfile")


@pytest.fixture(scope="module")
def numerbay_client() -> ModuleType:
    """The real client's functions. Its package wants setuptools to tell its version: go round that."""
    package = importlib.util.find_spec("numerbay")
    assert package is not None
    assert package.submodule_search_locations
    path = Path(package.submodule_search_locations[0]) / "utils.py"
    spec = importlib.util.spec_from_file_location("numerbay_client_utils", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def pair() -> KeyPair:
    return keyfile.generate()


@pytest.fixture
def key_path(tmp_path: Path, pair: KeyPair) -> Path:
    path = tmp_path / "numerbay.json"
    keyfile.save(pair, path)
    return path


def test_a_saved_pair_comes_back(pair: KeyPair, key_path: Path) -> None:
    loaded = keyfile.load(key_path)
    assert (loaded.public_key, loaded.reveal_private_key()) == (pair.public_key, pair.reveal_private_key())


def test_a_key_file_is_its_owners_alone_and_never_overwritten(pair: KeyPair, key_path: Path) -> None:
    assert key_path.stat().st_mode & 0o777 == 0o600
    before = key_path.read_bytes()
    with fails_with(RefusedError, "file-exists"):
        keyfile.save(keyfile.generate(), key_path)
    assert key_path.read_bytes() == before


@pytest.mark.parametrize("vector", VECTORS["valid"])
def test_numerbays_own_vector_is_read(vector: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "numerbay.json"
    path.write_text(json.dumps({name: vector[name] for name in ("public_key", "private_key")}))
    pair = keyfile.load(path)
    assert keyfile.encode(pair.public_key) == vector["public_key"]
    message = SealedBox(PrivateKey(pair.reveal_private_key())).decrypt(bytes.fromhex(vector["sealed"]))
    assert message.hex() == vector["message"]


def test_the_numerbay_client_decrypts_with_our_key_file(
    numerbay_client: ModuleType, pair: KeyPair, key_path: Path, tmp_path: Path
) -> None:
    artifact = tmp_path / "artifact.csv"
    artifact.write_bytes(bindings.crypto_box_seal(b"id,prediction\n", pair.public_key))
    numerbay_client.decrypt_file(str(artifact), key_path=str(key_path))
    assert artifact.read_bytes() == b"id,prediction\n"


def test_what_the_numerbay_client_encrypts_opens_with_our_key(numerbay_client: ModuleType, pair: KeyPair) -> None:
    sealed = numerbay_client.encrypt_file_object(io.BytesIO(b"id,prediction\n"), key=keyfile.encode(pair.public_key))
    opened = bindings.crypto_box_seal_open(sealed.read(), pair.public_key, pair.reveal_private_key())
    assert opened == b"id,prediction\n"


@pytest.mark.parametrize("vector", failures("keyfile"), ids=why)
def test_a_damaged_key_file_is_refused_without_showing_it(vector: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "numerbay.json"
    path.write_text(vector["text"])
    with pytest.raises(AccountError) as caught:
        keyfile.load(path)
    assert caught.value.__cause__ is None
    assert VECTORS["valid"][0]["private_key"] not in str(caught.value)


def test_a_missing_key_file_says_how_to_make_one(tmp_path: Path) -> None:
    with fails_with(AccountError, "no-such-file") as caught:
        keyfile.load(tmp_path / "nothing.json")
    assert caught.value.code == "no-such-file"
    assert "keys new" in str(caught.value.hint)


def test_a_public_key_is_read_from_text_and_from_files(pair: KeyPair, key_path: Path, tmp_path: Path) -> None:
    shared = tmp_path / "public.json"
    shared.write_text(json.dumps({"public_key": keyfile.encode(pair.public_key)}))
    sources = [keyfile.encode(pair.public_key), "0x" + pair.public_key.hex(), key_path, str(key_path), str(shared)]
    assert {keyfile.parse_public_key(source) for source in sources} == {pair.public_key}


@pytest.mark.parametrize("text", ["", "nowhere.json", "AAAA", "0x1234", "0x" + "zz" * 32])
def test_what_is_no_public_key_is_refused(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((UsageError, AccountError)) as caught:
        keyfile.parse_public_key(text)
    assert caught.value.hint


@pytest.mark.parametrize("encoding", VECTORS["small_order"])
def test_every_small_order_point_is_refused(encoding: str) -> None:
    with fails_with(AccountError, "small-order-key"):
        keyfile.parse_public_key("0x" + encoding)
    with pytest.raises(CryptoError):
        bindings.crypto_box_seal(b"secret", bytes.fromhex(encoding))


def test_all_14_encodings_are_known() -> None:
    assert len(set(VECTORS["small_order"])) == 14


def test_its_repr_hides_the_private_key(pair: KeyPair) -> None:
    for shown in (repr(pair), str([pair])):
        assert keyfile.encode(pair.reveal_private_key()) not in shown
        assert pair.reveal_private_key().hex() not in shown
