"""KeyRegistry: keys are appended, never replaced."""

import pytest

from tests.contracts.unit.words import only, refused
from tests.support.evm.digests import registration_digest
from tests.support.evm.world import HOUR, World, key_of

P = 2**255 - 19
#: x of the points of order 1, 2, 4 and 8, and what reduces to them below 2^255.
SMALL_ORDER = [
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    P - 1,
    P,
    P + 1,
]
BACKUP = b"opaque to everybody else"


def test_the_first_key_has_epoch_1_and_the_backup_goes_into_the_event_only(world: World) -> None:
    receipt = world.market.register(key_of("me"), BACKUP, sender=world.stranger)
    event = only(receipt, "KeyRegistered")
    assert event == {"owner": str(world.stranger), "epoch": 1, "publicKey": key_of("me"), "backup": BACKUP}
    assert receipt.value == 1
    assert world.market.currentKey(world.stranger) == (1, key_of("me"))


def test_a_later_key_is_added_and_the_earlier_one_stays(world: World) -> None:
    world.market.register(key_of("first"), b"", sender=world.stranger)
    world.market.register(key_of("second"), b"", sender=world.stranger)
    assert world.market.keyAt(world.stranger, 1) == key_of("first")
    assert world.market.keyAt(world.stranger, 2) == key_of("second")
    assert world.market.currentKey(world.stranger) == (2, key_of("second"))


def test_who_has_no_key_has_epoch_0(world: World) -> None:
    assert world.market.currentKey(world.stranger) == (0, bytes(32))
    for epoch in (0, 1):
        with refused("NoKey", world.stranger, epoch):
            world.market.keyAt(world.stranger, epoch)


@pytest.mark.parametrize("high_bit", [0, 1])
@pytest.mark.parametrize("point", SMALL_ORDER)
def test_a_point_of_small_order_is_refused_in_every_encoding(world: World, point: int, high_bit: int) -> None:
    encoding = (point | high_bit << 255).to_bytes(32, "little")
    with refused("SmallOrderKey", encoding):
        world.market.register(encoding, b"", sender=world.stranger)


@pytest.mark.parametrize("point", [2, 9, P - 2, P + 2])
def test_neighbours_of_small_order_points_are_accepted(world: World, point: int) -> None:
    assert world.market.register(point.to_bytes(32, "little"), b"", sender=world.stranger).value == 1


def test_an_owner_can_register_255_keys(world: World) -> None:
    for number in range(255):
        world.market.register(key_of(str(number)), b"", sender=world.stranger)
    with refused("TooManyKeys", world.stranger):
        world.market.register(key_of("one more"), b"", sender=world.stranger)


class TestSignedRegistration:
    def sign(self, world: World, owner: object, deadline: int, nonce: int = 0, backup: bytes = BACKUP) -> bytes:
        digest = registration_digest(world.market, owner, key_of("me"), backup, nonce, deadline)
        return world.stranger.sign(digest)

    def test_anyone_may_pay_for_it(self, world: World) -> None:
        deadline = world.chain.now
        signature = self.sign(world, world.stranger, deadline)
        receipt = world.market.registerFor(
            world.stranger, key_of("me"), BACKUP, deadline, signature, sender=world.friend
        )
        assert only(receipt, "KeyRegistered")["owner"] == str(world.stranger)
        assert world.market.registrationNonce(world.stranger) == 1

    def test_a_key_that_the_owner_registers_himself_makes_it_void(self, world: World) -> None:
        deadline = world.chain.now
        signature = self.sign(world, world.stranger, deadline)
        world.market.register(key_of("mine"), b"", sender=world.stranger)
        assert world.market.registrationNonce(world.stranger) == 1
        with refused("InvalidSignature", world.stranger):
            world.market.registerFor(world.stranger, key_of("me"), BACKUP, deadline, signature, sender=world.friend)

    def test_it_can_be_used_once(self, world: World) -> None:
        deadline = world.chain.now + HOUR
        call = (world.stranger, key_of("me"), BACKUP, deadline, self.sign(world, world.stranger, deadline))
        world.market.registerFor(*call, sender=world.friend)
        with refused("InvalidSignature", world.stranger):
            world.market.registerFor(*call, sender=world.friend)

    def test_it_ends_after_its_deadline(self, world: World) -> None:
        deadline = world.chain.now
        signature = self.sign(world, world.stranger, deadline)
        world.chain.advance(1)
        with refused("SignatureExpired", deadline):
            world.market.registerFor(world.stranger, key_of("me"), BACKUP, deadline, signature, sender=world.friend)

    def test_another_key_backup_or_owner_is_refused(self, world: World) -> None:
        deadline = world.chain.now
        signature = self.sign(world, world.stranger, deadline)
        for owner, key, backup in (
            (world.stranger, key_of("another"), BACKUP),
            (world.stranger, key_of("me"), b"another"),
            (world.friend, key_of("me"), BACKUP),
        ):
            with refused("InvalidSignature", owner):
                world.market.registerFor(owner, key, backup, deadline, signature, sender=world.friend)

    def test_a_contract_wallet_signs_as_its_owner_does(self, world: World) -> None:
        wallet = world.deploy("ContractWallet", world.stranger)
        deadline = world.chain.now
        signature = self.sign(world, wallet, deadline)
        world.market.registerFor(wallet, key_of("me"), BACKUP, deadline, signature, sender=world.friend)
        assert world.market.currentKey(wallet) == (1, key_of("me"))

    def test_a_small_order_key_is_refused_here_too(self, world: World) -> None:
        digest = registration_digest(world.market, world.stranger, bytes(32), b"", 0, world.chain.now)
        with refused("SmallOrderKey"):
            world.market.registerFor(
                world.stranger, bytes(32), b"", world.chain.now, world.stranger.sign(digest), sender=world.friend
            )
