// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title secp256k1 through the ecrecover precompile
/// @dev docs/protocol.md §2 "Disputes": points are checked when they come in.
library Secp256k1 {
    /// @notice The order of the group.
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    /// @notice Whether x is the x-coordinate of a point and 0 < x < N.
    /// @dev ecrecover answers x^-1 * R for hash 0 and s = 1, and nothing where no point R has that x.
    function isX(uint256 x) internal pure returns (bool) {
        return x != 0 && x < N && ecrecover(0, 27, bytes32(x), bytes32(uint256(1))) != address(0);
    }
}
