// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Buyers' X25519 public keys
/// @notice Keys are appended, never replaced: an order names the epoch it was bought with, so nobody can rotate a key
/// to claim that an envelope is unreadable. docs/protocol.md §2.
interface IKeyRegistry {
    /// @notice A key was registered.
    /// @param owner whose key it is
    /// @param epoch 1 for the owner's first key, one more for each later one
    /// @param publicKey X25519, little endian as in RFC 7748
    /// @param backup opaque bytes for the owner alone (the private key encrypted by him), or nothing
    event KeyRegistered(address indexed owner, uint256 indexed epoch, bytes32 publicKey, bytes backup);

    /// @notice Sealing to this point would reveal the message: it is of small order.
    error SmallOrderKey(bytes32 publicKey);
    /// @notice An owner can register 255 keys.
    error TooManyKeys(address owner);
    /// @notice The owner has no key of that epoch.
    error NoKey(address owner, uint256 epoch);
    /// @notice The signature could only be used until `deadline`, in Unix seconds.
    error SignatureExpired(uint256 deadline);
    /// @notice The signature is not `signer`'s (ECDSA or ERC-1271).
    error InvalidSignature(address signer);

    /// @notice Append a key for the caller.
    /// @param publicKey X25519 public key, not of small order
    /// @param backup opaque bytes that go into the event only
    /// @return epoch of the new key
    function register(bytes32 publicKey, bytes calldata backup) external returns (uint256 epoch);

    /// @notice Append a key for `owner`, who signed it; anyone may pay the gas.
    /// @param owner signer, an account or an ERC-1271 contract
    /// @param publicKey X25519 public key, not of small order
    /// @param backup opaque bytes that go into the event only
    /// @param deadline Unix seconds until which the signature can be used
    /// @param signature EIP-712 over Registration(owner, publicKey, keccak256(backup), registrationNonce(owner), deadline)
    /// @return epoch of the new key
    function registerFor(
        address owner,
        bytes32 publicKey,
        bytes calldata backup,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 epoch);

    /// @notice The owner's key of an epoch; reverts with NoKey where there is none.
    /// @param owner whose key
    /// @param epoch 1 for the first key
    /// @return publicKey X25519 public key
    function keyAt(address owner, uint256 epoch) external view returns (bytes32 publicKey);

    /// @notice The owner's newest key.
    /// @param owner whose key
    /// @return epoch of it, 0 where the owner has none
    /// @return publicKey of it, 0 where the owner has none
    function currentKey(address owner) external view returns (uint256 epoch, bytes32 publicKey);

    /// @notice The nonce that the owner's next signed registration must carry: the number of his keys, so that keys are
    /// appended in the order that he meant.
    /// @param owner who signs
    /// @return nonce one up with every key
    function registrationNonce(address owner) external view returns (uint256 nonce);
}
