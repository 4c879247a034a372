"""Vouchers: the seller's signed permission to buy at another price or from a closed listing."""

from tests.contracts.unit.words import only, refused
from tests.support.evm import Contract
from tests.support.evm.digests import VOUCHER_FIELDS, voucher_digest
from tests.support.evm.world import ETHER, World

RESERVED_VERSION = 65_535
REVOKED = 2**256 - 1


def test_a_voucher_sells_at_its_own_price(world: World) -> None:
    listing = world.list()
    voucher = world.voucher(listing, price=7)
    receipt = world.buy_with(listing, voucher, rounds=2)
    order = receipt.value
    assert only(receipt, "VoucherUsed") == {"digest": voucher_digest(world.market, voucher), "order": order}
    assert world.order(order)["price"] == 7
    assert world.order(order)["version"] == RESERVED_VERSION
    assert world.held() == 14


def test_a_free_voucher_is_not_mistaken_for_none(world: World) -> None:
    listing = world.list()
    order = world.buy_with(listing, world.voucher(listing, price=0), rounds=3).value
    assert world.order(order)["price"] == 0
    with refused("WrongPayment", 1, 0):
        world.buy_with(listing, world.voucher(listing, price=0, nonce=1), value=1)


def test_it_opens_a_closed_listing(world: World) -> None:
    listing = world.list(open=False)
    assert world.order(world.buy_with(listing, world.voucher(listing)).value)["price"] == ETHER // 2


def test_it_does_not_open_a_sold_out_one(world: World) -> None:
    listing = world.list(supply=1)
    world.buy(listing, by=world.other)
    with refused("SoldOut", listing, 1):
        world.buy_with(listing, world.voucher(listing))


def test_the_digest_is_eip_712(world: World) -> None:
    voucher = world.voucher(world.list(), buyer=str(world.buyer), nonce=2**255)
    asked = world.market.voucherDigest(tuple(voucher[field] for field in VOUCHER_FIELDS))
    assert asked == voucher_digest(world.market, voucher)


def test_one_for_a_buyer_is_for_the_caller_and_not_for_the_recipient(world: World) -> None:
    listing = world.list()
    voucher = world.voucher(listing, buyer=str(world.buyer))
    with refused("VoucherNotYours", world.other, world.buyer):
        world.buy_with(listing, voucher, by=world.other, to=world.buyer)
    world.buy_with(listing, voucher, by=world.buyer, to=world.other)


def test_one_for_another_listing_is_refused(world: World) -> None:
    listing, another = world.list(), world.list()
    with refused("VoucherForOtherListing", another, listing):
        world.buy_with(another, world.voucher(listing))


def test_it_covers_no_more_rounds_than_it_says(world: World) -> None:
    listing = world.list(maxRounds=5)
    with refused("RoundsOutOfBounds", 3, 2):
        world.buy_with(listing, world.voucher(listing, maxRounds=2), rounds=3)
    with refused("RoundsOutOfBounds", 6, 5):
        world.buy_with(listing, world.voucher(listing, maxRounds=9), rounds=6)


def test_it_can_be_used_until_its_deadline(world: World) -> None:
    listing = world.list()
    voucher = world.voucher(listing, uses=2)
    world.chain.at(voucher["deadline"])
    world.buy_with(listing, voucher)
    world.chain.advance(1)
    with refused("VoucherExpired", voucher["deadline"]):
        world.buy_with(listing, voucher)


def test_it_is_used_up(world: World) -> None:
    listing = world.list()
    voucher = world.voucher(listing, uses=2)
    digest = voucher_digest(world.market, voucher)
    world.buy_with(listing, voucher)
    assert world.market.voucherUses(digest) == 1
    world.buy_with(listing, voucher, by=world.other)
    with refused("VoucherSpent", digest, 2):
        world.buy_with(listing, voucher)
    world.buy_with(listing, voucher | {"nonce": 1})


def test_a_revoked_one_is_refused(world: World) -> None:
    listing = world.list()
    voucher = world.voucher(listing, uses=2**32 - 1)
    values = tuple(voucher[field] for field in VOUCHER_FIELDS)
    digest = voucher_digest(world.market, voucher)
    with refused("NotSeller", world.buyer, world.seller):
        world.market.revokeVoucher(values, sender=world.buyer)
    receipt = world.market.revokeVoucher(values, sender=world.seller)
    assert only(receipt, "VoucherRevoked") == {"listing": listing, "digest": digest}
    assert world.market.voucherUses(digest) == REVOKED
    with refused("VoucherSpent"):
        world.buy_with(listing, voucher)


