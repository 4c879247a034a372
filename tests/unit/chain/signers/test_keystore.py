"""Keystores as wallets write them, and as somebody writes them who wants memory, time or a stack to run out."""

import json
import time
import tracemalloc
import unicodedata
from hashlib import pbkdf2_hmac
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keyfile.keyfile import encrypt_aes_ctr
from eth_utils.crypto import keccak

from numerbay_chain.chain.signers.signer import LocalSigner, Signer
from numerbay_chain.core.errors import AccountError, ExitCode

KEY = b"\x3c" * 32
ADDRESS = LocalSigner.from_key(KEY).address
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def good() -> dict[str, Any]:
    return dict(Account.encrypt(KEY, PASSWORD, kdf="pbkdf2", iterations=100))


def signer(path: Path, keystore: object, password: str = PASSWORD) -> Signer:
    path.write_text(keystore if isinstance(keystore, str) else json.dumps(keystore))
    return Signer.from_spec(f"keystore:{path}", lambda: password)


@pytest.mark.parametrize(
    "named",
    [
        ADDRESS,
        ADDRESS[2:],
        ADDRESS.lower(),
        "0x" + ADDRESS[2:].upper(),
        "0X" + ADDRESS[2:].upper(),
        ADDRESS[2:].upper(),
        ADDRESS.swapcase().replace("X", "x"),
        None,
        "",
    ],
)
def test_an_address_is_read_however_a_wallet_writes_it(tmp_path: Path, good: dict[str, Any], named: object) -> None:
    opened = signer(tmp_path / "keystore", {**good, "address": named})
    assert opened.address == ADDRESS
    opened.unlock()


@pytest.mark.parametrize("named", ["0x", "0x" + 39 * "1", 41 * "1", "x" * 40, 5, [ADDRESS], {}, True, "\u0661" * 40])
def test_an_address_that_is_none_is_a_damaged_keystore(tmp_path: Path, good: dict[str, Any], named: object) -> None:
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", {**good, "address": named})
    assert caught.value.code == "bad-keystore"


def test_names_in_any_case_and_a_version_in_quotes(tmp_path: Path, good: dict[str, Any]) -> None:
    shouted = {name.upper(): value for name, value in good.items()}
    assert signer(tmp_path / "keystore", shouted).address == ADDRESS
    signer(tmp_path / "keystore", {**good, "version": "3"}).unlock()
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", {**good, "Address": "0x" + 40 * "1"})
    assert caught.value.code == "bad-keystore"


@pytest.mark.parametrize("version", [1, 2, 4, None, "x", 3.0, True])
def test_another_version_is_refused(tmp_path: Path, good: dict[str, Any], version: object) -> None:
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", {**good, "version": version})
    assert caught.value.code == "bad-keystore"


@pytest.mark.parametrize(
    "text",
    ['{"a":' * 100_000 + "1" + "}" * 100_000, "[" * 200_000, '{"version": 3, "version": 3, "crypto": {}}', "\0", "nul"],
)
def test_a_bomb_is_refused_at_once(tmp_path: Path, text: str) -> None:
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", text)
    assert caught.value.code in {"bad-keystore", "too-large"}
    assert caught.value.__cause__ is None


SCRYPT = {"dklen": 32, "n": 262_144, "r": 8, "p": 1, "salt": "ab" * 16}


@pytest.mark.parametrize(
    "costly",
    [
        {"n": 2**30},
        {"n": 2**20 * 2},
        {"r": 2**30},
        {"p": 2**30},
        {"p": 64, "n": 2**18},
        {"n": 10**60},
        {"dklen": 2**40},
        {"n": 2, "r": 2**26, "p": 8},
    ],
)
def test_a_keystore_that_asks_for_all_memory_or_time_is_refused(
    tmp_path: Path, good: dict[str, Any], costly: dict[str, int]
) -> None:
    crypto = {**good["crypto"], "kdf": "scrypt", "kdfparams": {**SCRYPT, **costly}}
    tracemalloc.start()
    started = time.monotonic()
    try:
        with pytest.raises(AccountError) as caught:
            signer(tmp_path / "keystore", {**good, "crypto": crypto}).unlock()
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()
    assert time.monotonic() - started < 5
    assert (caught.value.code, caught.value.exit_code) == ("too-large", ExitCode.ACCOUNT)


