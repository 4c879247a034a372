// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IDisputes} from "../../../contracts/interfaces/IDisputes.sol";
import {IMarketplaceTypes} from "../../../contracts/interfaces/IMarketplaceTypes.sol";
import {Marketplace} from "../../../contracts/Marketplace.sol";
import {Checks} from "./Vm.sol";

/// @title A token that only knows what the marketplace has of it
contract Purse {
    uint256 public held;

    function transferFrom(address, address, uint256 amount) external returns (bool) {
        held += amount;
        return true;
    }

    function transfer(address, uint256 amount) external returns (bool) {
        held -= amount;
        return true;
    }

    function balanceOf(address) external view returns (uint256) {
        return held;
    }
}

/// @title A marketplace that adds up what it owes, from its orders and pots alone
contract OpenMarketplace is Marketplace {
    function owed(uint256 id, uint256 rounds, uint256 firstBucket, uint256 buckets)
        external
        view
        returns (uint256 sum)
    {
        ListingData storage listing = _listings[id];
        for (uint256 index = 0; index < listing.book.orders; ++index) {
            sum += _owedTo(id << 32 | index, listing);
        }
        for (uint256 round = 0; round < rounds; ++round) {
            for (uint256 bucket = firstBucket; bucket < firstBucket + buckets; ++bucket) {
                sum += listing.pots[round][bucket].amount;
            }
        }
    }

    /// @dev Rounds to come, missed rounds that were not paid back, and challenges, whose bond is known: a tenth of the price.
    function _owedTo(uint256 order, ListingData storage listing) private view returns (uint256 sum) {
        OrderData memory data = _orders[order];
        uint88 price = _priceOf(order, data, listing);
        for (uint256 round = data.first; round < _endOf(data); ++round) {
            if (round >= listing.book.nextRound) sum += price;
            else if (_settlementOf(order, round) == Settlement.Challenged) sum += uint256(price) + price / 10;
            else if (listing.marks[round] == MISSED && _settlementOf(order, round) == Settlement.None) sum += price;
        }
    }

    /// @dev As if it had been proven.
    function mark(uint256 listing, uint256 round) external {
        _listings[listing].marks[round] = block.timestamp;
        _listings[listing].till.faulty = true;
    }
}

/// @title A marketplace in the middle of its work, and what people may do there
/// @dev One listing (decline window 600 s, dispute window 4,096 s, so buckets of 1,024 s, bond), two orders of two rounds and of
/// one, round 0 released.
abstract contract Busy is Checks {
    uint256 internal constant BEGIN = 1_800_000_000;
    uint256 internal constant LISTING = 1;
    uint8 internal constant CALLS = 15;
    bytes private constant MANIFEST = abi.encode(1, 7, 0, 0, 0, 0, 0, 0, 0);
    address private constant SELLER = address(0x5e11e5);
    address private constant PAYOUT = address(0x9a4007);
    address private constant BUYER = address(0xb0b);
    address private constant OTHER = address(0x07e4);

    Purse internal _purse;
    OpenMarketplace internal _market;
    uint256 internal _bucket;
    uint88 private _price;
    mapping(uint256 order => IDisputes.Challenge) private _challenges;

    function setUp() public {
        VM.warp(BEGIN);
        _purse = new Purse();
        _market = new OpenMarketplace();
    }

    function _begin(uint88 price) internal {
        VM.assume(price >= 10 && price < 2 ** 80);
        _price = price;
        IMarketplaceTypes.Terms memory terms;
        (terms.token, terms.maxRounds, terms.minInterval, terms.noticePeriod) = (address(_purse), 9, 3600, 60);
        (terms.declineWindow, terms.disputeWindow, terms.responseWindow) = (600, 4096, 600);
        terms.challengeBond = type(uint88).max;
        VM.prank(SELLER);
        _market.createListing(terms, IMarketplaceTypes.Offer(price, true, 0), address(0), PAYOUT);
        _buy(BUYER, 2);
        _buy(OTHER, 1);
        VM.prank(SELLER);
        _market.release(LISTING, 0, MANIFEST);
        _bucket = _market.bucketAt(LISTING, BEGIN);
    }

    function _buy(address buyer, uint256 rounds) private {
        VM.prank(buyer);
        _market.register(bytes32(uint256(9)), "");
        VM.prank(buyer);
        _market.buy(LISTING, 0, 0, false, rounds, buyer);
    }

    function _orderOf(bool first) internal pure returns (uint256) {
        return LISTING << 32 | (first ? 0 : 1);
    }

    /// @dev One call that somebody makes, now, within the windows or when they are all over; reverts where the marketplace does.
    function _act(uint8 what, bool first, uint8 time) internal {
        VM.assume(what < CALLS && time < 3);
        VM.assume(block.timestamp <= BEGIN + 4000 || time == 2);
        if (time == 1 && block.timestamp < BEGIN + 4000) VM.warp(BEGIN + 4000);
        if (time == 2) VM.warp(BEGIN + 9000);
        if (what == 0) _market.mark(LISTING, 0);
        else if (what <= 5) _actAsSeller(what, _orderOf(first));
        else _actAsBuyer(what, _orderOf(first), first ? BUYER : OTHER);
    }

    function _actAsSeller(uint8 what, uint256 order) private {
        IDisputes.Challenge memory challenge = _challenges[order];
        VM.prank(SELLER);
        if (what == 1) _market.refund(order);
        else if (what == 2) _market.refundRound(order, 0, _bucket);
        else if (what == 3) _market.skip(LISTING, 1);
        else if (what == 4) _market.release(LISTING, 1, MANIFEST);
        else _market.respond(order, 0, challenge, MANIFEST, 6, 0);
        if (what == 5) {
            (challenge.respondedAt, challenge.responseKey) = (uint40(block.timestamp), 6);
            challenge.keyCommitment = 7;
            _keep(order, challenge);
        }
    }

    function _actAsBuyer(uint8 what, uint256 order, address buyer) private {
        IDisputes.Challenge memory challenge = _challenges[order];
        uint256[] memory rounds = new uint256[](1);
        uint256[] memory buckets = new uint256[](1);
        buckets[0] = _bucket;
        VM.prank(buyer);
        if (what == 6) _market.withdraw(LISTING, rounds, buckets);
        else if (what == 7) _market.challenge(order, 0, _bucket, 5);
        else if (what == 8) _market.reclaim(order);
        else if (what == 9) _market.refundMissed(order, 1);
        else if (what == 10) _market.refundFaulty(order, 0, _bucket);
        else if (what == 11) _market.decline(order, 0);
        else if (what == 12) _market.cancel(order);
        else if (what == 13) _market.claimTimeout(order, 0, challenge);
        else _market.settleChallenge(order, 0, challenge);
        if (what == 7) {
            (challenge.disputeKey, challenge.bucket) = (5, uint32(_bucket));
            (challenge.price, challenge.bond, challenge.challengedAt) = (_price, _price / 10, uint40(block.timestamp));
            _keep(order, challenge);
        }
    }

    /// @dev To halmos, keccak256 may well be 3: nobody will ever meet a hash that reads as one of the settlements.
    function _keep(uint256 order, IDisputes.Challenge memory challenge) private {
        VM.assume(_market.challengeOf(order, 0) != 0);
        _challenges[order] = challenge;
    }

    function _agree() internal view {
        assert(_purse.held() == _market.owed(LISTING, 2, _bucket, 10));
    }
}

