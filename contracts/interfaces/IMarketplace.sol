// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Marketplace for encrypted artifacts
/// @notice Listings are sold in rounds; payments are held per round until the seller has released it and the dispute
/// window is over. No owner, no fee, no upgrade. Amounts are in wei (or the token's smallest unit), times in Unix
/// seconds, windows in seconds. An order id is `listing << 32 | index`. docs/protocol.md §2 says why each rule is there.
interface IMarketplace {
    // ------------------------------------------------------------------------------------------------------- structs

    /// @notice What is fixed for good when a listing is created.
    struct Terms {
        address token; // 0 = native coin, else ERC-20; bonds are in it too
        uint24 supply; // most orders sold at a time, less those ended before their first round; 0 = no cap
        uint16 maxRounds; // most rounds an order may cover, at least 1
        bool instant; // may a buyer buy the round that is already out?
        bool copies; // has every order a ciphertext and a content hash of its own?
        uint40 firstDue; // round r is due at firstDue + r * period; 0 = no schedule
        uint32 period; // 0 = no schedule
        uint32 minInterval; // from a release or voluntary skip to the next
        uint24 declineWindow; // after a release; 0 = the key may come with the release
        uint24 noticePeriod; // from cancel to reclaim
        uint24 disputeWindow; // 0 = not adjudicated: no challenge, no proof
        uint24 responseWindow; // from a challenge to the seller's answer
        uint88 challengeBond; // asked is the lesser of it and a tenth of the order's price
    }

    /// @notice What the seller may change, for later orders only.
    struct Offer {
        uint88 price; // per round
        bool open; // false = only vouchers buy
        bytes32 details; // sha2-256 of a public JSON description that is pinned as one raw block
    }

    /// @notice A listing as it stands.
    struct Listing {
        address seller;
        address operator; // may release, deliver, skip, refund and respond; 0 = nobody but the seller
        address payout; // receives what is withdrawn
        Terms terms;
        Offer offer;
        uint16 version; // of the offer, one up with every change of price or details
        uint24 nextRound; // rounds released or skipped so far
        uint24 orders; // sold so far
        uint24 voided; // of those, ended before their first round (counted where there is a supply)
        uint40 lastTurn; // time of the last release or voluntary skip
        uint88 active; // what the release of nextRound would earn
    }

    /// @notice An order as it stands; it covers rounds first .. first + rounds - 1.
    struct Order {
        address buyer;
        uint24 first;
        uint16 rounds;
        uint88 price; // per round
        uint16 version; // of the offer it was bought at, 65535 = a voucher's price
        uint8 epoch; // of the buyer's key
        uint32 bucket; // of the first round's money if that round was out when it was bought, else 0
        uint40 cancelledAt; // 0 = not cancelled
    }

    /// @notice A seller's signed permission to buy at another price or from a closed listing.
    struct Voucher {
        uint256 listing;
        address buyer; // checked against the caller; 0 = anyone
        uint88 price; // per round, 0 allowed
        uint16 maxRounds; // most rounds of an order bought with it
        uint32 uses; // most orders bought with it
        uint40 deadline; // last second at which it can be used
        uint256 nonce; // tells vouchers apart that are otherwise the same
    }

    /// @notice An ERC-2612 permit of the caller for the marketplace; deadline 0 = none.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice How one order's money for one round ended, where it was settled by itself.
    enum Settlement {
        None,
        Challenged,
        PaidToSeller,
        PaidBack
    }

    // -------------------------------------------------------------------------------------------------------- events

