// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {Vouchers} from "./Vouchers.sol";

/// @title Buying, and what a buyer can do with an order
abstract contract Orders is Vouchers {
    using SafeCast for uint256;

    /// @inheritdoc IMarketplace
    function buy(uint256 listing, uint256 version, uint256 nextRound, bool out, uint256 rounds, address recipient)
        external
        payable
        nonReentrant
        returns (uint256 order)
    {
        Sale storage sale = _listings[listing].sale;
        (address token, uint88 price, bool open) = (sale.token, sale.price, sale.open);
        order = _book(listing, version, nextRound, out, rounds, recipient, price, false);
        if (!open) revert Closed(listing);
        _take(token, _times(price, rounds));
    }

    /// @inheritdoc IMarketplace
    function buyWith(
        uint256 listing,
        uint256 version,
        uint256 nextRound,
        bool out,
        uint256 rounds,
        address recipient,
        Permit calldata permit,
        Voucher calldata voucher,
        bytes calldata signature
    ) external payable nonReentrant returns (uint256 order) {
        Sale memory sale = _listings[listing].sale;
        bool byVoucher = voucher.listing != 0; // not the signature: ERC-1271 allows an empty one
        uint88 price = byVoucher ? voucher.price : sale.price;
        order = _book(listing, version, nextRound, out, rounds, recipient, price, byVoucher);
        if (byVoucher) {
            _voucherPrices[order] = price;
            _useVoucher(listing, order, rounds, voucher, signature);
        } else if (!sale.open) {
            revert Closed(listing);
        }
        if (permit.deadline != 0) {
            if (sale.token == address(0)) revert NotAToken(sale.token);
            // A permit that somebody used in front of this call has done its work: the transfer decides.
            try IERC20Permit(sale.token)
                .permit(msg.sender, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s) {}
                catch {}
        }
        _take(sale.token, _times(price, rounds));
    }

    /// @inheritdoc IMarketplace
    function decline(uint256 order, uint256 round) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _ofBuyer(order);
        _requireReleased(_listingOf(order), listing, round);
        Book storage book = listing.book;
        if (round + 1 != book.nextRound) revert NotLatest(_listingOf(order), round, book.nextRound);
        Till memory till = listing.till;
        uint256 deadline = uint256(book.lastTurn) + till.declineWindow;
        if (block.timestamp >= deadline) revert TooLate(deadline);
        _requireCovered(order, data, round);
        if (data.bucket != 0 && round == data.first) revert BoughtWhenOut(order, round);
        _requireUnsettled(order, round);

        // The order ends before this round: that alone keeps every other path off it.
        uint88 price = _priceOf(order, data, listing);
        uint256 end = _endOf(data);
        listing.pots[round][_bucketAt(till, book.lastTurn)].amount -= price;
        if (end > book.nextRound) {
            _leave(listing, end, price);
        }
        _endAt(order, data, listing, round);
        uint256 paid = _times(price, end - round);
        emit Declined(order, round, paid);
        _payBuyer(listing, data, paid);
    }

    /// @inheritdoc IMarketplace
    function cancel(uint256 order) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _ofBuyer(order);
        if (_cancelledAt[order] != 0) revert AlreadyCancelled(order);
        _cancelledAt[order] = block.timestamp;
        Book storage book = listing.book;
        (uint88 leavingNext, uint256 newEnd) = (book.leavingNext, uint256(book.nextRound) + 1);
        uint256 end = _endOf(data);
        if (end < newEnd) revert NothingLeft(order);

        uint256 paid;
        if (end > newEnd) {
            uint88 price = _priceOf(order, data, listing);
            book.leavingNext = leavingNext + price;
            listing.leaving[end] -= price;
            _orders[order].rounds = (newEnd - data.first).toUint16();
            unchecked {
                paid = _times(price, end - newEnd); // end is above
            }
        }
        emit Cancelled(order, newEnd, block.timestamp, paid);
        _payBuyer(listing, data, paid);
    }

    /// @inheritdoc IMarketplace
    function reclaim(uint256 order) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _ofBuyer(order);
        uint256 cancelledAt = _cancelledAt[order];
        if (cancelledAt == 0) revert NotCancelled(order);
        uint256 end = _endOf(data);
        // end <= nextRound + 1 since it was cancelled
        if (end <= listing.book.nextRound) revert NothingLeft(order);
        uint256 earliest = cancelledAt + listing.rules.noticePeriod;
        if (block.timestamp < earliest) revert TooEarly(_listingOf(order), end - 1, earliest);

        uint256 paid = _giveBackUnreleased(order, data, listing);
        emit Reclaimed(order, end - 1, paid);
        _payBuyer(listing, data, paid);
    }

    /// @dev End an order before nextRound; its money for the rounds from there on, which the caller pays.
    function _giveBackUnreleased(uint256 order, OrderData memory data, ListingData storage listing)
        internal
        returns (uint256)
    {
        Book storage book = listing.book;
        uint88 price = _priceOf(order, data, listing);
        uint256 end = _endOf(data);
        _leave(listing, end, price);
        _endAt(order, data, listing, book.nextRound);
        return _times(price, end - book.nextRound);
    }

    /// @dev Everything of a purchase but its payment. The call that everybody pays for: what it changes goes into locals
    /// and back, casts before stores, so that each slot is read and written once.
    function _book(
        uint256 listing,
        uint256 version,
        uint256 nextRound,
        bool out,
        uint256 rounds,
        address recipient,
        uint88 price,
        bool byVoucher
    ) private returns (uint256 order) {
        ListingData storage data = _listings[listing];
        Rules storage rules = data.rules;
        if (rules.maxRounds == 0) revert NoListing(listing);
        uint16 bought = rules.version;
        if (version != bought) revert TermsChanged(listing, version, bought);
        if (byVoucher) bought = VOUCHER_VERSION;
        if (rounds == 0 || rounds > rules.maxRounds) revert RoundsOutOfBounds(rounds, rules.maxRounds);
        Book storage book = data.book;
        (uint88 active, uint88 leavingNext, uint24 first, uint24 index) =
            (book.active, book.leavingNext, book.nextRound, book.orders);
        if (nextRound != first) revert RoundMoved(listing, nextRound, first);
        if (rules.supply != 0 && index - rules.voided >= rules.supply) revert SoldOut(listing, rules.supply);
        uint32 bucket;
        if (out) {
            (first, bucket) = _bookOut(listing, data, first, price);
        }
        uint256 end = first + rounds;
        if (end > nextRound) {
            if (rules.period != 0) _requireNotOverdue(listing, rules, nextRound);
            active += price;
            if (end == nextRound + 1) leavingNext += price;
            else data.leaving[end] += price;
        }
        uint24 orders = index + 1;
        book.active = active;
        book.leavingNext = leavingNext;
        book.orders = orders;

        order = listing << 32 | index;
        uint8 epoch = _currentEpoch(recipient);
        uint16 count = rounds.toUint16();
        OrderData storage fresh = _orders[order];
        fresh.first = first;
        fresh.rounds = count;
        fresh.version = bought;
        fresh.epoch = epoch;
        fresh.bucket = bucket;
        fresh.buyer = recipient;
        emit Bought(order, recipient, first, rounds, price, bought, epoch, bucket);
    }

    /// @dev The round that is out earns at once.
    function _bookOut(uint256 listing, ListingData storage data, uint24 nextRound, uint88 price)
        private
        returns (uint24 round, uint32 bucket)
    {
        if (!data.rules.instant) revert NotInstant(listing);
        if (nextRound == 0) revert NotReleased(listing, nextRound);
        round = nextRound - 1;
        uint256 mark = data.marks[round];
        if (mark == MISSED) revert NotReleased(listing, nextRound);
        if (mark != 0) revert Faulty(listing, round, mark);
        bucket = _bucketAt(data.till, block.timestamp).toUint32();
        data.pots[round][bucket].amount += price;
    }
}