/// @title Whatever call is made, when and at whatever price: what is held is what is owed
contract SolvencySymbolic is Busy {
    function check_one_call(uint88 price, uint8 what, bool first, uint8 time) external {
        _begin(price);
        _agree();
        _act(what, first, time);
        _agree();
    }

    /// @dev A pot can be withdrawn once it has matured, unless its round was marked before that.
    function check_frozen_pots_stay(uint88 price, bool marked, uint40 faultyAt, uint40 moment) external {
        _begin(price);
        uint256 maturity = _market.maturityOf(LISTING, _bucket);
        VM.assume(faultyAt >= BEGIN && moment >= faultyAt);
        VM.warp(faultyAt);
        if (marked) _market.mark(LISTING, 0);
        VM.warp(moment);
        uint256[] memory rounds = new uint256[](1);
        uint256[] memory buckets = new uint256[](1);
        buckets[0] = _bucket;
        try _market.withdraw(LISTING, rounds, buckets) {
            assert(moment >= maturity && (!marked || faultyAt >= maturity));
        } catch {
            assert(moment < maturity || (marked && faultyAt < maturity));
        }
    }

    /// @dev And just those are the buyers', for good.
    function check_frozen_pots_are_the_buyers(uint88 price, bool marked, uint40 faultyAt, uint40 moment) external {
        _begin(price);
        uint256 maturity = _market.maturityOf(LISTING, _bucket);
        VM.assume(faultyAt >= BEGIN && moment >= faultyAt);
        VM.warp(faultyAt);
        if (marked) _market.mark(LISTING, 0);
        VM.warp(moment);
        try _market.refundFaulty(_orderOf(true), 0, _bucket) {
            assert(marked && faultyAt < maturity);
        } catch {
            assert(!marked || faultyAt >= maturity);
        }
    }

    // What is false, so that nobody takes a state that can't be reached for a proof: halmos has to find these out.

    function check_false_nobody_is_ever_paid_by_a_challenge(uint88 price) external {
        _begin(price);
        _act(7, true, 1);
        _act(13, true, 2);
        assert(false);
    }

    function check_false_no_challenge_is_ever_settled(uint88 price) external {
        _begin(price);
        _act(7, true, 1);
        _act(5, true, 1);
        _act(14, true, 2);
        assert(false);
    }

    function check_false_nobody_ever_withdraws(uint88 price) external {
        _begin(price);
        _act(6, true, 2);
        assert(false);
    }

    function check_false_nobody_is_ever_refunded(uint88 price) external {
        _begin(price);
        _act(0, true, 0);
        _act(10, true, 1);
        assert(false);
    }
}

/// @title Whatever two calls are made, in whatever order; and any call between a challenge and its end
contract SequencesSymbolic is Busy {
    /// @dev The first at once and the second within the windows, or the second when they are all over.
    function check_two_calls(uint88 price, uint8 one, bool oneFirst, uint8 two, bool twoFirst, bool late) external {
        _begin(price);
        _act(one, oneFirst, late ? 1 : 0);
        _act(two, twoFirst, late ? 2 : 1);
        _agree();
    }

    function check_a_call_between_challenge_and_timeout(uint88 price, uint8 what, bool first) external {
        _begin(price);
        _act(7, true, 1);
        _act(what, first, 1);
        _agree();
        _act(13, true, 2);
        _agree();
    }

    function check_a_call_between_response_and_settlement(uint88 price, uint8 what, bool first) external {
        _begin(price);
        _act(7, true, 1);
        _act(5, true, 1);
        _act(what, first, 1);
        _agree();
        _act(14, true, 2);
        _agree();
    }
}
