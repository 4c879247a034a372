"""Who can cheat whom (docs/protocol.md §4): every row that the contract judges, tried by a client that cheats."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.core.errors import DecryptionError, RevertedError
from numerbay_chain.core.home.keyfile import generate
from numerbay_chain.crypto.content_key import Context
from numerbay_chain.crypto.envelopes import open_envelope, seal_envelopes
from numerbay_chain.crypto.secp256k1 import N
from numerbay_chain.protocol.types import Settlement
from tests.support.adversary import Artifact, Dispute, sealed, small_key
from tests.support.chains.purses import Purses
from tests.support.chains.stage import PRICE, TERMS, Stage
from tests.support.told import Told

DECLINE, RESPONSE, PROOF = TERMS.decline_window, TERMS.response_window, TERMS.dispute_window
BOND = PRICE // 10


@contextmanager
def refused(name: str) -> Iterator[None]:
    """By the contract, with this error."""
    with pytest.raises(RevertedError) as error:
        yield
    assert error.value.name == name, error.value


class Cheating:
    """Runs on every chain that has a `stage`."""

    @pytest.fixture
    def purses(self, stage: Stage) -> Iterator[Purses]:
        everybody = (stage.seller, stage.buyer, stage.other_buyer, stage.stranger)
        with Purses(stage.session, *everybody).watching() as watched:
            yield watched

    def release(self, stage: Stage, listing: int, artifact: Artifact, round: int = 0) -> None:
        stage.seller.send(calls.release(listing=listing, round=round, manifest=artifact.manifest.encode()))

    def dispute(self, stage: Stage, artifact: Artifact, bond: int = 0, **terms: int) -> tuple[int, Dispute]:
        """A release that the buyer challenges when its decline window is over."""
        listing = stage.new_listing(**terms)
        order = stage.order(listing)
        self.release(stage, listing, artifact)
        stage.advance(DECLINE)
        dispute = Dispute(stage.session, order)
        dispute.open(stage.buyer, bond)
        return listing, dispute

    def after_the_proof_window(self, stage: Stage, dispute: Dispute) -> None:
        stage.advance(TERMS.proof_deadline(dispute.challenge) + 1 - stage.connection.now())

    def withdraw(self, stage: Stage, listing: int, round: int = 0) -> None:
        release = Told(stage.session).release(listing, round)
        assert release is not None
        stage.seller.send(calls.withdraw(listing=listing, rounds=[round], buckets=[release.bucket]))

    # ---------------------------------------------------------------------------------------------------- the seller

    def test_a_seller_who_takes_the_money_and_releases_nothing_gives_it_back(
        self, stage: Stage, purses: Purses
    ) -> None:
        due = stage.connection.now() + 1000
        listing = stage.new_listing(first_due=due, period=1000)
        order = stage.order(listing, rounds=3)
        stage.advance(1001)

        with refused("Overdue"):
            self.release(stage, listing, sealed())
        stage.stranger.send(calls.skip(listing=listing, round=0))
        stage.stranger.send(calls.refund_missed(order=order, round=0))
        stage.buyer.send(calls.cancel(order=order))
        stage.advance(TERMS.notice_period)
        stage.buyer.send(calls.reclaim(order=order))

        assert (purses.gained(stage.buyer), purses.gained(stage.seller), purses.kept) == (0, 0, 0)

    def test_a_seller_who_releases_garbage_for_many_rounds_at_once_earns_one_at_most(
        self, stage: Stage, purses: Purses
    ) -> None:
        listing = stage.new_listing()
        order = stage.order(listing, rounds=5)
        self.release(stage, listing, sealed())

        with refused("TooEarly"):
            self.release(stage, listing, sealed(), round=1)
        stage.buyer.send(calls.decline(order=order, round=0))

        assert (purses.gained(stage.buyer), purses.kept) == (0, 0)

    def test_a_seller_whose_ciphertext_is_nowhere_is_declined(self, stage: Stage, purses: Purses) -> None:
        listing = stage.new_listing()
        order = stage.order(listing)
        self.release(stage, listing, sealed())  # nothing of it was pinned

        stage.buyer.send(calls.decline(order=order, round=0))
        stage.advance(10 * PROOF)
        with refused("NothingToPay"):
            self.withdraw(stage, listing)

        assert (purses.gained(stage.buyer), purses.gained(stage.seller), purses.kept) == (0, 0, 0)

    def test_a_seller_who_hands_out_no_key_gives_price_and_bond_back(self, stage: Stage, purses: Purses) -> None:
        _, dispute = self.dispute(stage, sealed(), BOND, challenge_bond=BOND)
        assert (purses.gained(stage.buyer), purses.kept) == (-PRICE - BOND, PRICE + BOND)

        with refused("StillOpen"):
            dispute.claim(stage.buyer)
        stage.advance(RESPONSE + 1)
        with refused("TooLate"):
            dispute.answer(stage.seller, sealed())
        dispute.claim(stage.stranger)

        assert (purses.gained(stage.buyer), purses.gained(stage.seller), purses.kept) == (0, 0, 0)
        assert stage.session.settled(dispute.order, 0) == Settlement.PAID_BACK

    @pytest.mark.parametrize("wrong", ["k + 1", "k + n", "n - k", "0", "n"])
    def test_a_seller_who_hands_out_a_wrong_key_gives_price_and_bond_back(
        self, stage: Stage, purses: Purses, wrong: str
    ) -> None:
        artifact = sealed(key=small_key())
        k = int.from_bytes(artifact.key.reveal(), "big")
        scalar = {"k + 1": k + 1, "k + n": k + N, "n - k": N - k, "0": 0, "n": N}[wrong]
        _, dispute = self.dispute(stage, artifact, BOND, challenge_bond=BOND)
        dispute.wrong_answer(stage.seller, artifact, scalar)

        with refused("StillOpen"):
            dispute.settle(stage.seller)
        dispute.prove_key(stage.buyer)

        assert (purses.gained(stage.buyer), purses.gained(stage.seller), purses.kept) == (0, 0, 0)
        with refused("NotTheChallenge"):
            dispute.settle(stage.seller)

    def test_a_seller_who_posts_no_copy_is_declined_or_never_answers(self, stage: Stage, purses: Purses) -> None:
        listing = stage.new_listing(copies=True)
        declined, slept = stage.order(listing), stage.order(listing)
        stage.seller.send(calls.release(listing=listing, round=0))

        stage.buyer.send(calls.decline(order=declined, round=0))
        stage.advance(DECLINE)
        dispute = Dispute(stage.session, slept)
        dispute.open(stage.buyer)
        with refused("WrongManifest"):
            dispute.answer(stage.seller, sealed())
        stage.advance(RESPONSE + 1)
        dispute.claim(stage.buyer)

        assert (purses.gained(stage.buyer), purses.kept) == (0, 0)

    def test_a_seller_whose_file_is_not_what_he_committed_to_pays_every_buyer_back(
        self, stage: Stage, purses: Purses
    ) -> None:
        artifact = sealed(bad_chunk=2)
        listing = stage.new_listing(instant=True)
        orders = [stage.order(listing), stage.order(listing, sender=stage.other_buyer)]
        self.release(stage, listing, artifact)
        late = stage.order(listing, out=True, sender=stage.other_buyer)
        stage.advance(DECLINE)
        challenged = Dispute(stage.session, orders[0])
        challenged.open(stage.buyer)
        challenged.answer(stage.seller, artifact)  # the right key: of a file that is wrong

        self.prove_content(stage.buyer, listing, artifact, 2)
        with refused("Faulty"):
            stage.order(listing, out=True)
        stage.advance(10 * PROOF)
        with refused("Faulty"):
            self.withdraw(stage, listing)
        challenged.settle(stage.stranger)
        for order, bucket in ((orders[1], challenged.bucket), (late, stage.session.order(late).bucket)):
            stage.stranger.send(calls.refund_faulty(order=order, round=0, bucket=bucket))

        # the buyer is the recipient of all three; the other buyer paid for two of them
        assert purses.gained(stage.buyer) == 2 * PRICE
        assert purses.gained(stage.other_buyer) == -2 * PRICE
        assert (purses.gained(stage.seller), purses.kept) == (0, 0)

    def test_a_seller_who_answers_at_once_does_not_outwait_who_did_not_challenge(
        self, stage: Stage, purses: Purses
    ) -> None:
        artifact = sealed(bad_chunk=2)
        stage.advance(600 - stage.connection.now() % 600)  # then the bucket matures long after the release could
        listing, dispute = self.dispute(stage, artifact, dispute_window=2400)
        dispute.answer(stage.seller, artifact)
        maturity = stage.session.maturity_of(listing, dispute.bucket)
        assert dispute.challenge.responded_at + 2400 < maturity - 400
        stage.advance(maturity - 2 - stage.connection.now())

        self.prove_content(stage.buyer, listing, artifact, 2)
        dispute.settle(stage.stranger)

        assert (purses.gained(stage.buyer), purses.gained(stage.seller), purses.kept) == (0, 0, 0)

    def test_a_seller_whose_copy_is_not_what_he_committed_to_pays_its_buyer_back(
        self, stage: Stage, purses: Purses
    ) -> None:
        good, bad = sealed(b"a copy"), sealed(b"another", bad_chunk=0)
        listing = stage.new_listing(copies=True)
        orders = [stage.order(listing), stage.order(listing)]
        stage.seller.send(calls.release(listing=listing, round=0))
        hashes = [good.manifest.content_hash, bad.manifest.content_hash]
        stage.seller.send(calls.deliver_copies(listing=listing, round=0, orders=orders, hashes=hashes))
        release = Told(stage.session).release(listing, 0)
        assert release is not None
        stage.advance(DECLINE)

        with refused("ContentIsRight"):
            self.prove_copy(stage.buyer, orders[0], release.bucket, good, 0)
        self.prove_copy(stage.stranger, orders[1], release.bucket, bad, 0)
        assert purses.gained(stage.buyer) == -PRICE
        stage.advance(10 * PROOF)
        self.withdraw(stage, listing)  # the good copy's money is not frozen

        assert (purses.gained(stage.buyer), purses.gained(stage.seller), purses.kept) == (-PRICE, PRICE, 0)

    def prove_content(self, sender: Sender, listing: int, artifact: Artifact, index: int) -> None:
        proof = artifact.proof(index).encode()
        manifest = artifact.manifest.encode()
        sender.send(calls.prove_wrong_content(listing=listing, round=0, manifest=manifest, proof=proof))

    def prove_copy(self, sender: Sender, order: int, bucket: int, artifact: Artifact, index: int) -> None:
        sender.send(
            calls.prove_wrong_copy(
                order=order,
                round=0,
                bucket=bucket,
                manifest=artifact.manifest.encode(),
                proof=artifact.proof(index).encode(),
            )
        )

    def test_a_seller_who_raises_the_price_in_front_of_a_purchase_sells_nothing(self, stage: Stage) -> None:
        listing = stage.new_listing()
        seen = stage.purchase(listing)
        offer = stage.session.listing(listing).offer
        dearer = type(offer)(2 * offer.price, True, offer.details)
        stage.seller.send(calls.change_offer(listing=listing, offer=dearer))

        with refused("TermsChanged"):
            stage.buyer.send(seen)

    def test_a_seller_who_releases_in_front_of_a_purchase_sells_nothing(self, stage: Stage) -> None:
        listing = stage.new_listing(instant=True)
        seen = stage.purchase(listing)
        self.release(stage, listing, sealed())

        with refused("RoundMoved"):
            stage.buyer.send(seen)

    def test_a_seller_who_passes_off_another_sellers_file_is_convicted(self, stage: Stage, purses: Purses) -> None:
        stolen = sealed()  # its manifest is public, its key is not
        _, victim = self.dispute(stage, stolen)
        answer = victim.response(stolen.key)
        victim.respond(stage.seller, stolen.manifest, answer)
        _, thief = self.dispute(stage, stolen)

        # All that the thief has is what the owner answered elsewhere. The mask says for whom it was.
        thief.respond(stage.seller, stolen.manifest, answer)
        thief.prove_key(stage.buyer)

        assert stage.session.settled(thief.order, 0) == Settlement.PAID_BACK
        assert purses.gained(stage.buyer) == -PRICE, "the first dispute is open"
        self.after_the_proof_window(stage, victim)
        victim.settle(stage.seller)

    def test_an_envelope_of_another_seller_passed_off_as_ones_own_opens_for_nobody(self, stage: Stage) -> None:
        artifact, pair = sealed(), generate()
        marketplace = bytes.fromhex(stage.session.address.removeprefix("0x"))
        owners = Context(stage.connection.chain_id, marketplace, 1, 0)
        thiefs = Context(stage.connection.chain_id, marketplace, 2, 0)
        record = seal_envelopes(artifact.key, owners, [(1 << 32, pair.public_key)])

        opened = open_envelope(record, pair.reveal_private_key(), owners, 1 << 32, artifact.key.commitment)
        assert opened.reveal() == artifact.key.reveal()
        moved = (2 << 32).to_bytes(8, "big") + record[8:]
        with pytest.raises(DecryptionError):
            open_envelope(moved, pair.reveal_private_key(), thiefs, 2 << 32, artifact.key.commitment)

    def test_a_seller_who_asks_for_a_large_bond_is_given_a_tenth_of_the_price(
        self, stage: Stage, purses: Purses
    ) -> None:
        artifact = sealed()
        with refused("WrongPayment"):
            self.dispute(stage, artifact, PRICE, challenge_bond=PRICE)
        _, dispute = self.dispute(stage, artifact, BOND, challenge_bond=PRICE)
        dispute.answer(stage.seller, artifact)
        self.after_the_proof_window(stage, dispute)
        dispute.settle(stage.seller)

        assert purses.gained(stage.seller) == PRICE + BOND

    # ----------------------------------------------------------------------------------------------------- the buyer

    def test_a_buyer_who_cancels_in_front_of_a_release_still_owes_it(self, stage: Stage, purses: Purses) -> None:
        listing = stage.new_listing()
        order = stage.order(listing, rounds=3)
        stage.buyer.send(calls.cancel(order=order))
        self.release(stage, listing, sealed())
        stage.advance(TERMS.notice_period)

        with refused("NothingLeft"):
            stage.buyer.send(calls.reclaim(order=order))
        stage.advance(10 * PROOF)
        self.withdraw(stage, listing)

        assert (purses.gained(stage.buyer), purses.gained(stage.seller)) == (-PRICE, PRICE)

    def test_a_buyer_who_declines_is_out_and_can_challenge_nothing(self, stage: Stage, purses: Purses) -> None:
        listing = stage.new_listing()
        order = stage.order(listing, rounds=3)
        self.release(stage, listing, sealed())
        stage.buyer.send(calls.decline(order=order, round=0))

        with refused("NotCovered"):
            stage.buyer.send(calls.decline(order=order, round=0))
        stage.advance(DECLINE)
        with refused("NotCovered"):
            Dispute(stage.session, order).open(stage.buyer)
        assert (purses.gained(stage.buyer), purses.kept) == (0, 0)

    def test_a_buyer_who_challenges_although_all_is_well_loses_the_bond(self, stage: Stage, purses: Purses) -> None:
        artifact = sealed()
        listing, dispute = self.dispute(stage, artifact, BOND, challenge_bond=BOND)
        dispute.answer(stage.operator, artifact)

        with refused("KeyIsRight"):
            dispute.prove_key(stage.buyer)
        with refused("NotTheDisputeKey"):
            dispute.prove_key(stage.buyer, N - dispute.secret.reveal())
        with refused("ContentIsRight"):
            self.prove_content(stage.buyer, listing, artifact, 2)
        with refused("AlreadySettled"):
            Dispute(stage.session, dispute.order).open(stage.buyer, BOND)
        self.after_the_proof_window(stage, dispute)
        with refused("TooLate"):
            dispute.prove_key(stage.buyer)
        dispute.settle(stage.stranger)

        assert (purses.gained(stage.buyer), purses.gained(stage.seller)) == (-PRICE - BOND, PRICE + BOND)
        assert purses.kept == 0

    def test_a_buyer_who_rotates_the_key_leaves_the_key_of_the_order_as_it_was(self, stage: Stage) -> None:
        listing = stage.new_listing()
        order = stage.order(listing)
        epoch = stage.session.order(order).epoch
        key = stage.session.key_at(stage.buyer.account, epoch)
        stage.buyer.send(calls.register(public_key=b"\x77" * 32, backup=b""))

        assert stage.session.current_key(stage.buyer.account) == (epoch + 1, b"\x77" * 32)
        assert stage.session.order(order).epoch == epoch
        assert stage.session.key_at(stage.buyer.account, epoch) == key != b"\x77" * 32
