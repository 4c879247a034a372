// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketplaceTypes} from "../interfaces/IMarketplaceTypes.sol";
import {Secp256k1} from "./Secp256k1.sol";

/// @title What the contract checks of a manifest
/// @dev Nine words, docs/protocol.md §2 "Content hash": version, key commitment (x of k * G), key salt, data root, size of
/// the plaintext in bytes, digests of ciphertext, commitments and details, custody (0 = none).
library ManifestLib {
    uint256 internal constant LENGTH = 288;
    uint256 internal constant VERSION = 1;
    /// @notice ChaCha20's 32-bit block counter starts at 1.
    uint256 internal constant MAX_SIZE = 256 * 2 ** 30 - 64;

    /// @notice Revert with InvalidManifest unless it is one.
    function check(bytes calldata encoded) internal pure {
        if (encoded.length != LENGTH) revert IMarketplaceTypes.InvalidManifest("length");
        (uint256 version, uint256 keyCommitment,,, uint256 size) =
            abi.decode(encoded, (uint256, uint256, bytes32, bytes32, uint256));
        if (version != VERSION) revert IMarketplaceTypes.InvalidManifest("version");
        if (size > MAX_SIZE) revert IMarketplaceTypes.InvalidManifest("size");
        if (!Secp256k1.isX(keyCommitment)) revert IMarketplaceTypes.InvalidManifest("key commitment");
    }

    /// @notice x of the point of the content key, of a manifest that was checked.
    function keyCommitmentOf(bytes calldata encoded) internal pure returns (uint256) {
        return uint256(bytes32(encoded[32:64]));
    }

    /// @notice Data root, and size of the plaintext in bytes, of a manifest that was checked.
    function contentOf(bytes calldata encoded) internal pure returns (bytes32 dataRoot, uint256 size) {
        return (bytes32(encoded[96:128]), uint256(bytes32(encoded[128:160])));
    }
}
