// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IDisputes} from "./IDisputes.sol";
import {IMarketplaceTypes} from "./IMarketplaceTypes.sol";

/// @title Marketplace for encrypted artifacts
/// @notice Listings are sold in rounds; payments are held per round until the seller has released it and the dispute
/// window is over. No owner, no fee, no upgrade. docs/protocol.md §2 says why each rule is there.
interface IMarketplace is IMarketplaceTypes, IDisputes {
    // ------------------------------------------------------------------------------------------------------ listings

    /// @notice Create a listing; the caller is its seller for good.
    /// @param terms fixed for good; bounds in docs/protocol.md §2
    /// @param offer price, open, details
    /// @param operator hot key that may act for the seller, or 0
    /// @param payout where withdrawals go, not 0
    /// @return listing its id, 1 for the first
    function createListing(Terms calldata terms, Offer calldata offer, address operator, address payout)
        external
        returns (uint256 listing);

    /// @notice Change price, open or details for later orders; by the seller. The version goes up if price or details change.
    /// @param listing id
    /// @param offer the new one
    function changeOffer(uint256 listing, Offer calldata offer) external;

    /// @notice Name another operator, or nobody (0); by the seller.
    /// @param listing id
    /// @param operator may release, deliver, skip, refund and respond
    function setOperator(uint256 listing, address operator) external;

    /// @notice Send later withdrawals elsewhere; by the seller.
    /// @param listing id
    /// @param payout not 0
    function setPayout(uint256 listing, address payout) external;

    // -------------------------------------------------------------------------------------------------------- orders

    /// @notice Buy at the offer's price. The caller pays exactly `price * rounds`; all rights are the recipient's.
    /// @dev Neither a change of the offer nor a release can be slipped in front: both are named and compared.
    /// @param listing id
    /// @param version of the offer that the buyer has seen
    /// @param nextRound of the listing that the buyer has seen
    /// @param out start with the round that is out, nextRound - 1, of an instant listing; else with nextRound
    /// @param rounds 1 to maxRounds
    /// @param recipient has a registered key
    /// @return order id
    function buy(uint256 listing, uint256 version, uint256 nextRound, bool out, uint256 rounds, address recipient)
        external
        payable
        returns (uint256 order);

