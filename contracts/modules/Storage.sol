// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IMarketplaceTypes} from "../interfaces/IMarketplaceTypes.sol";
import {Transfers} from "../libraries/Transfers.sol";

/// @title Storage, accounting and payments that every concern shares
/// @dev Narrowing casts revert, subtractions are checked. docs/protocol.md §2 "Money, in O(1)".
/// Storage begins here, and nothing that has any stands in front: the marketplace and its disputes share it.
abstract contract Storage is IMarketplaceTypes, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot: all that a purchase and a release change.
    struct Book {
        uint88 active; // what the release of nextRound would earn
        uint88 leavingNext; // leaving[nextRound + 1]
        uint24 nextRound;
        uint24 orders;
        uint32 lastTurn; // time of the last release or voluntary skip
    }

    struct Sale {
        address token;
        uint88 price;
        bool open;
    }

    struct Rules {
        uint16 version;
        uint24 supply;
        uint24 voided;
        uint16 maxRounds; // 0 = no such listing
        bool instant;
        bool copies;
        uint40 firstDue;
        uint32 period;
        uint32 minInterval;
        uint24 noticePeriod;
    }

    struct Till {
        address payout;
        uint24 declineWindow;
        uint24 disputeWindow;
        bool faulty; // was any round proven faulty? Only then is there a mark to look for
    }

    struct Principal {
        address seller;
        uint24 responseWindow;
    }

    struct Delegate {
        address operator;
        uint88 challengeBond;
    }

    struct Pot {
        uint128 amount;
        bool released; // the release's money went here
    }

    struct ListingData {
        Book book;
        Sale sale;
        Rules rules;
        Till till;
        Principal principal;
        Delegate delegate;
        bytes32 details;
        mapping(uint256 round => uint256) leaving; // for rounds above nextRound + 1
        mapping(uint256 version => uint88) pastPrices;
        mapping(uint256 round => mapping(uint256 bucket => Pot)) pots;
        mapping(uint256 round => bytes32) contentHashes;
        mapping(uint256 round => uint256) marks; // 0, MISSED, or when the round was proven faulty
    }

    /// @dev One slot, buyer last: the fields in front of it are then cheap to mask.
    struct OrderData {
        uint24 first;
        uint16 rounds;
        uint16 version;
        uint8 epoch;
        uint32 bucket;
        address buyer;
    }

    /// @dev The version of an order whose price is a voucher's, in voucherPrices: a free voucher is not mistaken for none.
    uint16 internal constant VOUCHER_VERSION = type(uint16).max;
    uint256 internal constant MIN_BUCKET_LENGTH = 60;

    /// @dev No block has this time.
    uint256 internal constant MISSED = 1;

    // slither-disable-start uninitialized-state,unused-state,constable-states, -- the marketplace writes it, Disputes reads it
    uint256 internal _listingCount;
    mapping(uint256 listing => ListingData) internal _listings;
    mapping(uint256 order => OrderData) internal _orders;
    mapping(uint256 order => uint88) internal _voucherPrices;
    mapping(uint256 order => uint256) internal _cancelledAt;
    mapping(uint256 order => mapping(uint256 round => bytes32)) internal _copyHashes;
    mapping(uint256 order => mapping(uint256 round => uint256)) internal _copyFaultyAt; // where it was challenged
    /// @dev A Settlement, or the hash of an open challenge: one slot for both.
    mapping(uint256 order => mapping(uint256 round => bytes32)) internal _settlements;
    mapping(address account => mapping(address token => uint256)) internal _credit;
    // slither-disable-end uninitialized-state,unused-state,constable-states

    // ------------------------------------------------------------------------------------------------------- look up

    function _listingOf(uint256 order) internal pure returns (uint256) {
        return order >> 32;
    }

    /// @dev The order and its listing's data; reverts with NoOrder.
    function _existing(uint256 order) internal view returns (OrderData memory data, ListingData storage listing) {
        data = _orders[order];
        if (data.buyer == address(0)) revert NoOrder(order);
        listing = _listings[_listingOf(order)];
    }

    function _ofBuyer(uint256 order) internal view returns (OrderData memory data, ListingData storage listing) {
        (data, listing) = _existing(order);
        if (msg.sender != data.buyer) revert NotBuyer(msg.sender, data.buyer);
    }

    function _requireSeller(uint256 listing) internal view {
        address seller = _listings[listing].principal.seller;
        if (seller == address(0)) revert NoListing(listing);
        if (msg.sender != seller) revert NotSeller(msg.sender, seller);
    }

    function _requireOperator(uint256 listing) internal view {
        address seller = _listings[listing].principal.seller;
        if (msg.sender == seller) return;
        if (seller == address(0)) revert NoListing(listing);
        address operator = _listings[listing].delegate.operator;
        if (msg.sender != operator) revert NotOperator(msg.sender, seller, operator);
    }

    function _priceOf(uint256 order, OrderData memory data, ListingData storage listing)
        internal
        view
        returns (uint88)
    {
        if (data.version == VOUCHER_VERSION) return _voucherPrices[order];
        if (data.version == listing.rules.version) return listing.sale.price;
        return listing.pastPrices[data.version];
    }

    // -------------------------------------------------------------------------------------------------------- rounds

    /// @dev The round after the order's last.
    function _endOf(OrderData memory data) internal pure returns (uint256) {
        unchecked {
            return uint256(data.first) + data.rounds; // 24 and 16 bits
        }
    }

    /// @dev A price for some rounds.
    function _times(uint88 price, uint256 rounds) internal pure returns (uint256) {
        unchecked {
            return price * rounds; // 88 and 16 bits
        }
    }

    function _requireCovered(uint256 order, OrderData memory data, uint256 round) internal pure {
        if (round < data.first || round >= _endOf(data)) revert NotCovered(order, round);
    }

    /// @dev End an order before round `end`; one that ends before its first round gives its place back.
    function _endAt(uint256 order, OrderData memory data, ListingData storage listing, uint256 end) internal {
        uint256 rounds = end - data.first;
        _orders[order].rounds = rounds.toUint16();
        if (rounds == 0 && listing.rules.supply != 0) listing.rules.voided += 1;
    }

    function _requireReleased(uint256 listing, ListingData storage data, uint256 round) internal view {
        if (round >= data.book.nextRound || data.marks[round] == MISSED) revert NotReleased(listing, round);
    }

    /// @dev What was promised to the order for the round, 0 where there is none yet.
    function _hashOf(uint256 order, ListingData storage listing, uint256 round) internal view returns (bytes32) {
        return listing.rules.copies ? _copyHashes[order][round] : listing.contentHashes[round];
    }

    /// @dev When a round is due, or the end of time where there is no schedule.
    function _dueOf(Rules storage rules, uint256 round) internal view returns (uint256) {
        return rules.period == 0 ? type(uint256).max : rules.firstDue + round * rules.period;
    }

    function _requireNotOverdue(uint256 listing, Rules storage rules, uint256 round) internal view {
        uint256 due = _dueOf(rules, round);
        if (block.timestamp > due) revert Overdue(listing, round, due);
    }

    function _bucketLength(Till memory till) internal pure returns (uint256 length) {
        length = till.disputeWindow / 4;
        if (length < MIN_BUCKET_LENGTH) length = MIN_BUCKET_LENGTH;
    }

    function _bucketAt(Till memory till, uint256 timestamp) internal pure returns (uint256) {
        return (timestamp + till.declineWindow + till.disputeWindow) / _bucketLength(till) + 1;
    }

    // ---------------------------------------------------------------------------------------------------- accounting

    /// @dev Take `price` out of the rounds up to `end`, which is above nextRound.
    function _leave(ListingData storage listing, uint256 end, uint88 price) internal {
        Book storage book = listing.book;
        book.active -= price;
        if (end == uint256(book.nextRound) + 1) book.leavingNext -= price;
        else listing.leaving[end] -= price;
    }

    /// @dev Every path that takes one order's released or missed round goes through here first, and at most once.
    function _settle(uint256 order, uint256 round, Settlement settlement) internal {
        _requireUnsettled(order, round);
        _settlements[order][round] = bytes32(uint256(settlement));
    }

    function _requireUnsettled(uint256 order, uint256 round) internal view {
        Settlement before = _settlementOf(order, round);
        if (before != Settlement.None) revert AlreadySettled(order, round, before);
    }

    function _settlementOf(uint256 order, uint256 round) internal view returns (Settlement) {
        uint256 word = uint256(_settlements[order][round]);
        return word > uint256(type(Settlement).max) ? Settlement.Challenged : Settlement(word);
    }

    /// @dev Where an order's money for a released round lies: in the bucket it was bought with, or in the release's,
    /// which the pot itself vouches for. An absent flag is never evidence.
    function _potOf(uint256 order, OrderData memory data, ListingData storage listing, uint256 round, uint256 bucket)
        internal
        view
        returns (Pot storage pot_)
    {
        pot_ = listing.pots[round][bucket];
        bool boughtWhenOut = data.bucket != 0 && round == data.first;
        if (boughtWhenOut ? bucket != data.bucket : !pot_.released) revert WrongBucket(order, round, bucket);
    }

    function _requireUnmatured(uint256 listing, Till memory till, uint256 round, uint256 bucket) internal view {
        uint256 maturity = bucket * _bucketLength(till);
        if (block.timestamp >= maturity) revert Matured(listing, round, bucket, maturity);
    }

    // ------------------------------------------------------------------------------------------------------ payments

    function _requireReceiver(address receiver) internal view {
        if (receiver == address(0) || receiver == address(this)) revert InvalidReceiver(receiver);
    }

    /// @dev Take exactly `amount` from the caller; called last.
    // slither-disable-next-line msg-value-in-nonpayable, -- buy, buyWith and challenge call it, all payable
    function _take(address token, uint256 amount) internal {
        uint256 expected = token == address(0) ? amount : 0;
        if (msg.value != expected) revert WrongPayment(msg.value, expected);
        if (token == address(0) || amount == 0) return;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 held = IERC20(token).balanceOf(address(this));
        uint256 received = held > before ? held - before : 0;
        if (received != amount) revert TokenTookFee(token, received, amount);
    }

    /// @dev Pay an order's buyer, or keep as his credit what he refuses; called last. Nobody blocks anybody.
    function _payBuyer(ListingData storage listing, OrderData memory data, uint256 amount) internal {
        (address token, address buyer) = (listing.sale.token, data.buyer);
        if (amount == 0 || Transfers.trySend(token, buyer, amount)) return;
        _credit[buyer][token] += amount;
        emit Credited(buyer, token, amount);
    }
}
