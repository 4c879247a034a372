// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Disputes: the contract judges, nobody else
/// @notice Who got no key, a wrong key, or content other than what was committed to proves it here and is paid back.
/// Deadlines: until and with their second to answer or prove, after it to claim or settle. docs/protocol.md §2 "Disputes".
interface IDisputes {
    // ------------------------------------------------------------------------------------------------------- structs

    /// @notice An order's buyer asks for the content key of one round. The contract keeps the hash of this alone: whoever
    /// calls gives it back as the events told it.
    struct Challenge {
        uint256 disputeKey; // x of the buyer's one-time secp256k1 point, whose y is even
        uint32 bucket; // where its price lay: proofs count at least until that matures
        uint88 price; // what the round cost, out of its pot
        uint88 bond;
        uint40 challengedAt;
        uint40 respondedAt; // 0 = no answer yet, and nothing below
        uint256 responseKey; // x of the seller's one-time point, whose y is even
        bytes32 sealedKey; // content key XOR a mask that the two one-time keys give
        uint256 keyCommitment; // x of content key * G, out of the manifest
    }

    /// @notice One chunk that does not decrypt to what was committed to. Whoever sends it makes the content key public.
    struct ContentProof {
        uint256 contentKey;
        uint256 index; // of the chunk
        bytes32 commitment; // to the plaintext of the chunk
        bytes ciphertext; // of the chunk
        bytes32[] path; // RFC 6962 audit path of the chunk's leaf, from the leaf up
    }

    /// @notice Why a challenge ended.
    enum Ground {
        NoResponse,
        WrongKey,
        WrongContent,
        NothingProven
    }

    // -------------------------------------------------------------------------------------------------------- events

    /// @notice A buyer challenged a round: its price left the pot of `bucket`.
    event Challenged(
        uint256 indexed order,
        uint256 indexed round,
        uint256 bucket,
        uint256 disputeKey,
        uint256 price,
        uint256 bond,
        uint256 challengedAt
    );
    /// @notice The seller answered a challenge: the rest of its fields.
    event Responded(
        uint256 indexed order,
        uint256 indexed round,
        uint256 respondedAt,
        uint256 responseKey,
        bytes32 sealedKey,
        uint256 keyCommitment
    );
    /// @notice A challenge ended; price and bond, `paid` together, went to the order's buyer or the seller's payout address.
    event ChallengeEnded(uint256 indexed order, uint256 indexed round, Ground ground, address receiver, uint256 paid);
    /// @notice A round was proven faulty: what had not matured by now goes back to the buyers.
    event RoundFaulty(uint256 indexed listing, uint256 indexed round, uint256 chunk, uint256 faultyAt);
    /// @notice An order's own copy of a round was proven faulty.
    event CopyFaulty(uint256 indexed order, uint256 indexed round, uint256 chunk, uint256 faultyAt);
    /// @notice A faulty round or copy was paid back to the order's buyer, out of the pot of `bucket`. The order ends before
    /// round `end`: if this was its last one, before it.
    event FaultyRefunded(uint256 indexed order, uint256 indexed round, uint256 bucket, uint256 end, uint256 paid);

    // -------------------------------------------------------------------------------------------------------- errors

    /// @notice The listing's disputeWindow is 0: it takes no challenge and no proof.
    error NotAdjudicated(uint256 listing);
    /// @notice The decline window of the round is open: decline, or challenge from `earliest` on.
    error Declinable(uint256 order, uint256 round, uint256 earliest);
    /// @notice No point of secp256k1 has that x-coordinate, or it is not below the order of the group.
    error InvalidPoint(uint256 x);
    /// @notice There is no open challenge, or it is not the one given.
    error NotTheChallenge(uint256 order, uint256 round, bytes32 challengeHash);
    /// @notice The challenge was answered before.
    error AlreadyResponded(uint256 order, uint256 round, uint256 respondedAt);
    /// @notice The challenge was not answered yet.
    error NotResponded(uint256 order, uint256 round);
    /// @notice This can be done after the second `deadline`.
    error StillOpen(uint256 deadline);
    /// @notice The manifest is not the one whose hash was posted.
    error WrongManifest(bytes32 expected, bytes32 found);
    /// @notice That is not the private key of the challenge's one-time key, or its point has an odd y.
    error NotTheDisputeKey(uint256 disputeKey);
    /// @notice The seller answered with the key that he committed to.
    error KeyIsRight(uint256 order, uint256 round);
    /// @notice That is not the content key, or its point has an odd y.
    error NotTheContentKey(uint256 keyCommitment);
    /// @notice An artifact of `count` chunks has no chunk `index`.
    error NoSuchLeaf(uint256 index, uint256 count);
    /// @notice The chunk's audit path has another length.
    error WrongPathLength(uint256 length);
    /// @notice The chunk with its commitment is not the one that the seller published under this index.
    error NotInTree();
    /// @notice The chunk is what the seller committed to.
    error ContentIsRight(uint256 chunk);
    /// @notice The round or copy was proven faulty before.
    error AlreadyFaulty(uint256 faultyAt);
    /// @notice The round was not proven faulty before this order's money for it matured.
    error NotFaulty(uint256 listing, uint256 round);