def test_only_the_sellers_signature_counts(world: World) -> None:
    listing = world.list()
    for forger in (world.operator, world.buyer):
        with refused("InvalidSignature", world.seller):
            world.buy_with(listing, world.voucher(listing), signer=forger)
    voucher = world.voucher(listing)
    signature = world.seller.sign(voucher_digest(world.market, voucher))
    with refused("InvalidSignature", world.seller):
        world.buy_with(listing, voucher | {"price": 0}, signature=signature, value=0)
    with refused("InvalidSignature", world.seller):
        world.buy_with(listing, voucher, signature=signature[:-1])


def test_a_seller_may_be_a_contract_wallet(world: World) -> None:
    wallet = world.deploy("ContractWallet", world.friend)
    world.accounts = world.accounts | {"seller": wallet}
    listing = world.list()
    voucher = world.voucher(listing)
    signature = world.friend.sign(voucher_digest(world.market, voucher))
    world.buy_with(listing, voucher, signature=signature)
    with refused("InvalidSignature", wallet):
        world.buy_with(listing, voucher | {"nonce": 1}, signature=signature)


class TestEmptySignature:
    """A contract may approve on chain and sign with nothing: what makes a voucher is the listing that it names."""

    def approving(self, world: World) -> Contract:
        """A wallet that is the seller from now on."""
        wallet = world.deploy("ContractWallet", world.friend)
        world.accounts = world.accounts | {"seller": wallet}
        return wallet

    def test_a_wallet_that_approved_it_on_chain_sells_at_its_price(self, world: World) -> None:
        wallet = self.approving(world)
        token = world.deploy("StandardToken")
        world.give(token, world.buyer)
        listing = world.list(token=token)
        voucher = world.voucher(listing, price=1)
        wallet.approve(voucher_digest(world.market, voucher), sender=world.friend)
        order = world.buy_with(listing, voucher, signature=b"").value
        assert world.order(order)["price"] == world.held(token) == 1

    def test_it_opens_a_closed_listing_and_is_counted(self, world: World) -> None:
        wallet = self.approving(world)
        listing = world.list(open=False)
        voucher = world.voucher(listing, price=0)
        digest = voucher_digest(world.market, voucher)
        wallet.approve(digest, sender=world.friend)
        world.buy_with(listing, voucher, signature=b"")
        assert world.market.voucherUses(digest) == 1
        with refused("VoucherSpent", digest, 1):
            world.buy_with(listing, voucher, signature=b"")

    def test_a_wallet_that_did_not_approve_it_sells_nothing(self, world: World) -> None:
        wallet = self.approving(world)
        listing = world.list()
        with refused("InvalidSignature", wallet):
            world.buy_with(listing, world.voucher(listing), signature=b"")
        with refused("InvalidSignature", wallet):
            world.buy_with(listing, world.voucher(listing), signature=b"", value=ETHER)

    def test_an_account_with_a_key_signs_with_more_than_nothing(self, world: World) -> None:
        listing = world.list()
        for value in (0, ETHER // 2, ETHER):
            with refused("InvalidSignature", world.seller):
                world.buy_with(listing, world.voucher(listing), signature=b"", value=value)

    def test_a_voucher_of_another_listing_is_not_taken_for_none(self, world: World) -> None:
        listing, other = world.list(), world.list()
        with refused("VoucherForOtherListing", listing, other):
            world.buy_with(listing, world.voucher(other), signature=b"", value=ETHER)


class TestNoVoucher:
    def test_of_listing_0_there_is_none_whatever_else_is_given(self, world: World) -> None:
        listing = world.list()
        voucher = world.voucher(0, price=1)
        signature = world.seller.sign(voucher_digest(world.market, voucher))
        with refused("WrongPayment", 1, ETHER):
            world.buy_with(listing, voucher, signature=signature)
        for given in (signature, b""):
            order = world.buy_with(listing, voucher, signature=given, value=ETHER).value
            assert world.order(order)["price"] == ETHER
        assert world.market.voucherUses(voucher_digest(world.market, voucher)) == 0

    def test_it_opens_no_closed_listing(self, world: World) -> None:
        listing = world.list(open=False)
        voucher = world.voucher(0)
        with refused("Closed", listing):
            world.buy_with(listing, voucher, signature=world.seller.sign(voucher_digest(world.market, voucher)))

    def test_the_price_is_the_offers_after_it_changed_too(self, world: World) -> None:
        """An order by voucher keeps the voucher's price; one without keeps that of its version."""
        listing = world.list()
        order = world.buy_with(listing, world.voucher(0), signature=b"", value=ETHER).value
        world.market.changeOffer(listing, (7, True, bytes(32)), sender=world.seller)
        assert world.order(order)["price"] == ETHER
        assert world.order(order)["version"] == 0


def test_terms_round_and_schedule_bind_its_buyer_too(world: World) -> None:
    listing = world.list()
    world.release(listing)
    with refused("RoundMoved", listing, 0, 1):
        world.buy_with(listing, world.voucher(listing), next_round=0)