    /// @notice A listing was created; its offer has version 0.
    event ListingCreated(
        uint256 indexed listing, address indexed seller, address operator, address payout, Terms terms, Offer offer
    );
    /// @notice The offer of a listing changed.
    event OfferChanged(uint256 indexed listing, uint256 version, Offer offer);
    /// @notice Another operator may act for the seller, or nobody.
    event OperatorChanged(uint256 indexed listing, address operator);
    /// @notice Later withdrawals go to another address.
    event PayoutChanged(uint256 indexed listing, address payout);
    /// @notice An order was bought and paid for: `price * rounds`.
    event Bought(
        uint256 indexed order,
        address indexed buyer,
        uint256 first,
        uint256 rounds,
        uint256 price,
        uint256 version,
        uint256 epoch,
        uint256 bucket
    );
    /// @notice A voucher was used for an order.
    event VoucherUsed(bytes32 indexed digest, uint256 indexed order);
    /// @notice A voucher can't be used any more.
    event VoucherRevoked(uint256 indexed listing, bytes32 indexed digest);
    /// @notice A round was released; its money matures with `bucket`. The manifest is empty in a listing of copies.
    event Released(
        uint256 indexed listing,
        uint256 indexed round,
        bytes32 contentHash,
        uint256 bucket,
        uint256 releasedAt,
        bytes manifest
    );
    /// @notice A round was missed: every order that covers it is paid back by refundMissed. `lastTurn` is now, or what it was
    /// before if the round was overdue.
    event Skipped(uint256 indexed listing, uint256 indexed round, uint256 lastTurn);
    /// @notice Envelopes were posted: `count` records of 88 bytes, `digest` the one of their IPFS root block.
    event Delivered(uint256 indexed listing, uint256 indexed round, bytes32 digest, uint256 count);
    /// @notice An order's own copy of a round was posted.
    event CopyDelivered(uint256 indexed order, uint256 indexed round, bytes32 contentHash);
    /// @notice The buyer declined a round; the order ends before it.
    event Declined(uint256 indexed order, uint256 indexed round, uint256 paid);
    /// @notice The buyer cancelled; the order ends before round `end`.
    event Cancelled(uint256 indexed order, uint256 end, uint256 cancelledAt, uint256 paid);
    /// @notice The buyer took the last owed round back; the order ends before round `end`.
    event Reclaimed(uint256 indexed order, uint256 end, uint256 paid);
    /// @notice The seller gave all unreleased rounds back; the order ends before round `end`.
    event Refunded(uint256 indexed order, uint256 end, uint256 paid);
    /// @notice The seller gave one released round back, out of its pot.
    event RoundRefunded(uint256 indexed order, uint256 indexed round, uint256 bucket, uint256 paid);
    /// @notice A missed round was paid back to the order's buyer.
    event MissedRefunded(uint256 indexed order, uint256 indexed round, uint256 paid);
    /// @notice A matured pot was paid to the payout address.
    event Withdrawn(
        uint256 indexed listing, uint256 indexed round, uint256 indexed bucket, address payout, uint256 amount
    );
    /// @notice A payment that its receiver refused became his credit.
    event Credited(address indexed account, address indexed token, uint256 amount);
    /// @notice A credit was collected.
    event Collected(address indexed account, address indexed token, address to, uint256 amount);

    // -------------------------------------------------------------------------------------------------------- errors

