// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the marketplace stores, tells and refuses
/// @notice Amounts are in wei (or the token's smallest unit), times in Unix seconds, windows in seconds. An order id is
/// `listing << 32 | index`. docs/protocol.md §2.
interface IMarketplaceTypes {
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
        uint88 challengeBond; // asked is the lesser of it and a tenth of the price per round
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
    /// @notice The round was proven faulty at `faultyAt`: it can't be bought, and what had not matured is the buyers'.
    error Faulty(uint256 listing, uint256 round, uint256 faultyAt);
    /// @notice There is nothing to pay to the account in that token.
    error NothingToPay(address account, address token);
    /// @notice A payment failed and its receiver had less than `needed` gas to accept it with: call again with more.
    error TooLittleGas(uint256 left, uint256 needed);
    /// @notice The receiver refused the payment.
    error PaymentRefused(address token, address to, uint256 amount);
}
