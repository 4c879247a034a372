"""The demonstration: the main job, once."""

from hashlib import sha256
from pathlib import Path

from numerbay_chain import demo
from numerbay_chain.core.errors import UsageError
from tests.support.codes import fails_with


def test_every_buyer_decrypts_the_original_and_every_wei_is_where_it_should_be(tmp_path: Path) -> None:
    path = tmp_path / "artifact.bin"
    path.write_bytes(bytes(range(256)) * 8_192 + b"end")
    labels: list[str] = []
    result = demo.run(path, buyers=4, progress=lambda label, *_: labels.append(label))

    digest = sha256(path.read_bytes()).digest()
    assert result.original_sha256 == digest
    assert [buyer.sha256 for buyer in result.buyers] == [digest] * 4
    assert len({buyer.address for buyer in result.buyers}) == 4
    assert result.accounted
    assert result.audit.ok
    assert result.balances_before.keys() == result.balances_after.keys()
    assert {"deploy", "create_listing", "register_key", "buy", "release_and_deliver", "withdraw"} <= result.gas.keys()
    assert (result.size, result.envelopes_size, result.commitments_size) == (2_097_155, 4 * 88, 32 * 513)
    assert result.cid.digest == result.content_hash
    assert result.ciphertext_cid.codec == "dag-pb"
    assert "fetch" in labels


def test_without_a_file_it_makes_one_up() -> None:
    result = demo.run(buyers=1)
    assert result.buyers[0].sha256 == result.original_sha256
    assert result.accounted


def test_a_number_of_buyers_that_makes_no_sense() -> None:
    with fails_with(UsageError, "usage", 1, 100):
        demo.run(buyers=0)
