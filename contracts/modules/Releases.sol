// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {ManifestLib} from "../libraries/ManifestLib.sol";
import {Storage} from "./Storage.sol";

/// @title Releasing, skipping and delivering rounds
abstract contract Releases is IMarketplace, Storage {
    using SafeCast for uint256;

    /// @inheritdoc IMarketplace
    function release(uint256 listing, uint256 round, bytes calldata manifest) external nonReentrant {
        _release(listing, round, manifest);
    }

    /// @inheritdoc IMarketplace
    function releaseAndDeliver(uint256 listing, uint256 round, bytes calldata manifest, bytes32 digest, uint256 count)
        external
        nonReentrant
    {
        _release(listing, round, manifest);
        emit Delivered(listing, round, digest, count);
    }

    /// @inheritdoc IMarketplace
    function skip(uint256 listing, uint256 round) external nonReentrant {
        ListingData storage data = _listings[listing];
        Rules storage rules = data.rules;
        Book storage book = data.book;
        if (rules.maxRounds == 0) revert NoListing(listing);
        _requireNext(listing, book, round);
        if (block.timestamp <= _dueOf(rules, round)) {
            _requireOperator(listing);
            _requireTurn(listing, rules, book);
            book.lastTurn = block.timestamp.toUint32();
        }
        data.marks[round] = MISSED;
        emit Skipped(listing, round, book.lastTurn);
        _advance(data, book);
    }

    /// @inheritdoc IMarketplace
    function deliver(uint256 listing, uint256 round, bytes32 digest, uint256 count) external nonReentrant {
        _requireOperator(listing);
        _requireReleased(listing, _listings[listing], round);
        emit Delivered(listing, round, digest, count);
    }

    /// @inheritdoc IMarketplace
    function deliverCopies(uint256 listing, uint256 round, uint256[] calldata orders, bytes32[] calldata hashes)
        external
        nonReentrant
    {
        if (orders.length != hashes.length) revert LengthsDiffer(orders.length, hashes.length);
        _requireOperator(listing);
        ListingData storage data = _listings[listing];
        if (!data.rules.copies) revert NotCopies(listing);
        _requireReleased(listing, data, round);
        Till memory till = data.till;
        if (till.disputeWindow != 0) {
            Book storage book = data.book;
            if (round + 1 != book.nextRound) revert NotLatest(listing, round, book.nextRound);
            uint256 deadline = uint256(book.lastTurn) + till.declineWindow / 2;
            if (block.timestamp >= deadline) revert TooLate(deadline);
        }
        for (uint256 i = 0; i < orders.length; ++i) {
            _deliverCopy(listing, round, orders[i], hashes[i]);
        }
    }

    function _deliverCopy(uint256 listing, uint256 round, uint256 order, bytes32 contentHash) private {
        OrderData memory data = _orders[order];
        bool covered = round >= data.first && round < _endOf(data);
        if (_listingOf(order) != listing || !covered) return;
        if (contentHash == 0 || _copyHashes[order][round] != 0) return;
        _copyHashes[order][round] = contentHash;
        emit CopyDelivered(order, round, contentHash);
    }

    function _release(uint256 listing, uint256 round, bytes calldata manifest) private {
        _requireOperator(listing);
        ListingData storage data = _listings[listing];
        Rules storage rules = data.rules;
        Book storage book = data.book;
        _requireNext(listing, book, round);
        _requireNotOverdue(listing, rules, round);
        _requireTurn(listing, rules, book);

        bytes32 contentHash;
        if (rules.copies) {
            if (manifest.length != 0) revert ManifestNotWanted(listing);
        } else {
            ManifestLib.check(manifest);
            contentHash = sha256(manifest);
            data.contentHashes[round] = contentHash;
        }
        uint256 bucket = _bucketAt(data.till, block.timestamp);
        Pot memory earned = data.pots[round][bucket];
        data.pots[round][bucket] = Pot({amount: earned.amount + book.active, released: true});
        book.lastTurn = block.timestamp.toUint32();
        _advance(data, book);
        emit Released(listing, round, contentHash, bucket, block.timestamp, manifest);
    }

    /// @dev Orders whose last round this was leave. Writes the book.
    function _advance(ListingData storage data, Book storage book) private {
        book.nextRound += 1;
        book.active -= book.leavingNext;
        uint256 end = uint256(book.nextRound) + 1;
        uint256 leavingNext = data.leaving[end];
        if (leavingNext != 0) delete data.leaving[end];
        book.leavingNext = leavingNext.toUint88();
    }

    function _requireNext(uint256 listing, Book storage book, uint256 round) private view {
        if (round != book.nextRound) revert NotNextRound(listing, round, book.nextRound);
    }

    /// @dev Not within minInterval of the last turn, nor earlier than one period before the round is due: nobody releases
    /// or skips many prepaid rounds at once.
    function _requireTurn(uint256 listing, Rules storage rules, Book storage book) private view {
        uint256 earliest = uint256(book.lastTurn) + rules.minInterval;
        if (rules.period != 0) {
            uint256 opens = rules.firstDue + uint256(book.nextRound) * rules.period;
            opens = opens > rules.period ? opens - rules.period : 0;
            if (opens > earliest) earliest = opens;
        }
        if (block.timestamp < earliest) revert TooEarly(listing, book.nextRound, earliest);
    }
}
