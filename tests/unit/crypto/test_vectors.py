"""The committed vectors are what the references compute, so they can't drift from the document that they stand for;
what they say of disputes is also what the package decides.
tests/contracts/libraries/test_vectors.py asks the contracts."""

import secrets
from typing import Any

import pytest

from numerbay_chain.chain.contract import challenge_hash
from numerbay_chain.core import errors
from numerbay_chain.crypto.content_key import ContentKey
from numerbay_chain.crypto.content_proof import ContentProof, convicts
from numerbay_chain.crypto.dispute_keys import (
    DisputeContext,
    DisputeKey,
    Response,
    derive_dispute_key,
    is_committed_key,
    open_response,
    seal_response,
)
from numerbay_chain.crypto.secp256k1 import is_valid_x
from numerbay_chain.protocol.types import Challenge
from tests.support.vectors import FOLDER, failures, generate, load, why

Vector = dict[str, Any]
RESPONSE = load("response")


@pytest.mark.parametrize("name", list(generate.FORMATS))
def test_committed_vectors_are_what_the_generator_writes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == generate.text_of(name)


def number(vector: Vector, name: str) -> int:
    return int(vector[name], 16)


def place_of(vector: Vector) -> DisputeContext:
    ids = (int(vector[name]) for name in ("order", "round"))
    return DisputeContext(int(vector["chain_id"]), bytes.fromhex(vector["marketplace"]), *ids)


# ------------------------------------------------------------------------------------------------------------ the keys


@pytest.mark.parametrize("vector", load("dispute_key")["valid"])
def test_a_buyer_derives_the_one_time_key_of_a_dispute(vector: Vector) -> None:
    key = derive_dispute_key(bytes.fromhex(vector["private_key"]), place_of(vector))
    assert (key.reveal(), key.x) == (number(vector, "scalar"), number(vector, "x"))


@pytest.mark.parametrize("vector", failures("dispute_key"), ids=why)
def test_no_one_time_key_is_derived_from_something_else(vector: Vector) -> None:
    with pytest.raises((errors.AccountError, errors.UsageError)) as caught:
        derive_dispute_key(bytes.fromhex(vector["private_key"]), place_of(vector))
    assert type(caught.value) is getattr(errors, vector["error"])


@pytest.mark.parametrize("vector", RESPONSE["points"], ids=why)
def test_nothing_else_is_taken_for_a_point(vector: Vector) -> None:
    assert is_valid_x(number(vector, "x")) is vector["is_point"]
    if not vector["is_point"]:
        with pytest.raises(errors.UsageError):
            seal_response(ContentKey(5), number(vector, "x"), place_of(RESPONSE["base"]))
        with pytest.raises(errors.UsageError):
            open_response(Response(number(vector, "x"), bytes(32)), DisputeKey(5), place_of(RESPONSE["base"]))


@pytest.mark.parametrize("vector", RESPONSE["keys"], ids=why)
def test_a_key_is_told_from_all_that_resemble_it(vector: Vector) -> None:
    assert is_committed_key(number(vector, "scalar"), number(vector, "x")) is vector["is_key"]


# --------------------------------------------------------------------------------------------------------- the answers


@pytest.mark.parametrize("vector", RESPONSE["valid"])
def test_a_seller_seals_and_a_buyer_opens(vector: Vector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda _: number(vector, "r") - 1)
    key, place = ContentKey(number(vector, "opened")), place_of(vector)
    response = seal_response(key, number(vector, "dispute_key"), place)
    assert (response.response_key, response.sealed_key.hex()) == (number(vector, "response_key"), vector["sealed_key"])

    opened = open_response(response, DisputeKey(number(vector, "p")), place)
    assert opened == number(vector, "opened")
    assert is_committed_key(opened, number(vector, "commitment"))


@pytest.mark.parametrize("vector", RESPONSE["wrong"], ids=why)
def test_every_other_answer_convicts_the_seller(vector: Vector) -> None:
    base = RESPONSE["base"]
    response = Response(number(base, "response_key"), bytes.fromhex(vector["sealed_key"]))
    opened = open_response(response, DisputeKey(number(base, "p")), place_of(base))
    assert opened == number(vector, "opened")
    assert not is_committed_key(opened, number(base, "commitment"))


# ------------------------------------------------------------------------------------------------------- wrong content


def judged(vector: Vector) -> bool:
    proof = ContentProof(
        number(vector, "content_key"),
        int(vector["index"]),
        bytes.fromhex(vector["commitment"]),
        bytes.fromhex(vector["ciphertext"]),
        tuple(map(bytes.fromhex, vector["path"])),
    )
    return convicts(proof, vector["size"], bytes.fromhex(vector["data_root"]), number(vector, "key_commitment"))


@pytest.mark.parametrize("vector", load("content_proof")["valid"], ids=why)
def test_a_chunk_convicts_its_seller_unless_it_is_as_committed(vector: Vector) -> None:
    assert judged(vector) is vector["convicts"]


@pytest.mark.parametrize("vector", failures("content_proof"), ids=why)
def test_what_the_seller_did_not_publish_proves_nothing(vector: Vector) -> None:
    assert judged(load("content_proof")["base"]), "the failure is what makes the difference"
    with pytest.raises((errors.ContentError, errors.DecryptionError)) as caught:
        judged(vector)
    assert type(caught.value) is getattr(errors, vector["error"])


# ------------------------------------------------------------------------------------------------------- the challenge


def hash_of(vector: Vector) -> str:
    numbers = (int(vector[name]) for name in ("bucket", "price", "bond", "challenged_at", "responded_at"))
    ends = (number(vector, "response_key"), bytes.fromhex(vector["sealed_key"]), number(vector, "key_commitment"))
    return challenge_hash(Challenge(number(vector, "dispute_key"), *numbers, *ends)).hex()


@pytest.mark.parametrize("vector", load("challenge")["valid"])
def test_a_challenge_is_kept_as_one_hash(vector: Vector) -> None:
    assert hash_of(vector) == vector["hash"]


@pytest.mark.parametrize("vector", failures("challenge"), ids=why)
def test_one_field_makes_it_another_challenge(vector: Vector) -> None:
    assert hash_of(vector) != vector["hash"]
