"""Accounts: a keystore, the environment, a test account; none of them shows its key."""

import json
import traceback
from pathlib import Path

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from numerbay_chain.chain.encoding import typed_data
from numerbay_chain.chain.local.embedded import EmbeddedChain
from numerbay_chain.chain.signers.signer import LocalSigner, Signer
from numerbay_chain.core.errors import AccountError, UsageError
from numerbay_chain.protocol.types import ZERO_ADDRESS, Voucher
from tests.support.codes import fails_with

KEY = b"\x3c" * 32
ADDRESS = LocalSigner.from_key(KEY).address
PASSWORD = "correct horse"
TRANSACTION = {"to": ADDRESS, "value": 1, "gas": 21_000, "gasPrice": 1, "nonce": 0, "data": b""}


def message(chain_id: int) -> dict[str, object]:
    return typed_data.voucher(chain_id, ADDRESS, Voucher(1, ZERO_ADDRESS, 2, 3, 4, 5, 6))


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "seller.json"
    path.write_text(json.dumps(Account.encrypt(KEY, PASSWORD, kdf="pbkdf2", iterations=100)))
    return path


def test_a_keystore_asks_for_its_password_at_the_first_signature_only(keystore: Path) -> None:
    asked: list[None] = []

    def password() -> str:
        asked.append(None)
        return PASSWORD

    signer = Signer.from_spec(f"keystore:{keystore}", password)
    assert signer.address == ADDRESS
    assert asked == []
    raw = signer.sign_transaction({**TRANSACTION, "chainId": 1})
    assert Account.recover_transaction(raw) == ADDRESS
    signed = encode_typed_data(full_message=message(1))
    assert Account.recover_message(signed, signature=signer.sign_typed_data(message(1))) == ADDRESS
    assert asked == [None]


def test_a_wrong_password_is_an_account_error_without_the_password(keystore: Path) -> None:
    signer = Signer.from_spec(f"keystore:{keystore}", lambda: "battery staple")
    with fails_with(AccountError, "wrong-password") as caught:
        signer.sign_typed_data(message(1))
    assert "battery staple" not in str(caught.value)


def test_a_keystore_without_somebody_to_ask_says_so(keystore: Path) -> None:
    with fails_with(AccountError, "no-answer"):
        Signer.from_spec(f"keystore:{keystore}").sign_typed_data(message(1))


def test_a_keystore_that_names_another_address_than_its_keys_is_refused(keystore: Path, tmp_path: Path) -> None:
    path = tmp_path / "swapped.json"
    path.write_text(json.dumps({**json.loads(keystore.read_text()), "address": "ab" * 20}))
    signer = Signer.from_spec(f"keystore:{path}", lambda: PASSWORD)
    for _ in range(2):
        with fails_with(AccountError, "bad-keystore", ADDRESS):
            signer.sign_typed_data(message(1))


def test_a_keystore_without_an_address_is_opened_at_once(keystore: Path, tmp_path: Path) -> None:
    path = tmp_path / "nameless.json"
    path.write_text(json.dumps({k: v for k, v in json.loads(keystore.read_text()).items() if k != "address"}))
    assert Signer.from_spec(f"keystore:{path}", lambda: PASSWORD).address == ADDRESS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"version": 3}',
        '{"version": 1, "crypto": {}}',
        '{"version":3,"crypto":{},"address":5}',
    ],
)
def test_a_file_that_is_no_keystore_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other"
    path.write_text(text)
    with fails_with(AccountError, "bad-keystore", str(path)):
        Signer.from_spec(f"keystore:{path}", lambda: PASSWORD)
    with fails_with(AccountError, "no-such-file"):
        Signer.from_spec(f"keystore:{tmp_path / 'missing'}")


def test_a_key_in_the_environment_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (KEY.hex(), "0x" + KEY.hex(), f" {KEY.hex()}\n"):
        monkeypatch.setenv("SELLER_KEY", text)
        assert Signer.from_spec("env:SELLER_KEY").address == ADDRESS


def test_a_key_that_can_not_be_used_is_never_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in (KEY.hex()[:-1], KEY.hex() + "3c", "g" * 64, "0" * 64, "f" * 64, ""):
        monkeypatch.setenv("SELLER_KEY", text)
        with fails_with(AccountError, "bad-key", "SELLER_KEY") as caught:
            Signer.from_spec("env:SELLER_KEY")
        if text:
            assert text not in "".join(traceback.format_exception(caught.value))
    monkeypatch.delenv("SELLER_KEY")
    with fails_with(AccountError, "no-account", "SELLER_KEY"):
        Signer.from_spec("env:SELLER_KEY")


@pytest.mark.parametrize(
    "spec", [KEY.hex(), f"env:0x{KEY.hex()}", f"env:{64 * 'a'}", "env:", "keystore:", "dev:x", "dev:-1", "ledger:0", ""]
)
def test_another_form_is_refused_and_not_repeated(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        Signer.from_spec(spec)
    assert KEY.hex() not in "".join(traceback.format_exception(caught.value))
    assert caught.value.hint == "use keystore:PATH, env:NAME or dev:NUMBER"


def test_no_repr_shows_a_key(keystore: Path) -> None:
    for signer in (LocalSigner.from_key(KEY), Signer.from_spec(f"keystore:{keystore}", lambda: PASSWORD)):
        signer.sign_typed_data(message(1))
        assert ADDRESS in repr(signer)
        assert KEY.hex() not in repr(signer) + str(signer)


def test_a_test_account_is_anvils_and_signs_for_development_chains_only() -> None:
    chain = EmbeddedChain(accounts=1)
    signer = Signer.from_spec("dev:0", connection=chain.connection)
    assert signer.address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
    assert Account.recover_transaction(signer.sign_transaction({**TRANSACTION, "chainId": 31337})) == signer.address
    for chain_id in (1, 11_155_111, 137):
        with fails_with(UsageError, "test-account", chain_id):
            signer.sign_transaction({**TRANSACTION, "chainId": chain_id})
        with fails_with(UsageError, "test-account", chain_id):
            signer.sign_typed_data(message(chain_id))
    with fails_with(UsageError, "test-account"):
        signer.sign_transaction(TRANSACTION)
