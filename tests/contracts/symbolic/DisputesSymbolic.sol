// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Disputes} from "../../../contracts/Disputes.sol";
import {Checks} from "./Vm.sol";

/// @title A marketplace's disputes with one adjudicated listing and one order of its round 0, whose state is given
/// @dev The ids are arguments: slots that the compiler knows beforehand are others to halmos than those it computes.
contract OpenDisputes is Disputes {
    constructor(
        uint256 id,
        address seller,
        address payout,
        address buyer,
        uint24 responseWindow,
        uint24 disputeWindow
    ) {
        ListingData storage data = _listings[id];
        data.principal.seller = seller;
        data.principal.responseWindow = responseWindow;
        data.till.disputeWindow = disputeWindow;
        data.till.payout = payout;
        data.rules.maxRounds = 1;
        data.book.nextRound = 1;
        OrderData storage order = _orders[id << 32];
        (order.rounds, order.buyer) = (1, buyer);
    }

    function put(uint256 order, uint256 round, Challenge calldata challenge_) external {
        _settlements[order][round] = keccak256(abi.encode(challenge_));
    }

    function settlement(uint256 order, uint256 round) external view returns (bytes32) {
        return _settlements[order][round];
    }

    function publish(uint256 listing, uint256 round, bytes32 contentHash) external {
        _listings[listing].contentHashes[round] = contentHash;
    }

    function mark(uint256 listing, uint256 round, uint256 faultyAt) external {
        _listings[listing].marks[round] = faultyAt;
        _listings[listing].till.faulty = faultyAt != 0;
    }
}

/// @title What is claimed about a challenge
abstract contract Claims is Checks {
    address internal constant SELLER = address(0x5e11e5);
    address internal constant PAYOUT = address(0x9a4007);
    address internal constant BUYER = address(0xb0b);
    uint256 internal constant ORDER = 1 << 32;
    bytes32 internal constant PAID_TO_SELLER = bytes32(uint256(2));
    bytes32 internal constant PAID_BACK = bytes32(uint256(3));

    struct Times {
        uint24 responseWindow;
        uint24 disputeWindow;
        uint40 challengedAt;
        uint40 respondedAt;
        uint40 moment;
        uint32 bucket;
    }

    function _challenge(Times memory times, uint88 price) internal pure returns (Disputes.Challenge memory challenge) {
        (challenge.disputeKey, challenge.bucket, challenge.price) = (1, times.bucket, price);
        (challenge.challengedAt, challenge.respondedAt) = (times.challengedAt, times.respondedAt);
        if (times.respondedAt != 0) (challenge.responseKey, challenge.keyCommitment) = (2, 3);
    }

    /// @dev The later of: a dispute window after the answer, and the last second before the money would have matured.
    function _proofEnd(Times memory times) private pure returns (uint256) {
        uint256 window = uint256(times.respondedAt) + times.disputeWindow;
        if (times.bucket == 0) return window;
        uint256 last = times.disputeWindow / 4 * uint256(times.bucket) - 1;
        return window < last ? last : window;
    }

    function _open(Times memory times, Disputes.Challenge memory challenge) internal returns (OpenDisputes market) {
        market = new OpenDisputes(1, SELLER, PAYOUT, BUYER, times.responseWindow, times.disputeWindow);
        market.put(ORDER, 0, challenge);
        VM.deal(address(market), challenge.price);
        VM.warp(times.moment);
    }

    /// @dev With a response: a proof and settling share no second, one of them is always possible, and settling pays the seller.
    function _shareNoSecond(Times memory times, uint88 price, uint256 privateKey) internal {
        VM.assume(times.respondedAt != 0 && times.moment >= times.respondedAt);
        uint256 proofEnd = _proofEnd(times);
        Disputes.Challenge memory challenge = _challenge(times, price);

        OpenDisputes market = _open(times, challenge);
        (bool proven,) = address(market).call(abi.encodeCall(Disputes.proveWrongKey, (ORDER, 0, challenge, privateKey)));
        OpenDisputes same = _open(times, challenge);
        (bool settled,) = address(same).call(abi.encodeCall(Disputes.settleChallenge, (ORDER, 0, challenge)));

        bool inTime = times.moment <= proofEnd;
        assert(settled == !inTime);
        assert(!proven || inTime);
        assert(!proven || market.settlement(ORDER, 0) == PAID_BACK);
        assert(!settled || same.settlement(ORDER, 0) == PAID_TO_SELLER);
    }

    /// @dev A challenge of a marked round: settling pays the buyer, at once, exactly where the mark counts for it.
    function _markPaysBuyer(Times memory times, uint88 price, uint40 faultyAt) internal {
        VM.assume(faultyAt > 1 && times.moment >= faultyAt && times.moment >= times.respondedAt);
        uint256 proofEnd = _proofEnd(times);
        Disputes.Challenge memory challenge = _challenge(times, price);
        OpenDisputes market = _open(times, challenge);
        market.mark(1, 0, faultyAt);
        (bool settled,) = address(market).call(abi.encodeCall(Disputes.settleChallenge, (ORDER, 0, challenge)));

        bool counts = times.respondedAt == 0 || faultyAt <= proofEnd;
        assert(settled == (counts || times.moment > proofEnd));
        assert(!settled || market.settlement(ORDER, 0) == (counts ? PAID_BACK : PAID_TO_SELLER));
    }
}

