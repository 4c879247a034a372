"""What sending to the marketplace promises on every chain."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from numerbay_chain.chain import tokens
from numerbay_chain.chain.encoding import calls, typed_data
from numerbay_chain.chain.encoding.sentences import sentence
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import LocalSigner
from numerbay_chain.core.errors import AccountError, RefusedError, RevertedError, UsageError, kebab
from numerbay_chain.core.units import format_amount, parse_amount
from numerbay_chain.protocol.types import ZERO_ADDRESS, Offer, Permit, Token, Voucher
from tests.support.chains.stage import PRICE, TERMS, Stage, answering, manifest
from tests.support.codes import fails_with
from tests.support.told import Told

FOREVER = 2**40 - 1
Refused = Callable[[Stage], object]


def voucher_of(stage: Stage, listing: int, /, **changes: int | str) -> tuple[Voucher, bytes]:
    voucher = replace(Voucher(listing, ZERO_ADDRESS, 7, 12, 1, FOREVER, 0), **changes)  # type: ignore[arg-type]  # by name
    message = typed_data.voucher(stage.connection.chain_id, stage.session.address, voucher)
    return voucher, stage.seller.signer.sign_typed_data(message)


def with_voucher(stage: Stage, listing: int, voucher: Voucher, signature: bytes) -> calls.Call:
    plain = stage.purchase(listing)
    return calls.buy_with(
        listing=listing,
        version=plain.arguments["version"],
        next_round=plain.arguments["nextRound"],
        out=False,
        rounds=1,
        recipient=stage.buyer.account,
        value=voucher.price,
        voucher=voucher,
        signature=signature,
    )


def use_voucher(stage: Stage, times: int = 1, **changes: int | str) -> None:
    listing = stage.new_listing()
    voucher, signature = voucher_of(stage, listing, **changes)
    for _ in range(times):
        stage.buyer.send(with_voucher(stage, listing, voucher, signature))


def buy_after(stage: Stage, offer: Offer) -> None:
    listing = stage.new_listing()
    call = stage.purchase(listing)
    stage.seller.send(calls.change_offer(listing=listing, offer=offer))
    stage.buyer.send(call)


def buy_twice(stage: Stage) -> None:
    listing = stage.new_listing(supply=1)
    stage.buy(listing)
    stage.buy(listing)


def cancel_twice(stage: Stage) -> None:
    order = stage.order(stage.new_listing())
    stage.buyer.send(calls.cancel(order=order))
    stage.buyer.send(calls.cancel(order=order))


def release_twice(stage: Stage) -> None:
    listing = stage.new_listing()
    stage.release(listing)
    stage.release(listing)


def withdraw_early(stage: Stage) -> None:
    listing = stage.new_listing()
    stage.order(listing)
    stage.release(listing)
    release = Told(stage.session).release(listing, 0)
    assert release is not None
    stage.seller.send(calls.withdraw(listing=listing, rounds=[0], buckets=[release.bucket]))


REFUSALS: dict[str, Refused] = {
    "NoListing": lambda s: s.session.listing(9_999),
    "NoOrder": lambda s: s.session.order(9_999 << 32),
    "NotSeller": lambda s: s.buyer.send(calls.set_payout(listing=s.new_listing(), payout=s.buyer.account)),
    "NotOperator": lambda s: s.buyer.send(calls.skip(listing=s.new_listing(), round=0)),
    "NotBuyer": lambda s: s.seller.send(calls.cancel(order=s.order(s.new_listing()))),
    "TermOutOfBounds": lambda s: s.new_listing(notice_period=1),
    "CopiesNeedDeclineWindow": lambda s: s.new_listing(copies=True, decline_window=0),
    "InvalidReceiver": lambda s: s.seller.send(calls.set_payout(listing=s.new_listing(), payout=ZERO_ADDRESS)),
    "NotAToken": lambda s: s.new_listing(token=s.buyer.account),
    "Closed": lambda s: s.buy(s.new_listing(open=False)),
    "SoldOut": buy_twice,
    "TermsChanged": lambda s: buy_after(s, Offer(1, True)),
    "RoundMoved": lambda s: s.buy(s.new_listing(), next_round=3),
    "NotInstant": lambda s: s.buy(s.new_listing(), out=True),
    "RoundsOutOfBounds": lambda s: s.buy(s.new_listing(), 13),
    "WrongPayment": lambda s: s.buy(s.new_listing(), value=5),
    "NoKey": lambda s: s.buy(s.new_listing(), recipient=s.stranger.account),
    "VoucherSpent": lambda s: use_voucher(s, times=2),
    "VoucherExpired": lambda s: use_voucher(s, deadline=1),
    "VoucherNotYours": lambda s: use_voucher(s, buyer=s.stranger.account),
    "VoucherForOtherListing": lambda s: use_voucher(s, listing=1 << 20),
    "NotNextRound": release_twice,
    "InvalidManifest": lambda s: s.seller.send(
        calls.release(listing=s.new_listing(), round=0, manifest=manifest()[:-1])
    ),
    "ManifestNotWanted": lambda s: s.release(s.new_listing(copies=True)),
    "NotReleased": lambda s: s.seller.send(calls.deliver(listing=s.new_listing(), round=0, digest=b"\1" * 32, count=1)),
    "NotCovered": lambda s: s.session.hash_of(s.order(s.new_listing()), 5),
    "AlreadyCancelled": cancel_twice,
    "NotCancelled": lambda s: s.buyer.send(calls.reclaim(order=s.order(s.new_listing()))),
    "NotMatured": withdraw_early,
    "NothingToPay": lambda s: s.buyer.send(calls.collect(token=ZERO_ADDRESS, to=s.buyer.account)),
    "SmallOrderKey": lambda s: s.buyer.send(calls.register(public_key=bytes(32))),
    "SignatureExpired": lambda s: s.buyer.send(
        calls.register_for(owner=s.seller.account, public_key=b"\1" * 32, deadline=1, signature=b"\1" * 65)
    ),
    "InvalidSignature": lambda s: s.buyer.send(
        calls.register_for(owner=s.seller.account, public_key=b"\1" * 32, deadline=FOREVER, signature=b"\1" * 65)
    ),
}


class Sending:
    @pytest.mark.parametrize("name", REFUSALS)
    def test_a_custom_error_becomes_a_sentence_and_nothing_is_sent(self, stage: Stage, name: str) -> None:
        with fails_with(RevertedError, kebab(name)) as caught:
            REFUSALS[name](stage)
        assert caught.value.name == name
        assert (str(caught.value), caught.value.hint) == sentence(name, caught.value.arguments)
        assert caught.value.hint
        assert caught.value.transaction is None

    def test_a_plan_sends_nothing(self, stage: Stage) -> None:
        listing = stage.new_listing()
        block, nonce = stage.connection.block_number(), stage.connection.transaction_count(stage.buyer.account)
        plan = stage.buyer.plan(stage.purchase(listing, 2))
        assert (plan.function, plan.value) == ("buy", 2 * PRICE)
        assert plan.arguments["rounds"] == 2
        assert stage.connection.block_number() == block
        assert stage.connection.transaction_count(stage.buyer.account) == nonce
        gas_used = stage.buy(listing, 2).gas_used
        assert gas_used <= plan.gas <= 2 * gas_used
        assert plan.fee >= plan.gas

    def test_a_receipt_accounts_for_every_wei(self, stage: Stage) -> None:
        listing = stage.new_listing()
        before = stage.connection.balance(stage.buyer.account)
        receipt = stage.buy(listing, 3)
        assert stage.connection.balance(stage.buyer.account) == before - 3 * PRICE - receipt.fee
        assert [event.name for event in receipt.events] == ["Bought"]
        assert stage.connection.balance(stage.buyer.account, receipt.block - 1) == before

    def test_missing_money_names_what_there_is_and_what_is_needed(self, stage: Stage) -> None:
        poor = Sender(stage.connection, LocalSigner.from_key(b"\x2a" * 32), stage.session.address)
        listing = stage.new_listing()
        call = stage.purchase(listing)
        with fails_with(AccountError, "insufficient-funds", "0 ETH", "0.001 ETH"):
            poor.send(call)
        stage.resume(stage.stranger, stage.sign(stage.stranger, to=poor.account, value=PRICE + 10**13))
        with fails_with(AccountError, "insufficient-funds", "0.00101 ETH", "0.001 ETH"):
            poor.send(call)

    def test_a_number_that_does_not_fit_is_refused_by_name(self, stage: Stage) -> None:
        with fails_with(UsageError, "out-of-range", "price", "uint88"):
            stage.seller.send(calls.change_offer(listing=1, offer=Offer(2**88, True)))
        with fails_with(UsageError, "out-of-range", "round", "-1"):
            stage.seller.send(calls.skip(listing=1, round=-1))
        with fails_with(UsageError, "out-of-range", "publicKey", "bytes32"):
            stage.buyer.send(calls.register(public_key=b"\1" * 33))
        with fails_with(UsageError, "out-of-range", "offer", "tuple"):
            stage.seller.send(calls.change_offer(listing=1, offer=None))  # type: ignore[arg-type]  # what is refused

    # ------------------------------------------------------------------------------------------- what a journal needs

    def test_the_signed_transaction_is_told_before_the_node_knows_it(self, stage: Stage) -> None:
        listing, told = stage.new_listing(), []

        def before_broadcast(transaction: str, raw: bytes) -> None:
            told.append((transaction, raw, stage.buyer.lookup(transaction)))

        receipt = stage.buyer.send(stage.purchase(listing), before_broadcast)
        ((transaction, raw, known),) = told
        assert known is None
        assert receipt.transaction == transaction
        assert stage.buyer.lookup(transaction) == receipt
        assert stage.buyer.resume(raw) == receipt
        assert stage.session.listing(listing).orders == 1

    def test_one_that_died_before_sending_is_resumed_and_paid_once(self, stage: Stage) -> None:
        listing, told = stage.new_listing(), []

        def die(transaction: str, raw: bytes) -> None:
            told.append(raw)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stage.buyer.send(stage.purchase(listing), die)
        assert stage.session.listing(listing).orders == 0
        receipt = stage.buyer.resume(told[0])
        assert receipt is not None
        assert stage.buyer.resume(told[0]) == receipt
        assert stage.session.listing(listing).orders == 1

    def test_one_whose_nonce_was_used_can_never_be_mined(self, stage: Stage) -> None:
        listing = stage.new_listing()
        raw = stage.sign(stage.buyer, to=stage.stranger.account)
        stage.buy(listing)
        assert stage.buyer.resume(raw) is None

    def test_somebody_elses_transaction_is_not_resumed(self, stage: Stage) -> None:
        raw = stage.sign(stage.buyer, to=stage.stranger.account)
        for sender, bytes_ in (
            (stage.seller, raw),
            (stage.buyer, raw[:-1]),
            (stage.buyer, b"\xc0"),
            (stage.buyer, b""),
        ):
            with fails_with(UsageError, "bad-transaction"):
                sender.resume(bytes_)

    def test_a_transaction_that_was_mined_and_reverted_says_why(self, stage: Stage) -> None:
        raw = stage.sign(stage.buyer, to=stage.echo, data=encode(["uint256"], [1]))
        with fails_with(RevertedError, "reverted", "0x00000000") as caught:
            stage.buyer.resume(raw)
        assert caught.value.transaction is not None
        with pytest.raises(RevertedError):
            stage.buyer.lookup(caught.value.transaction)

    def test_a_transaction_that_ran_out_of_gas_says_so(self, stage: Stage) -> None:
        from numerbay_chain.chain.encoding import abi

        data = abi.encode_call(calls.register(public_key=b"\1" * 32))
        raw = stage.sign(stage.buyer, to=stage.session.address, data=data, gas=30_000)
        with fails_with(RevertedError, "out-of-gas") as caught:
            stage.buyer.resume(raw)
        assert caught.value.transaction is not None

    # ---------------------------------------------------------------------------------------- signatures and tokens

    def test_a_voucher_opens_a_closed_listing_at_its_own_price(self, stage: Stage) -> None:
        listing = stage.new_listing(open=False)
        voucher, signature = voucher_of(stage, listing)
        digest = stage.session.voucher_digest(voucher)
        assert stage.session.voucher_uses(digest) == 0
        stage.buyer.send(with_voucher(stage, listing, voucher, signature))
        assert stage.session.voucher_uses(digest) == 1
        assert Told(stage.session).orders_of(listing)[0].price == 7
        stage.seller.send(calls.revoke_voucher(voucher=voucher))
        assert stage.session.voucher_uses(digest) == 2**256 - 1

    def test_a_key_is_registered_by_somebody_else_with_a_signature(self, stage: Stage) -> None:
        signer = LocalSigner.from_key(b"\x2b" * 32)
        nonce = stage.session.registration_nonce(signer.address)
        message = typed_data.registration(
            stage.connection.chain_id,
            stage.session.address,
            owner=signer.address,
            public_key=b"\3" * 32,
            backup=b"secret",
            nonce=nonce,
            deadline=FOREVER,
        )
        call = calls.register_for(
            owner=signer.address,
            public_key=b"\3" * 32,
            backup=b"secret",
            deadline=FOREVER,
            signature=signer.sign_typed_data(message),
        )
        stage.stranger.send(call)
        assert stage.session.current_key(signer.address) == (1, b"\3" * 32)
        with fails_with(RevertedError, "invalid-signature"):
            stage.stranger.send(call)

    def test_an_allowance_is_exact_and_asked_for_only_where_it_is_short(self, stage: Stage) -> None:
        token = stage.deploy_contract("StandardToken")
        listing = stage.new_listing(token=token)
        with fails_with(AccountError, "insufficient-funds", "0 units of STD", PRICE):
            stage.buyer.approve(token, PRICE)
        stage.mint(token, stage.buyer.account, 5 * PRICE)
        with fails_with(RevertedError, "erc20-insufficient-allowance", 0, PRICE) as caught:
            stage.buy(listing)
        assert caught.value.name == "ERC20InsufficientAllowance"
        assert stage.buyer.approve(token, PRICE) is not None
        assert tokens.allowance(stage.connection, token, stage.buyer.account, stage.session.address) == PRICE
        assert stage.buyer.approve(token, PRICE) is None
        assert stage.buyer.approve(token, 2 * PRICE) is not None
        stage.buy(listing, 2)
        assert stage.session.holdings(token) == 2 * PRICE
        assert tokens.allowance(stage.connection, token, stage.buyer.account, stage.session.address) == 0

    def test_a_token_that_returns_nothing_is_approved_too(self, stage: Stage) -> None:
        token = stage.deploy_contract("SilentToken")
        stage.mint(token, stage.buyer.account, PRICE)
        listing = stage.new_listing(token=token)
        stage.buyer.approve(token, PRICE)
        stage.buy(listing)
        assert stage.session.holdings(token) == PRICE

    def test_a_token_that_only_says_it_approved_is_refused(self, stage: Stage) -> None:
        # it answers 1 to everything: to the balance, to the allowance, and to approve
        token = stage.deploy_code(answering(encode(["uint256"], [1])))
        with fails_with(AccountError, "insufficient-funds", 1, 2):
            stage.buyer.approve(token, 2)
        assert stage.buyer.approve(token, 1) is None

    def test_a_token_that_takes_a_fee_is_refused_by_name(self, stage: Stage) -> None:
        token = stage.deploy_contract("FeeToken")
        stage.mint(token, stage.buyer.account, PRICE)
        stage.transact(stage.seller, token, "setFeePercent(uint256)", 10)
        listing = stage.new_listing(token=token)
        stage.buyer.approve(token, PRICE)
        with fails_with(RevertedError, "token-took-fee", PRICE) as caught:
            stage.buy(listing)
        assert caught.value.name == "TokenTookFee"

    def test_a_permit_pays_without_an_allowance_of_its_own(self, stage: Stage) -> None:
        token = stage.deploy_contract("StandardToken")
        stage.mint(token, stage.buyer.account, PRICE)
        listing = stage.new_listing(token=token)
        permit = tokens.sign_permit(
            stage.connection, stage.buyer.signer, token, stage.session.address, PRICE, stage.connection.now() + 600
        )
        call = calls.buy_with(
            listing=listing,
            version=0,
            next_round=0,
            out=False,
            rounds=1,
            recipient=stage.buyer.account,
            value=0,
            permit=permit,
        )
        stage.buyer.send(call)
        assert stage.session.holdings(token) == PRICE

    def test_a_token_without_permits_says_so(self, stage: Stage) -> None:
        token = stage.deploy_contract("SilentToken")
        with fails_with(RefusedError, "no-permits", token):
            tokens.sign_permit(stage.connection, stage.buyer.signer, token, stage.session.address, 1, FOREVER)

    @pytest.mark.parametrize(
        ("answer", "symbol"),
        [
            (encode(["string"], ["GOOD"]), "GOOD"),
            (b"MKR".ljust(32, b"\0"), "MKR"),
            (encode(["string"], ["A\x1b[31mB\n"]), "A\\u001b[31mB\\u000a"),
            (encode(["string"], [41 * "C"]), None),
            (encode(["string"], [40 * "C"]), 40 * "C"),
            (encode(["string"], ["1INCH"]), "1INCH"),
            (encode(["string"], [7 * "\u65e5"]), 7 * "\\u65e5"),
            (encode(["string"], ["000"]), "\\u0030\\u0030\\u0030"),
            (encode(["string"], [",5"]), "\\u002c\\u0035"),
            (encode(["string"], ["USD\u20ae0"]), "USD\\u20ae0"),
            (encode(["string"], ["\u0441\u0442ETH"]), "\\u0441\\u0442ETH"),
            (encode(["string"], ["USDC "]), "USDC\\u0020"),
            (encode(["string"], ["USDC\u200b"]), "USDC\\u200b"),
            (encode(["string"], ["USD\\u20ae0"]), "USD\\u005cu20ae0"),
            (encode(["string"], ["\U0001f680"]), "\\U0001f680"),
            (encode(["string"], ["ETH"]), None),
            (encode(["string"], ["Ether"]), None),
            (encode(["string"], ["\u0395\u03a4\u0397"]), "\\u0395\\u03a4\\u0397"),
            (encode(["string"], [""]), None),
            (encode(["bytes"], [b"US\xffDC"]), "US\\udcffDC"),
            (encode(["uint256", "uint256"], [2**255, 2**255]), None),
            (encode(["uint256", "uint256"], [32, 2**64]), None),
            (5000 * b"A", None),
            (b"", None),
        ],
    )
    def test_what_a_token_calls_itself_is_fit_to_be_read_and_passes_for_no_other(
        self, stage: Stage, answer: bytes, symbol: str | None
    ) -> None:
        address = stage.deploy_code(answering(answer))
        expected = symbol or f"token-{address[:8]}"
        assert tokens.read_token(stage.connection, address) == Token(address, expected, 0)
        assert parse_amount(format_amount(15, expected, 1), 1, expected) == 15

    def test_a_real_tokens_name_and_decimals_are_taken(self, stage: Stage) -> None:
        token = stage.deploy_contract("StandardToken")
        assert stage.session.token(token.lower()) == Token(token, "STD", 18)

    def test_a_token_that_refuses_to_speak_has_no_decimals(self, stage: Stage) -> None:
        assert tokens.read_token(stage.connection, stage.echo) == Token(stage.echo, f"token-{stage.echo[:8]}", 0)

    def test_an_unused_permit_stays_out_of_sight(self) -> None:
        permit = Permit(1, 2, 27, b"\x11" * 32, b"\x22" * 32)
        assert "11" not in repr(permit)
        assert TERMS.native