    // ----------------------------------------------------------------------------------------------------- functions

    /// @notice Ask for the content key of a released round; by the order's buyer, once, after the round's decline window
    /// and before his money for it matures. Pays the bond: min(challengeBond, price / 10), exact.
    /// @param order id
    /// @param round released and covered by the order
    /// @param bucket where the order's money for the round lies
    /// @param disputeKey x of a one-time secp256k1 point, whose y is even; its private key is what proveWrongKey reveals
    function challenge(uint256 order, uint256 round, uint256 bucket, uint256 disputeKey) external payable;

    /// @notice Answer a challenge with the content key, sealed to its one-time key; by the seller or operator, once, within
    /// responseWindow.
    /// @param order id
    /// @param round challenged
    /// @param opened the challenge
    /// @param manifest whose hash was posted for the order
    /// @param responseKey x of a one-time secp256k1 point of the seller's, whose y is even
    /// @param sealedKey content key XOR mask (docs/protocol.md §2 "Disputes")
    function respond(
        uint256 order,
        uint256 round,
        Challenge calldata opened,
        bytes calldata manifest,
        uint256 responseKey,
        bytes32 sealedKey
    ) external;

    /// @notice Pay price and bond back to the order's buyer where no answer came within responseWindow; by anyone.
    /// @param order id
    /// @param round challenged
    /// @param opened the challenge
    function claimTimeout(uint256 order, uint256 round, Challenge calldata opened) external;

    /// @notice Prove that the seller answered with another key than he committed to; by anyone, price and bond go to the
    /// order's buyer. Until the proof window is over: disputeWindow after the answer, and not before the challenged money
    /// would have matured.
    /// @dev A right key reverts, and whoever sent this has told it to the world.
    /// @param order id
    /// @param round challenged
    /// @param answered the challenge
    /// @param privateKey of the challenge's one-time key
    function proveWrongKey(uint256 order, uint256 round, Challenge calldata answered, uint256 privateKey) external;

    /// @notice End a challenge; by anyone. To the seller once the proof window is over and nothing was proven; to the
    /// order's buyer, at once, where the round or copy was proven faulty before that.
    /// @param order id
    /// @param round challenged
    /// @param opened the challenge
    function settleChallenge(uint256 order, uint256 round, Challenge calldata opened) external;

    /// @notice Prove that a release does not decrypt to what was committed to; by anyone who holds the content key. Pots
    /// that have not matured can then never be withdrawn: refundFaulty pays each order back.
    /// @param listing id
    /// @param round released
    /// @param manifest of the release
    /// @param proof of one chunk
    function proveWrongContent(uint256 listing, uint256 round, bytes calldata manifest, ContentProof calldata proof)
        external;

    /// @notice Prove the same of an order's own copy; by anyone who holds its content key. Pays the order's buyer back at
    /// once if his money has not matured; a challenged one is paid back by settleChallenge.
    /// @param order id
    /// @param round released
    /// @param bucket where the order's money for the round lies; not read where it is challenged
    /// @param manifest of the copy
    /// @param proof of one chunk
    function proveWrongCopy(
        uint256 order,
        uint256 round,
        uint256 bucket,
        bytes calldata manifest,
        ContentProof calldata proof
    ) external;

    /// @notice Pay a faulty round back to the order's buyer; by anyone, at any later time.
    /// @param order id
    /// @param round proven faulty before the order's money for it had matured
    /// @param bucket where the order's money for the round lies
    function refundFaulty(uint256 order, uint256 round, uint256 bucket) external;
}