/// @title Who can do what when with a challenge, for all windows, times and prices
/// @dev Its money would have matured long ago.
contract DisputesSymbolic is Claims {
    /// @dev Without a response: answering and claiming are never possible in the same second, one of them always is.
    function check_respond_and_claim_share_no_second(Times memory times, uint88 price, bytes32 sealedKey) external {
        times.respondedAt = 0;
        VM.assume(times.moment >= times.challengedAt);
        Disputes.Challenge memory challenge = _challenge(times, price);
        bytes memory manifest = abi.encode(1, 4, 0, 0, 0, 0, 0, 0, 0);

        OpenDisputes market = _open(times, challenge);
        market.publish(1, 0, sha256(manifest));
        VM.prank(SELLER);
        (bool answered,) =
            address(market).call(abi.encodeCall(Disputes.respond, (ORDER, 0, challenge, manifest, 4, sealedKey)));
        OpenDisputes same = _open(times, challenge);
        (bool claimed,) = address(same).call(abi.encodeCall(Disputes.claimTimeout, (ORDER, 0, challenge)));

        bool inTime = times.moment <= uint256(times.challengedAt) + times.responseWindow;
        assert(claimed == !inTime);
        assert(!answered || inTime);
        assert(!claimed || same.settlement(ORDER, 0) == PAID_BACK);
    }

    function check_proof_and_settlement_share_no_second(Times memory times, uint88 price, uint256 privateKey) external {
        times.bucket = 0;
        _shareNoSecond(times, price, privateKey);
    }

    function check_a_mark_pays_the_buyer(Times memory times, uint88 price, uint40 faultyAt) external {
        times.bucket = 0;
        _markPaysBuyer(times, price, faultyAt);
    }

    /// @dev Whatever else somebody says the challenge is, nothing happens.
    function check_another_challenge_ends_nothing(Disputes.Challenge memory known, Disputes.Challenge memory said)
        external
    {
        VM.assume(keccak256(abi.encode(known)) != keccak256(abi.encode(said)));
        OpenDisputes market = _open(Times(3600, 86_400, 0, 0, type(uint40).max, 0), known);
        (bool claimed,) = address(market).call(abi.encodeCall(Disputes.claimTimeout, (ORDER, 0, said)));
        (bool settled,) = address(market).call(abi.encodeCall(Disputes.settleChallenge, (ORDER, 0, said)));
        assert(!claimed && !settled);
    }

    function check_false_nothing_is_ever_settled(Times memory times, uint88 price) external {
        VM.assume(times.respondedAt != 0 && times.bucket == 0);
        Disputes.Challenge memory challenge = _challenge(times, price);
        OpenDisputes market = _open(times, challenge);
        (bool settled,) = address(market).call(abi.encodeCall(Disputes.settleChallenge, (ORDER, 0, challenge)));
        assert(!settled);
    }
}

/// @title The same while the money would not have matured, for all times
/// @dev No solver gets far with a product of what is open: so with one window. Takes minutes.
contract MaturitySymbolic is Claims {
    function check_proof_and_settlement_share_no_second(uint40 respondedAt, uint40 moment, uint32 bucket) external {
        _shareNoSecond(Times(3600, 4096, respondedAt, respondedAt, moment, bucket), 5, 7);
    }

    function check_a_mark_counts_until_the_money_would_have_matured(
        uint40 respondedAt,
        uint40 moment,
        uint32 bucket,
        uint40 faultyAt
    ) external {
        _markPaysBuyer(Times(3600, 4096, respondedAt, respondedAt, moment, bucket), 5, faultyAt);
    }
}