    /// @notice Buy with an ERC-2612 permit, a voucher, or both.
    /// @param listing id
    /// @param version of the offer that the buyer has seen
    /// @param nextRound of the listing that the buyer has seen
    /// @param out start with the round that is out, nextRound - 1, of an instant listing; else with nextRound
    /// @param rounds 1 to maxRounds, and to the voucher's maxRounds
    /// @param recipient has a registered key
    /// @param permit deadline 0 = none; one that was used in front of this call is no failure
    /// @param voucher listing 0 = none
    /// @param signature the seller's EIP-712 signature of the voucher: ECDSA, or ERC-1271, which may be empty
    /// @return order id
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
    ) external payable returns (uint256 order);

    /// @notice Make a voucher unusable; by the listing's seller.
    /// @param voucher as it was signed
    function revokeVoucher(Voucher calldata voucher) external;

    /// @notice End the order before the round that was just released, within its decline window; by the buyer.
    /// Pays back that round and all later ones. Not for a round bought when it was out, nor for one that the seller has
    /// refunded: cancel then.
    /// @param order id
    /// @param round nextRound - 1
    function decline(uint256 order, uint256 round) external;

    /// @notice End the order after the next round and pay back the later ones at once; by the buyer.
    /// The next round stays owed, so that nobody reads a release and cancels in front of it.
    /// @param order id
    function cancel(uint256 order) external;

    /// @notice Take the next round back too, `noticePeriod` after cancel; by the buyer.
    /// @param order id
    function reclaim(uint256 order) external;

    /// @notice Give all unreleased rounds of an order back; by the seller or operator.
    /// @param order id
    function refund(uint256 order) external;

    /// @notice Give one released round of an order back out of its pot, before it matures; by the seller or operator.
    /// @param order id
    /// @param round released
    /// @param bucket where the order's money for the round lies
    function refundRound(uint256 order, uint256 round, uint256 bucket) external;

    /// @notice Pay a missed round back to the order's buyer; by anyone.
    /// @param order id
    /// @param round missed
    function refundMissed(uint256 order, uint256 round) external;

    // ------------------------------------------------------------------------------------------------------ releases

    /// @notice Release the next round; by the seller or operator. Gas does not depend on the number of orders.
    /// @param listing id
    /// @param round nextRound: a second send fails
    /// @param manifest 288 bytes (docs/protocol.md §2 "Content hash"); empty in a listing of copies
    function release(uint256 listing, uint256 round, bytes calldata manifest) external;

    /// @notice Release the next round and post its envelopes.
    /// @param listing id
    /// @param round nextRound
    /// @param manifest 288 bytes
    /// @param digest sha2-256 of the root block of the envelopes
    /// @param count number of envelopes
    function releaseAndDeliver(uint256 listing, uint256 round, bytes calldata manifest, bytes32 digest, uint256 count)
        external;

    /// @notice Miss the next round: by the seller or operator when he could release it, or by anyone once it is overdue.
    /// @param listing id
    /// @param round nextRound
    function skip(uint256 listing, uint256 round) external;

    /// @notice Post envelopes for a released round, the first ones or later ones; by the seller or operator.
    /// @param listing id
    /// @param round released
    /// @param digest sha2-256 of the root block of the envelopes
    /// @param count number of envelopes
    function deliver(uint256 listing, uint256 round, bytes32 digest, uint256 count) external;

    /// @notice Post the content hashes of orders' own copies; by the seller or operator. A bad item (another listing's
    /// order, one that does not cover the round, a copy posted before, hash 0) is skipped.
    /// @param listing sold as copies
    /// @param round released; in an adjudicated listing only in the first half of its decline window
    /// @param orders ids
    /// @param hashes content hashes, one an order
    function deliverCopies(uint256 listing, uint256 round, uint256[] calldata orders, bytes32[] calldata hashes)
        external;

    // ----------------------------------------------------------------------------------------------------- the money

    /// @notice Pay matured pots to the payout address; by anyone. Reverts if it refuses: the seller can name another.
    /// @param listing id
    /// @param rounds of the pots
    /// @param buckets of the pots, one a round
    function withdraw(uint256 listing, uint256[] calldata rounds, uint256[] calldata buckets) external;

    /// @notice Collect the caller's credit: payments that they refused before.
    /// @param token 0 = native coin
    /// @param to receives it
    function collect(address token, address to) external;

    /// @notice Pay an account its credit; by anyone. For a contract that refused a payment at a bad moment and has no way
    /// to call `collect` itself.
    /// @param account has the credit, and receives it
    /// @param token 0 = native coin
    function collectFor(address account, address token) external;

    // --------------------------------------------------------------------------------------------------------- views

    /// @notice Number of listings; ids are 1 to it.
    function listingCount() external view returns (uint256);

    /// @notice A listing; reverts with NoListing.
    function getListing(uint256 listing) external view returns (Listing memory);

    /// @notice An order; reverts with NoOrder.
    function getOrder(uint256 order) external view returns (Order memory);

    /// @notice The sum of the prices of the orders whose last round is `round - 1`; 0 for rounds up to nextRound.
    function leaving(uint256 listing, uint256 round) external view returns (uint256);

    /// @notice Earned money of a round that matures with a bucket, and whether the release's money went there; nothing of
    /// either once it was withdrawn.
    function pot(uint256 listing, uint256 round, uint256 bucket) external view returns (uint256 amount, bool released);

    /// @notice The bucket of money earned at `timestamp`: (t + declineWindow + disputeWindow) / length + 1.
    function bucketAt(uint256 listing, uint256 timestamp) external view returns (uint256);

    /// @notice When a bucket matures: bucket * length, with length = max(disputeWindow / 4, 60 s).
    function maturityOf(uint256 listing, uint256 bucket) external view returns (uint256);

    /// @notice Whether a round was missed.
    function isMissed(uint256 listing, uint256 round) external view returns (bool);

    /// @notice The content hash promised to an order for a round it covers (else NotCovered); 0 where there is none yet.
    function hashOf(uint256 order, uint256 round) external view returns (bytes32);

    /// @notice How an order's money for a round was settled one by one.
    function settled(uint256 order, uint256 round) external view returns (Settlement);

    /// @notice keccak256 of the ABI-encoded open challenge of an order's round; 0 where there is none.
    function challengeOf(uint256 order, uint256 round) external view returns (bytes32);

    /// @notice When a round was proven faulty; 0 = never.
    function faultyAt(uint256 listing, uint256 round) external view returns (uint256);

    /// @notice When a challenged copy was proven faulty; 0 = never (one that was not challenged is PaidBack).
    function copyFaultyAt(uint256 order, uint256 round) external view returns (uint256);

    /// @notice The contract whose code the calls of IDisputes run, on the marketplace's own storage; made with it, for good.
    function disputes() external view returns (address);

    /// @notice What an account can collect.
    function credit(address account, address token) external view returns (uint256);

    /// @notice EIP-712 digest of a voucher.
    function voucherDigest(Voucher calldata voucher) external view returns (bytes32);

    /// @notice How often a voucher was used; the largest number if it was revoked.
    function voucherUses(bytes32 digest) external view returns (uint256);
}
