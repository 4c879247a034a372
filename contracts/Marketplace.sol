// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DisputeRouter} from "./modules/DisputeRouter.sol";
import {IMarketplace} from "./interfaces/IMarketplace.sol";
import {Listings} from "./modules/Listings.sol";
import {Releases} from "./modules/Releases.sol";
import {Payouts} from "./modules/Payouts.sol";

/// @title Marketplace for encrypted artifacts
/// @notice The views, over the concerns that it is composed of. docs/protocol.md says why each rule is there.
contract Marketplace is Listings, Releases, Payouts, DisputeRouter {
    /// @inheritdoc IMarketplace
    function listingCount() external view returns (uint256) {
        return _listingCount;
    }

    /// @inheritdoc IMarketplace
    function getListing(uint256 listing) external view returns (Listing memory) {
        ListingData storage data = _listings[listing];
        (Book memory book, Sale memory sale, Rules memory rules) = (data.book, data.sale, data.rules);
        (Till memory till, Principal memory principal, Delegate memory delegate) =
            (data.till, data.principal, data.delegate);
        if (rules.maxRounds == 0) revert NoListing(listing);
        return Listing({
            seller: principal.seller,
            operator: delegate.operator,
            payout: till.payout,
            terms: Terms({
                token: sale.token,
                supply: rules.supply,
                maxRounds: rules.maxRounds,
                instant: rules.instant,
                copies: rules.copies,
                firstDue: rules.firstDue,
                period: rules.period,
                minInterval: rules.minInterval,
                declineWindow: till.declineWindow,
                noticePeriod: rules.noticePeriod,
                disputeWindow: till.disputeWindow,
                responseWindow: principal.responseWindow,
                challengeBond: delegate.challengeBond
            }),
            offer: Offer({price: sale.price, open: sale.open, details: data.details}),
            version: rules.version,
            nextRound: book.nextRound,
            orders: book.orders,
            voided: rules.voided,
            lastTurn: book.lastTurn,
            active: book.active
        });
    }

    /// @inheritdoc IMarketplace
    function getOrder(uint256 order) external view returns (Order memory) {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        return Order({
            buyer: data.buyer,
            first: data.first,
            rounds: data.rounds,
            price: _priceOf(order, data, listing),
            version: data.version,
            epoch: data.epoch,
            bucket: data.bucket,
            cancelledAt: uint40(_cancelledAt[order])
        });
    }

    /// @inheritdoc IMarketplace
    function leaving(uint256 listing, uint256 round) external view returns (uint256) {
        Book memory book = _listings[listing].book;
        return round == uint256(book.nextRound) + 1 ? book.leavingNext : _listings[listing].leaving[round];
    }

    /// @inheritdoc IMarketplace
    function pot(uint256 listing, uint256 round, uint256 bucket) external view returns (uint256, bool) {
        Pot memory pot_ = _listings[listing].pots[round][bucket];
        return (pot_.amount, pot_.released);
    }

    /// @inheritdoc IMarketplace
    function bucketAt(uint256 listing, uint256 timestamp) external view returns (uint256) {
        return _bucketAt(_listings[listing].till, timestamp);
    }

    /// @inheritdoc IMarketplace
    function maturityOf(uint256 listing, uint256 bucket) external view returns (uint256) {
        return bucket * _bucketLength(_listings[listing].till);
    }

    /// @inheritdoc IMarketplace
    function isMissed(uint256 listing, uint256 round) external view returns (bool) {
        return _listings[listing].marks[round] == MISSED;
    }

    /// @inheritdoc IMarketplace
    function hashOf(uint256 order, uint256 round) external view returns (bytes32) {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        _requireCovered(order, data, round);
        return _hashOf(order, listing, round);
    }

    /// @inheritdoc IMarketplace
    function settled(uint256 order, uint256 round) external view returns (Settlement) {
        return _settlementOf(order, round);
    }

    /// @inheritdoc IMarketplace
    function challengeOf(uint256 order, uint256 round) external view returns (bytes32) {
        return _settlementOf(order, round) == Settlement.Challenged ? _settlements[order][round] : bytes32(0);
    }

    /// @inheritdoc IMarketplace
    function faultyAt(uint256 listing, uint256 round) external view returns (uint256) {
        uint256 mark = _listings[listing].marks[round];
        return mark == MISSED ? 0 : mark;
    }

    /// @inheritdoc IMarketplace
    function copyFaultyAt(uint256 order, uint256 round) external view returns (uint256) {
        return _copyFaultyAt[order][round];
    }

    /// @inheritdoc IMarketplace
    function credit(address account, address token) external view returns (uint256) {
        return _credit[account][token];
    }
}