def test_what_wallets_ask_for_is_given(tmp_path: Path) -> None:
    usual = Account.encrypt(KEY, PASSWORD, kdf="scrypt", iterations=2**14)
    signer(tmp_path / "keystore", usual).unlock()
    crypto = {"kdf": "pbkdf2", "kdfparams": {"dklen": 32, "c": 10**12, "prf": "hmac-sha256", "salt": "ab"}}
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", {**usual, "crypto": {**usual["crypto"], **crypto}})
    assert caught.value.code == "too-large"


@pytest.mark.parametrize(
    "damage",
    [
        {"kdf": "argon2"},
        {"kdfparams": {}},
        {"kdfparams": []},
        {"kdfparams": {"dklen": 32, "c": "100", "prf": "hmac-sha256", "salt": "ab"}},
        {"kdfparams": {"dklen": 32, "c": -1, "prf": "hmac-sha256", "salt": "ab"}},
        {"kdfparams": {"dklen": 32, "c": 1, "prf": "md5", "salt": "ab"}},
        {"kdfparams": {"dklen": 32, "c": 1, "prf": "hmac-sha256", "salt": "zz"}},
        {"kdfparams": {"dklen": 32, "c": 1, "prf": "hmac-sha256", "salt": 5}},
        {"ciphertext": None},
        {"ciphertext": "zz"},
        {"mac": 5},
        {"mac": None},
    ],
)
def test_a_damaged_keystore_is_not_blamed_on_the_password(
    tmp_path: Path, good: dict[str, Any], damage: dict[str, object]
) -> None:
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", {**good, "crypto": {**good["crypto"], **damage}}).unlock()
    assert caught.value.code == "bad-keystore"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("password", ["", "correct horse ", "\udcff", "größe", "x" * 10_000])
def test_a_wrong_password_is_told_from_damage(tmp_path: Path, good: dict[str, Any], password: str) -> None:
    with pytest.raises(AccountError) as caught:
        signer(tmp_path / "keystore", good, password).unlock()
    assert caught.value.code == "wrong-password"


def sealed(secret: bytes) -> dict[str, Any]:
    """A keystore of any bytes, without an address."""
    salt, iv = b"\x05" * 16, 7
    derived = pbkdf2_hmac("sha256", PASSWORD.encode(), salt, 10, 32)
    ciphertext = encrypt_aes_ctr(secret, derived[:16], iv)
    crypto = {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": f"{iv:032x}"},
        "ciphertext": ciphertext.hex(),
        "kdf": "pbkdf2",
        "kdfparams": {"c": 10, "dklen": 32, "prf": "hmac-sha256", "salt": salt.hex()},
        "mac": keccak(derived[16:32] + ciphertext).hex(),
    }
    return {"version": 3, "crypto": crypto}


@pytest.mark.parametrize("size", [30, 31, 32])
def test_a_key_whose_first_zeros_an_old_wallet_left_out_is_the_same_key(tmp_path: Path, size: int) -> None:
    address = LocalSigner.from_key((b"\x3c" * size).rjust(32, b"\0")).address
    for named in (address, None):
        opened = signer(tmp_path / "keystore", {**sealed(b"\x3c" * size), "address": named})
        opened.unlock()
        assert opened.address == address


@pytest.mark.parametrize("secret", [b"", bytes(32), b"\xff" * 32, b"\x01" * 33, b"test " * 12])
def test_what_is_no_private_key_inside_of_a_keystore_is_said(tmp_path: Path, secret: bytes) -> None:
    assert signer_code(tmp_path / "keystore", sealed(secret)) == "bad-key"


def test_another_cipher_is_refused_before_it_gives_another_account(tmp_path: Path, good: dict[str, Any]) -> None:
    assert signer_code(tmp_path / "keystore", {**good, "crypto": {**good["crypto"], "cipher": "aes-128-cbc"}}) == (
        "bad-keystore"
    )


def signer_code(path: Path, keystore: object) -> str:
    with pytest.raises(AccountError) as caught:
        signer(path, keystore).unlock()
    return caught.value.code


@pytest.mark.parametrize("password", ["\u00bd a day\u2026", "\ufb01ve", "\uff11\uff12\uff13", "e\u0301"])
def test_a_password_is_taken_as_typed_and_as_ethers_normalizes_it(tmp_path: Path, password: str) -> None:
    for sealed in (password, unicodedata.normalize("NFKC", password)):
        signer(tmp_path / "keystore", Account.encrypt(KEY, sealed, kdf="pbkdf2", iterations=10), password).unlock()


def test_an_empty_password_opens_what_was_sealed_with_it(tmp_path: Path) -> None:
    signer(tmp_path / "keystore", Account.encrypt(KEY, "", kdf="pbkdf2", iterations=10), "").unlock()
