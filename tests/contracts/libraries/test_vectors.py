"""The committed vectors of disputes, asked of the contracts: what the package decides about them, they decide too."""

from typing import Any

import pytest

from tests.contracts.libraries import judging
from tests.support.evm import Chain, Contract, CustomError, artifact
from tests.support.evm.disputes import Challenge
from tests.support.evm.world import World
from tests.support.model import manifest as manifests
from tests.support.vectors import failures, load, why

Vector = dict[str, Any]
RESPONSE, CHALLENGE = load("response"), load("challenge")


def number(vector: Vector, name: str) -> int:
    return int(vector[name], 16)


@pytest.fixture(scope="module")
def there(judge: Contract) -> Contract:
    """The libraries at the address that the vectors name: what is sealed is sealed for a marketplace."""
    chain, address = Chain(), "0x" + RESPONSE["base"]["marketplace"]
    chain.install(address, judge.chain.code(judge))
    return Contract(artifact("JudgeHarness"), chain, address)


def opened(there: Contract, vector: Vector, **changes: str) -> int:
    values = vector | changes
    keys = (number(values, "dispute_key"), number(values, "response_key"))
    place = (int(values["order"]), int(values["round"]))
    return judging.opened(there, *place, keys, bytes.fromhex(values["sealed_key"]), number(values, "p"))


@pytest.mark.parametrize("vector", RESPONSE["points"], ids=why)
def test_nothing_else_is_taken_for_a_point(judge: Contract, vector: Vector) -> None:
    assert judge.isX(number(vector, "x")) is vector["is_point"]


@pytest.mark.parametrize("vector", RESPONSE["keys"], ids=why)
def test_a_key_is_told_from_all_that_resemble_it(judge: Contract, vector: Vector) -> None:
    assert judge.isKeyOf(number(vector, "x"), number(vector, "scalar")) is vector["is_key"]


@pytest.mark.parametrize("vector", RESPONSE["valid"])
def test_an_answer_opens_to_the_key_that_was_sealed(there: Contract, vector: Vector) -> None:
    shared = there.combine(number(vector, "response_key"), number(vector, "p"), 0)
    assert shared == "0x" + vector["shared"]
    keys = (number(vector, "dispute_key"), number(vector, "response_key"))
    mask = there.mask(int(vector["order"]), int(vector["round"]), *keys, shared)
    assert mask.hex() == vector["mask"]
    assert opened(there, vector) == number(vector, "opened")
    assert there.isKeyOf(number(vector, "commitment"), number(vector, "opened"))


@pytest.mark.parametrize("vector", RESPONSE["wrong"], ids=why)
def test_every_other_answer_convicts_the_seller(there: Contract, vector: Vector) -> None:
    base = RESPONSE["base"]
    scalar = opened(there, base, sealed_key=vector["sealed_key"])
    assert scalar == number(vector, "opened")
    assert not there.isKeyOf(number(base, "commitment"), scalar)


# ------------------------------------------------------------------------------------------------------- wrong content


def judged(judge: Contract, vector: Vector) -> bool | str:
    """As Disputes._requireFault asks: the key first. The error's name where it is refused."""
    if not judge.isKeyOf(number(vector, "key_commitment"), number(vector, "content_key")):
        return "NotTheContentKey"
    root, chunk, commitment = (bytes.fromhex(vector[name]) for name in ("data_root", "ciphertext", "commitment"))
    path = [bytes.fromhex(step) for step in vector["path"]]
    place = (number(vector, "content_key"), int(vector["index"]), vector["size"])
    try:
        return bool(judge.isFaulty(*judging.of_content(*place, root, chunk, commitment, path)))
    except CustomError as error:
        return error.name


@pytest.mark.parametrize("vector", load("content_proof")["valid"], ids=why)
def test_a_chunk_convicts_its_seller_unless_it_is_as_committed(judge: Contract, vector: Vector) -> None:
    assert judged(judge, vector) is vector["convicts"]


@pytest.mark.parametrize("vector", failures("content_proof"), ids=why)
def test_what_the_seller_did_not_publish_proves_nothing(judge: Contract, vector: Vector) -> None:
    assert judged(judge, vector) == vector["reverts"]


# ------------------------------------------------------------------------------------------------------- the challenge


def fields_of(vector: Vector) -> Challenge:
    values: Vector = {name: int(vector[name]) for name in ("bucket", "price", "bond", "challenged_at", "responded_at")}
    values |= {name: number(vector, name) for name in ("dispute_key", "response_key", "key_commitment")}
    return Challenge(**values, sealed_key=bytes.fromhex(vector["sealed_key"]))


@pytest.fixture(scope="module")
def disputed() -> tuple[World, int]:
    """An order whose challenge, opened and answered, is what the vectors say."""
    unanswered, answered = CHALLENGE["valid"][:2]
    world = World()
    price, bond = int(answered["price"]), int(answered["bond"])
    listing = world.list(price=price, challengeBond=bond)
    order = world.buy(listing)
    declinable = world.listing(listing)["terms"]["declineWindow"]
    world.reach(int(answered["challenged_at"]) - declinable)
    content = manifests.encode(number(answered, "key_commitment"))
    world.release(listing, content=content)
    world.reach(int(answered["challenged_at"]))
    key, bucket = number(answered, "dispute_key"), int(answered["bucket"])
    world.market.challenge(order, 0, bucket, key, sender=world.buyer, value=bond)
    assert world.market.challengeOf(order, 0).hex() == unanswered["hash"]
    world.reach(int(answered["responded_at"]))
    answer = (number(answered, "response_key"), bytes.fromhex(answered["sealed_key"]))
    world.market.respond(order, 0, fields_of(unanswered), content, *answer, sender=world.seller)
    return world, order


def test_the_contract_keeps_the_hash_that_the_vectors_say(disputed: tuple[World, int]) -> None:
    world, order = disputed
    assert world.market.challengeOf(order, 0).hex() == CHALLENGE["base"]["hash"]


@pytest.mark.parametrize("vector", failures("challenge"), ids=why)
def test_one_field_makes_it_another_challenge(disputed: tuple[World, int], vector: Vector) -> None:
    world, order = disputed
    with pytest.raises(CustomError) as error:
        world.market.settleChallenge(order, 0, fields_of(vector), sender=world.stranger)
    assert error.value.name == "NotTheChallenge"
