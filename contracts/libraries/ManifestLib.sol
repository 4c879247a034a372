// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {Secp256k1} from "./Secp256k1.sol";

/// @notice The manifest's nine words, docs/protocol.md §2 "Content hash".
struct Manifest {
    uint256 version;
    uint256 keyCommitment; // x of P = k * G
    bytes32 keySalt;
    bytes32 dataRoot;
    uint256 size; // of the plaintext, bytes
    bytes32 ciphertextDigest;
    bytes32 commitmentsDigest;
    bytes32 detailsDigest;
    bytes32 custody; // 0 = none
}

/// @title What the contract checks of a manifest
library ManifestLib {
    uint256 internal constant LENGTH = 288;
    uint256 internal constant VERSION = 1;
    /// @notice ChaCha20's 32-bit block counter starts at 1.
    uint256 internal constant MAX_SIZE = 256 * 2 ** 30 - 64;

    /// @notice Revert with InvalidManifest unless it is one.
    function check(bytes calldata encoded) internal pure {
        if (encoded.length != LENGTH) revert IMarketplace.InvalidManifest("length");
        Manifest memory manifest = abi.decode(encoded, (Manifest));
        if (manifest.version != VERSION) revert IMarketplace.InvalidManifest("version");
        if (manifest.size > MAX_SIZE) revert IMarketplace.InvalidManifest("size");
        if (!Secp256k1.isX(manifest.keyCommitment)) revert IMarketplace.InvalidManifest("key commitment");
    }
}
