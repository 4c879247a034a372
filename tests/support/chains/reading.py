"""What reading the marketplace promises on every chain."""

import random
from itertools import pairwise

from numerbay_chain.chain.contract import MarketplaceContract
from numerbay_chain.chain.encoding import abi, calls, typed_data
from numerbay_chain.chain.identity import deployment
from numerbay_chain.core.errors import RefusedError, RevertedError, UsageError
from numerbay_chain.protocol.types import (
    NATIVE_TOKEN,
    ZERO_ADDRESS,
    CopyDelivery,
    Offer,
    Pot,
    Release,
    Settlement,
    Voucher,
)
from tests.support.chains.stage import GENERATOR_X, PRICE, TERMS, Stage, manifest
from tests.support.codes import fails_with
from tests.support.told import Told


class Reading:
    def test_a_deployment_is_the_code_that_ships(self, stage: Stage) -> None:
        deployment.verify_code(stage.connection, stage.deployment.address)
        assert stage.deployment.chain_id == stage.connection.chain_id
        assert stage.session.listing_count() >= 0

    def test_another_contract_is_not_taken_for_the_marketplace(self, stage: Stage) -> None:
        with fails_with(RefusedError, "contract-unknown"):
            deployment.verify_code(stage.connection, stage.echo)
        for address in (stage.echo, stage.buyer.account):
            with fails_with(UsageError, "contract-unknown", address, stage.connection.chain_id):
                MarketplaceContract(stage.connection, address)

    def test_code_that_differs_in_one_byte_is_noticed(self, stage: Stage) -> None:
        code = bytearray(stage.connection.code(stage.session.address))
        code[100] ^= 1
        with fails_with(RefusedError, "contract-unknown"):
            deployment.verify_code(stage.connection, stage.deploy_code(bytes(code)))

    def test_code_that_signs_for_another_domain_is_noticed(self, stage: Stage) -> None:
        code = bytearray(stage.connection.code(stage.session.address))
        for start, _ in abi.artifact()["immutableReferences"]:
            code[start + 10] ^= 1
        with fails_with(RefusedError, "contract-unknown"):
            deployment.verify_code(stage.connection, stage.deploy_code(bytes(code)))

    def test_a_listing_reads_as_it_was_created(self, stage: Stage) -> None:
        id = stage.new_listing(supply=7, instant=True)
        listing = stage.session.listing(id)
        assert (listing.terms.supply, listing.terms.instant, listing.terms.copies) == (7, True, False)
        assert listing.offer == Offer(PRICE, True, bytes(32))
        assert (listing.seller, listing.operator) == (stage.seller.account, stage.operator.account)
        assert (listing.places_left, listing.terms.adjudicated, listing.next_round) == (7, True, 0)
        stage.seller.send(calls.change_offer(listing=id, offer=Offer(2 * PRICE, False, b"\1" * 32)))
        stage.seller.send(calls.set_operator(listing=id, operator=ZERO_ADDRESS))
        stage.seller.send(calls.set_payout(listing=id, payout=stage.stranger.account))
        changed = stage.session.listing(id)
        assert (changed.version, changed.offer) == (1, Offer(2 * PRICE, False, b"\1" * 32))
        assert (changed.operator, changed.payout) == (ZERO_ADDRESS, stage.stranger.account)
        before = stage.session.at(stage.connection.block_number() - 3).listing(id)
        assert before == listing

    def test_the_terms_compute_as_the_contract_does(self, stage: Stage) -> None:
        choice = random.Random(7)
        for windows in ({}, {"dispute_window": 0, "response_window": 0}, {"dispute_window": 5000, "decline_window": 0}):
            id = stage.new_listing(**windows)
            terms = stage.session.listing(id).terms
            for _ in range(5):
                time = choice.randrange(2**32)
                bucket = stage.session.bucket_at(id, time)
                assert (bucket, stage.session.maturity_of(id, bucket)) == (
                    terms.bucket_at(time),
                    terms.maturity_of(bucket),
                )

    def test_keys_are_read_by_epoch(self, stage: Stage) -> None:
        assert stage.session.current_key(stage.seller.account) is None
        epoch, _ = stage.session.current_key(stage.other_buyer.account) or (0, b"")
        stage.other_buyer.send(calls.register(public_key=b"\7" * 32))
        assert stage.session.current_key(stage.other_buyer.account) == (epoch + 1, b"\7" * 32)
        assert stage.session.key_at(stage.other_buyer.account, 1) == b"\2" * 32
        with fails_with(RevertedError, "no-key") as caught:
            stage.session.key_at(stage.seller.account, 1)
        assert caught.value.name == "NoKey"

    def test_orders_out_of_the_logs_are_the_orders_that_the_contract_holds(self, stage: Stage) -> None:
        id = stage.new_listing(instant=True)
        orders = [stage.order(id, rounds) for rounds in (1, 2, 3, 4, 5)]
        voucher = Voucher(id, ZERO_ADDRESS, 5, 9, 1, 2**40 - 1, 1)
        signature = stage.seller.signer.sign_typed_data(
            typed_data.voucher(stage.connection.chain_id, stage.session.address, voucher)
        )
        terms = {
            "listing": id,
            "version": 0,
            "next_round": 0,
            "out": False,
            "rounds": 2,
            "recipient": stage.other_buyer.account,
        }
        stage.stranger.send(calls.buy_with(**terms, value=10, voucher=voucher, signature=signature))
        stage.release(id)
        stage.buyer.send(calls.decline(order=orders[1], round=0))
        stage.buyer.send(calls.cancel(order=orders[2]))
        stage.buyer.send(calls.cancel(order=orders[3]))
        stage.advance(61)
        stage.buyer.send(calls.reclaim(order=orders[3]))
        stage.seller.send(calls.refund(order=orders[4]))
        stage.buy(id, 2, out=True, recipient=stage.other_buyer.account)
        held = [stage.session.order(order) for order in stage.session.listing(id).order_ids()]
        assert Told(stage.session).orders_of(id) == held
        assert [order.end for order in held] == [1, 0, 2, 1, 1, 2, 2]
        assert [order.id for order in held if order.cancelled_at] == orders[2:4]
        assert held[5].by_voucher
        assert held[5].price == 5
        assert held[6].bucket > 0
        assert held[1].covers(0) is False
        own = [order for order in Told(stage.session).orders_by(stage.buyer.account) if order.listing == id]
        assert own == [order for order in held if order.buyer == stage.buyer.account]

    def test_a_listing_without_orders_has_none(self, stage: Stage) -> None:
        assert Told(stage.session).orders_of(stage.new_listing()) == []
        assert Told(stage.session).orders_by(stage.stranger.account) == []
        for missing in (0, 99_999, 2**40):
            with fails_with(RefusedError, "no-listing", missing):
                Told(stage.session).orders_of(missing)

    def test_releases_and_deliveries_are_read_back(self, stage: Stage) -> None:
        id = stage.new_listing()
        order = stage.order(id, 3)
        receipt = stage.release(id)
        release = Told(stage.session).release(id, 0)
        assert release is not None
        assert (release.manifest, release.block, release.transaction) == (
            manifest(),
            receipt.block,
            receipt.transaction,
        )
        assert release.content_hash == stage.session.hash_of(order, 0)
        assert release.bucket == stage.session.bucket_at(id, release.released_at)
        assert stage.session.pot(id, 0, release.bucket) == Pot(PRICE, released=True)
        assert release.released_at == stage.connection.timestamp(receipt.block) == stage.session.listing(id).last_turn
        stage.advance(61)
        stage.operator.send(calls.skip(listing=id, round=1))
        stage.advance(61)
        stage.operator.send(
            calls.release_and_deliver(listing=id, round=2, manifest=manifest(2), digest=b"\3" * 32, count=1)
        )
        stage.seller.send(calls.deliver(listing=id, round=2, digest=b"\4" * 32, count=2))
        assert [(found.digest[0], found.count) for found in Told(stage.session).deliveries(id, 2)] == [(3, 1), (4, 2)]
        assert [found.round for found in Told(stage.session).releases(id)] == [0, 2]
        assert Told(stage.session).release(id, 1) is None
        assert stage.session.is_missed(id, 1)
        assert not stage.session.is_missed(id, 2)
        stage.stranger.send(calls.refund_missed(order=order, round=1))
        assert stage.session.settled(order, 1) is Settlement.PAID_BACK
        assert stage.session.settled(order, 0) is Settlement.NONE

    def test_copies_are_read_back(self, stage: Stage) -> None:
        id = stage.new_listing(copies=True, decline_window=120, min_interval=120, response_window=120)
        orders = [stage.order(id), stage.order(id)]
        stage.seller.send(calls.release(listing=id, round=0))
        sent = stage.seller.send(
            calls.deliver_copies(listing=id, round=0, orders=orders, hashes=[b"\5" * 32, b"\6" * 32])
        )
        expected = [
            CopyDelivery(order, 0, content_hash, sent.block, sent.transaction)
            for order, content_hash in zip(orders, (b"\5" * 32, b"\6" * 32), strict=True)
        ]
        assert Told(stage.session).copies_of(id, 0) == expected
        assert stage.session.hash_of(orders[1], 0) == b"\6" * 32

    def test_withdrawn_money_and_the_native_coin_are_read(self, stage: Stage) -> None:
        id = stage.new_listing()
        stage.order(id)
        stage.release(id)
        release = Told(stage.session).release(id, 0)
        assert isinstance(release, Release)
        stage.advance(TERMS.maturity_of(release.bucket) - stage.connection.now() + 1)
        held = stage.session.holdings(ZERO_ADDRESS)
        receipt = stage.stranger.send(calls.withdraw(listing=id, rounds=[0], buckets=[release.bucket]))
        event = receipt.event("Withdrawn")
        assert event is not None
        assert (event["amount"], event["payout"]) == (PRICE, stage.seller.account)
        assert stage.session.holdings(ZERO_ADDRESS) == held - PRICE
        assert stage.session.token(ZERO_ADDRESS) == NATIVE_TOKEN
        assert stage.session.credit(stage.buyer.account, ZERO_ADDRESS) == 0

    def test_events_come_in_order_and_as_they_were_asked_for(self, stage: Stage) -> None:
        id = stage.new_listing()
        order = stage.order(id, 2)
        stage.release(id)
        everything = list(Told(stage.session).events())
        assert all((a.block, a.log_index) < (b.block, b.log_index) for a, b in pairwise(everything))
        assert {event.name for event in everything} >= {"KeyRegistered", "ListingCreated", "Bought", "Released"}
        (created,) = Told(stage.session).events(["ListingCreated"], listing=id)
        assert created["terms"] == TERMS
        assert created["offer"] == Offer(PRICE, True, bytes(32))
        assert [
            event.name for event in Told(stage.session).events(["Bought", "Cancelled"], order=[order, order + 1])
        ] == ["Bought"]
        (released,) = Told(stage.session).events(listing=id, names=["Released", "Skipped"], round=0)
        assert released["manifest"] == manifest()
        assert int.from_bytes(released["manifest"][32:64]) == GENERATOR_X
        assert list(Told(stage.session).events(last=released.block - 1, names=["Released"], listing=id)) == []
        assert list(Told(stage.session).events(first=released.block, names=["Bought"], order=order)) == []

    def test_a_filter_that_can_not_be_made_is_refused(self, stage: Stage) -> None:
        with fails_with(UsageError, "usage", "Sold"):
            list(Told(stage.session).events(["Sold"]))
        with fails_with(UsageError, "usage", "Bought", "price"):
            list(Told(stage.session).events(["Bought"], price=1))
        with fails_with(UsageError, "usage", "order", "Bought", "VoucherUsed"):
            list(Told(stage.session).events(["Bought", "VoucherUsed"], order=1))
        with fails_with(UsageError, "usage", 500, 501):
            list(Told(stage.session).events(["Bought"], order=range(501)))

    def test_the_clock_is_the_one_that_the_next_transaction_meets(self, stage: Stage) -> None:
        before = stage.connection.now()
        stage.advance(1000)
        now = stage.connection.now()
        assert now - before >= 1000
        id = stage.new_listing()
        created = next(Told(stage.session).events(["ListingCreated"], listing=id))
        assert now <= stage.connection.timestamp(created.block)
