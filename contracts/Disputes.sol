// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputes} from "./interfaces/IDisputes.sol";
import {ContentJudge} from "./libraries/ContentJudge.sol";
import {KeyJudge} from "./libraries/KeyJudge.sol";
import {ManifestLib} from "./libraries/ManifestLib.sol";
import {Secp256k1} from "./libraries/Secp256k1.sol";
import {Transfers} from "./libraries/Transfers.sol";
import {Storage} from "./modules/Storage.sol";

/// @title Disputes
/// @notice Code of the marketplace in a contract of its own, because one may not be larger than 24,576 bytes: the
/// marketplace runs it on its own storage (DisputeRouter.sol). Called directly, it finds no listing and no order.
contract Disputes is Storage, IDisputes {
    using SafeCast for uint256;

    // ----------------------------------------------------------------------------------------------------- challenges

    /// @inheritdoc IDisputes
    function challenge(uint256 order, uint256 round, uint256 bucket, uint256 disputeKey) external payable nonReentrant {
        (OrderData memory data, ListingData storage listing) = _ofBuyer(order);
        _requireCovered(order, data, round);
        Till memory till = listing.till;
        _requireAdjudicated(order, till);
        Pot storage pot_ = _potOf(order, data, listing, round, bucket);
        _requireUnmatured(_listingOf(order), till, round, bucket);
        _requireNotDeclinable(order, listing.book, till, round);
        if (till.faulty && listing.marks[round] != 0) {
            revert Faulty(_listingOf(order), round, listing.marks[round]);
        }
        _requireUnsettled(order, round);
        if (!Secp256k1.isX(disputeKey)) revert InvalidPoint(disputeKey);

        uint88 price = _priceOf(order, data, listing);
        uint88 bond = listing.delegate.challengeBond;
        if (bond > price / 10) bond = price / 10;
        pot_.amount -= price;
        Challenge memory opened;
        opened.disputeKey = disputeKey;
        opened.bucket = bucket.toUint32();
        opened.price = price;
        opened.bond = bond;
        opened.challengedAt = block.timestamp.toUint40();
        _settlements[order][round] = keccak256(abi.encode(opened));
        emit Challenged(order, round, bucket, disputeKey, price, bond, block.timestamp);
        _take(listing.sale.token, bond);
    }

    // IDisputes has each argument on a line of its own.
    // forgefmt: disable-next-item
    /// @inheritdoc IDisputes
    function respond(
        uint256 order, uint256 round, Challenge calldata opened, bytes calldata manifest,
        uint256 responseKey, bytes32 sealedKey
    ) external nonReentrant {
        _requireOperator(_listingOf(order));
        _requireChallenge(order, round, opened);
        if (opened.respondedAt != 0) revert AlreadyResponded(order, round, opened.respondedAt);
        ListingData storage listing = _listings[_listingOf(order)];
        _requireUntil(uint256(opened.challengedAt) + listing.principal.responseWindow);
        _requireManifest(_hashOf(order, listing, round), manifest);
        if (!Secp256k1.isX(responseKey)) revert InvalidPoint(responseKey);

        Challenge memory answered = opened;
        answered.respondedAt = block.timestamp.toUint40();
        answered.responseKey = responseKey;
        answered.sealedKey = sealedKey;
        answered.keyCommitment = ManifestLib.keyCommitmentOf(manifest);
        _settlements[order][round] = keccak256(abi.encode(answered));
        emit Responded(order, round, block.timestamp, responseKey, sealedKey, answered.keyCommitment);
    }

    /// @inheritdoc IDisputes
    function claimTimeout(uint256 order, uint256 round, Challenge calldata opened) external nonReentrant {
        _requireChallenge(order, round, opened);
        if (opened.respondedAt != 0) revert AlreadyResponded(order, round, opened.respondedAt);
        _requireAfter(uint256(opened.challengedAt) + _listings[_listingOf(order)].principal.responseWindow);
        _endForBuyer(order, round, opened, Ground.NoResponse);
    }

    /// @inheritdoc IDisputes
    function proveWrongKey(uint256 order, uint256 round, Challenge calldata answered, uint256 privateKey)
        external
        nonReentrant
    {
        _requireChallenge(order, round, answered);
        _requireUntil(_proofEnd(order, round, answered));
        if (!Secp256k1.isKeyOf(answered.disputeKey, privateKey)) revert NotTheDisputeKey(answered.disputeKey);
        uint256 contentKey =
            KeyJudge.open(order, round, answered.disputeKey, answered.responseKey, answered.sealedKey, privateKey);
        if (Secp256k1.isKeyOf(answered.keyCommitment, contentKey)) revert KeyIsRight(order, round);
        _endForBuyer(order, round, answered, Ground.WrongKey);
    }

    /// @inheritdoc IDisputes
    function settleChallenge(uint256 order, uint256 round, Challenge calldata opened) external nonReentrant {
        _requireChallenge(order, round, opened);
        ListingData storage listing = _listings[_listingOf(order)];
        uint256 faultyAt = listing.rules.copies ? _copyFaultyAt[order][round] : listing.marks[round];
        if (faultyAt != 0 && (opened.respondedAt == 0 || faultyAt <= _proofEnd(order, round, opened))) {
            _endForBuyer(order, round, opened, Ground.WrongContent);
            return;
        }
        _requireAfter(_proofEnd(order, round, opened));
        _settlements[order][round] = bytes32(uint256(Settlement.PaidToSeller));
        (address token, address payout) = (listing.sale.token, listing.till.payout);
        uint256 paid = uint256(opened.price) + opened.bond;
        emit ChallengeEnded(order, round, Ground.NothingProven, payout, paid);
        if (paid != 0 && !Transfers.trySend(token, payout, paid)) revert PaymentRefused(token, payout, paid);
    }

    // -------------------------------------------------------------------------------------------------- wrong content

    /// @inheritdoc IDisputes
    function proveWrongContent(uint256 listing, uint256 round, bytes calldata manifest, ContentProof calldata proof)
        external
        nonReentrant
    {
        ListingData storage data = _listings[listing];
        if (data.till.disputeWindow == 0) revert NotAdjudicated(listing);
        if (data.marks[round] > MISSED) revert AlreadyFaulty(data.marks[round]);
        _requireFault(data.contentHashes[round], manifest, proof);
        data.marks[round] = block.timestamp;
        data.till.faulty = true;
        emit RoundFaulty(listing, round, proof.index, block.timestamp);
    }

    // IDisputes has each argument on a line of its own.
    // forgefmt: disable-next-item
    /// @inheritdoc IDisputes
    function proveWrongCopy(
        uint256 order, uint256 round, uint256 bucket, bytes calldata manifest, ContentProof calldata proof
    ) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        _requireCovered(order, data, round);
        _requireAdjudicated(order, listing.till);
        if (!listing.rules.copies) revert NotCopies(_listingOf(order));
        _requireFault(_copyHashes[order][round], manifest, proof);
        emit CopyFaulty(order, round, proof.index, block.timestamp);
        if (_settlementOf(order, round) == Settlement.Challenged) {
            if (_copyFaultyAt[order][round] != 0) revert AlreadyFaulty(_copyFaultyAt[order][round]);
            _copyFaultyAt[order][round] = block.timestamp;
            return;
        }
        Pot storage pot_ = _potOf(order, data, listing, round, bucket);
        _requireUnmatured(_listingOf(order), listing.till, round, bucket);
        _refundFaulty(order, data, listing, round, bucket, pot_);
    }

    /// @inheritdoc IDisputes
    function refundFaulty(uint256 order, uint256 round, uint256 bucket) external nonReentrant {
        (OrderData memory data, ListingData storage listing) = _existing(order);
        _requireCovered(order, data, round);
        uint256 mark = listing.marks[round];
        if (mark <= MISSED || mark >= bucket * _bucketLength(listing.till)) revert NotFaulty(_listingOf(order), round);
        Pot storage pot_ = _potOf(order, data, listing, round, bucket);
        _refundFaulty(order, data, listing, round, bucket, pot_);
    }

    /// @dev An order's last round is given back by ending the order before it, as decline does it (-17k gas).
    function _refundFaulty(
        uint256 order,
        OrderData memory data,
        ListingData storage listing,
        uint256 round,
        uint256 bucket,
        Pot storage pot_
    ) private {
        uint88 paid = _priceOf(order, data, listing);
        uint256 end = _endOf(data);
        if (end == round + 1) {
            _requireUnsettled(order, round);
            end = round;
            _endAt(order, data, listing, end);
        } else {
            _settle(order, round, Settlement.PaidBack);
        }
        pot_.amount -= paid;
        emit FaultyRefunded(order, round, bucket, end, paid);
        _payBuyer(listing, data, paid);
    }

    // --------------------------------------------------------------------------------------------------------- checks

    function _requireAdjudicated(uint256 order, Till memory till) private pure {
        if (till.disputeWindow == 0) revert NotAdjudicated(_listingOf(order));
    }

    /// @dev Only the round that was released last can be within its decline window: minInterval is not shorter.
    function _requireNotDeclinable(uint256 order, Book storage book, Till memory till, uint256 round) private view {
        uint256 earliest = uint256(book.lastTurn) + till.declineWindow;
        if (round + 1 == book.nextRound && block.timestamp < earliest) revert Declinable(order, round, earliest);
    }

    function _requireChallenge(uint256 order, uint256 round, Challenge calldata given) private view {
        bytes32 known = _settlements[order][round];
        if (known != keccak256(abi.encode(given))) revert NotTheChallenge(order, round, known);
    }

    function _requireUntil(uint256 deadline) private view {
        if (block.timestamp > deadline) revert TooLate(deadline + 1);
    }

    function _requireAfter(uint256 deadline) private view {
        if (block.timestamp <= deadline) revert StillOpen(deadline);
    }

    /// @dev The last second at which an answered challenge's wrong key or content can be proven. Not before the money would
    /// have matured: who challenges is not worse off than who doesn't.
    function _proofEnd(uint256 order, uint256 round, Challenge calldata answered) private view returns (uint256 end) {
        if (answered.respondedAt == 0) revert NotResponded(order, round);
        Till memory till = _listings[_listingOf(order)].till;
        end = uint256(answered.respondedAt) + till.disputeWindow;
        uint256 maturity = answered.bucket * _bucketLength(till);
        if (end < maturity) end = maturity - 1;
    }

    /// @dev A copy's manifest was never looked at before.
    function _requireManifest(bytes32 contentHash, bytes calldata manifest) private pure {
        bytes32 found = sha256(manifest);
        if (found != contentHash) revert WrongManifest(contentHash, found);
        ManifestLib.check(manifest);
    }

    function _requireFault(bytes32 contentHash, bytes calldata manifest, ContentProof calldata proof) private pure {
        _requireManifest(contentHash, manifest);
        uint256 commitment = ManifestLib.keyCommitmentOf(manifest);
        if (!Secp256k1.isKeyOf(commitment, proof.contentKey)) revert NotTheContentKey(commitment);
        (bytes32 dataRoot, uint256 size) = ManifestLib.contentOf(manifest);
        bool faulty = ContentJudge.isFaulty(
            proof.contentKey, proof.index, size, dataRoot, proof.ciphertext, proof.commitment, proof.path
        );
        if (!faulty) revert ContentIsRight(proof.index);
    }

    function _endForBuyer(uint256 order, uint256 round, Challenge calldata ended, Ground ground) private {
        _settlements[order][round] = bytes32(uint256(Settlement.PaidBack));
        (OrderData memory data, ListingData storage listing) = _existing(order);
        uint256 paid = uint256(ended.price) + ended.bond;
        emit ChallengeEnded(order, round, ground, data.buyer, paid);
        _payBuyer(listing, data, paid);
    }
}