    /// @notice There is no such listing.
    error NoListing(uint256 listing);
    /// @notice There is no such order.
    error NoOrder(uint256 order);
    /// @notice Only the seller may do this.
    error NotSeller(address caller, address seller);
    /// @notice Only the seller or his operator may do this.
    error NotOperator(address caller, address seller, address operator);
    /// @notice Only the order's buyer may do this.
    error NotBuyer(address caller, address buyer);
    /// @notice A term is out of its bounds.
    error TermOutOfBounds(string term, uint256 value, uint256 least, uint256 most);
    /// @notice A listing of copies that is adjudicated needs a decline window and can't be instant.
    error CopiesNeedDeclineWindow(uint256 declineWindow, uint256 least);
    /// @notice The token has no code at its address.
    error NotAToken(address token);
    /// @notice Money can't be sent to nobody, nor to the marketplace itself.
    error InvalidReceiver(address receiver);
    /// @notice The offer can't change more than 65,534 times.
    error TooManyVersions(uint256 listing);
    /// @notice The listing is closed: only a voucher buys.
    error Closed(uint256 listing);
    /// @notice Every place of the supply is taken.
    error SoldOut(uint256 listing, uint256 supply);
    /// @notice The offer changed since the buyer looked.
    error TermsChanged(uint256 listing, uint256 expected, uint256 current);
    /// @notice A round was released or skipped since the buyer looked.
    error RoundMoved(uint256 listing, uint256 expected, uint256 current);
    /// @notice The round that is out can't be bought in this listing.
    error NotInstant(uint256 listing);
    /// @notice The round should have been released by `due`.
    error Overdue(uint256 listing, uint256 round, uint256 due);
    /// @notice An order covers 1 to `most` rounds.
    error RoundsOutOfBounds(uint256 rounds, uint256 most);
    /// @notice The payment must be exact.
    error WrongPayment(uint256 sent, uint256 expected);
    /// @notice The token took a fee on transfer or lied about it.
    error TokenTookFee(address token, uint256 received, uint256 expected);
    /// @notice The voucher is for another buyer.
    error VoucherNotYours(address caller, address buyer);
    /// @notice The voucher is for another listing.
    error VoucherForOtherListing(uint256 listing, uint256 voucherListing);
    /// @notice The voucher could be used until `deadline`.
    error VoucherExpired(uint256 deadline);
    /// @notice The voucher was used as often as it allows, or revoked.
    error VoucherSpent(bytes32 digest, uint256 uses);
    /// @notice The round named is not the next one: it was released or skipped already, or is not its turn.
    error NotNextRound(uint256 listing, uint256 round, uint256 nextRound);
    /// @notice The release, voluntary skip or reclaim can be made from `earliest` on.
    error TooEarly(uint256 listing, uint256 round, uint256 earliest);
    /// @notice The manifest is not 288 bytes of version 1 with a size in range and a key commitment on the curve.
    error InvalidManifest(string problem);
    /// @notice A release of a listing of copies carries no manifest.
    error ManifestNotWanted(uint256 listing);
    /// @notice The round was not released (yet), or was missed.
    error NotReleased(uint256 listing, uint256 round);
    /// @notice Only the round released last can be declined, or in an adjudicated listing get copies.
    error NotLatest(uint256 listing, uint256 round, uint256 nextRound);
    /// @notice The listing is not sold as copies.
    error NotCopies(uint256 listing);
    /// @notice Two lists that belong together differ in length.
    error LengthsDiffer(uint256 first, uint256 second);
    /// @notice What was asked could be done before `deadline`.
    error TooLate(uint256 deadline);
    /// @notice The order does not cover the round.
    error NotCovered(uint256 order, uint256 round);
    /// @notice A round that was out when it was bought can't be declined.
    error BoughtWhenOut(uint256 order, uint256 round);
    /// @notice The order's money for the round is settled, or challenged.
    error AlreadySettled(uint256 order, uint256 round, Settlement settlement);
    /// @notice The order was cancelled before.
    error AlreadyCancelled(uint256 order);
    /// @notice The order has no round left that could be given back.
    error NothingLeft(uint256 order);
    /// @notice The order was not cancelled: cancel first.
    error NotCancelled(uint256 order);
    /// @notice The round was not missed.
    error NotMissed(uint256 listing, uint256 round);
    /// @notice The order's money for the round does not lie in that bucket.
    error WrongBucket(uint256 order, uint256 round, uint256 bucket);
    /// @notice The pot matures at `maturity`.
    error NotMatured(uint256 listing, uint256 round, uint256 bucket, uint256 maturity);
    /// @notice The pot has matured: the seller may have withdrawn it.
    error Matured(uint256 listing, uint256 round, uint256 bucket, uint256 maturity);
    /// @notice There is nothing to pay to the account in that token.
    error NothingToPay(address account, address token);
    /// @notice A payment failed and its receiver had less than `needed` gas to accept it with: call again with more.
    error TooLittleGas(uint256 left, uint256 needed);
    /// @notice The receiver refused the payment.
    error PaymentRefused(address token, address to, uint256 amount);

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
    /// @param voucher read only if there is a signature
    /// @param signature the seller's EIP-712 signature of the voucher (ECDSA or ERC-1271), empty = no voucher
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

    /// @notice Collect the caller's credit: payments that he refused before.
    /// @param token 0 = native coin
    /// @param to receives it
    function collect(address token, address to) external;

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

    /// @notice What an account can collect.
    function credit(address account, address token) external view returns (uint256);

    /// @notice EIP-712 digest of a voucher.
    function voucherDigest(Voucher calldata voucher) external view returns (bytes32);

    /// @notice How often a voucher was used; the largest number if it was revoked.
    function voucherUses(bytes32 digest) external view returns (uint256);
}
