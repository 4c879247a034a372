// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {Transfers} from "../libraries/Transfers.sol";
import {Orders} from "./Orders.sol";

/// @title Money out: withdrawals, refunds by the seller, missed rounds, credits
abstract contract Payouts is Orders {
    /// @inheritdoc IMarketplace
    function withdraw(uint256 listing, uint256[] calldata rounds, uint256[] calldata buckets) external nonReentrant {
        if (rounds.length != buckets.length) revert LengthsDiffer(rounds.length, buckets.length);
        ListingData storage data = _listings[listing];
        Till memory till = data.till;
        if (till.payout == address(0)) revert NoListing(listing);
        uint256 total;
        for (uint256 i = 0; i < rounds.length; ++i) {
            (uint256 round, uint256 bucket) = (rounds[i], buckets[i]);
            uint256 maturity = bucket * _bucketLength(till);
            if (block.timestamp < maturity) revert NotMatured(listing, round, bucket, maturity);
            uint256 amount = data.pots[round][bucket].amount;
            if (amount == 0) continue;
            if (till.faulty) _requireNotFrozen(listing, data, round, maturity);
            delete data.pots[round][bucket];
            total += amount;
            emit Withdrawn(listing, round, bucket, till.payout, amount);
        }
        address token = data.sale.token;
        if (total == 0) revert NothingToPay(till.payout, token);
        // No credit here: whoever calls could choose a moment at which a contract refuses, and it may not be able to collect.
        if (!Transfers.trySend(token, till.payout, total)) revert PaymentRefused(token, till.payout, total);
    }

    /// @inheritdoc IMarketplace
    function refund(uint256 order) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        _requireOperator(_listingOf(order));
        uint256 end = listing.book.nextRound;
        if (_endOf(data) <= end) revert NothingLeft(order);
        uint256 paid = _giveBackUnreleased(order, data, listing);
        emit Refunded(order, end, paid);
        _payBuyer(listing, data, paid);
    }

    /// @inheritdoc IMarketplace
    function refundRound(uint256 order, uint256 round, uint256 bucket) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        _requireOperator(_listingOf(order));
        _requireCovered(order, data, round);
        _requireReleased(_listingOf(order), listing, round);
        Pot storage pot_ = _potOf(order, data, listing, round, bucket);
        _requireUnmatured(_listingOf(order), listing.till, round, bucket);
        _settle(order, round, Settlement.PaidBack);

        uint88 paid = _priceOf(order, data, listing);
        pot_.amount -= paid;
        emit RoundRefunded(order, round, bucket, paid);
        _payBuyer(listing, data, paid);
    }

    /// @inheritdoc IMarketplace
    function refundMissed(uint256 order, uint256 round) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        _requireCovered(order, data, round);
        if (listing.marks[round] != MISSED) revert NotMissed(_listingOf(order), round);
        _settle(order, round, Settlement.PaidBack);

        uint256 paid = _priceOf(order, data, listing);
        emit MissedRefunded(order, round, paid);
        _payBuyer(listing, data, paid);
    }

    /// @inheritdoc IMarketplace
    function collect(address token, address to) external nonReentrant {
        _collect(msg.sender, token, to);
    }

    /// @inheritdoc IMarketplace
    function collectFor(address account, address token) external nonReentrant {
        _collect(account, token, account);
    }

    /// @dev Pay out an account's whole credit, or revert and keep it.
    function _collect(address account, address token, address to) private {
        uint256 amount = _credit[account][token];
        if (amount == 0) revert NothingToPay(account, token);
        _requireReceiver(to);
        _credit[account][token] = 0;
        emit Collected(account, token, to, amount);
        if (!Transfers.trySend(token, to, amount)) revert PaymentRefused(token, to, amount);
    }

    /// @dev A pot that had not matured when its round was proven faulty belongs to the buyers for good.
    function _requireNotFrozen(uint256 listing, ListingData storage data, uint256 round, uint256 maturity)
        private
        view
    {
        uint256 mark = data.marks[round];
        if (mark != 0 && mark < maturity) revert Faulty(listing, round, mark);
    }
}
