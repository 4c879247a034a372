// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title secp256k1 through the ecrecover precompile
/// @dev docs/protocol.md §2 "Disputes": points are checked when they come in. A point is written as its x and has even y.
/// `ecrecover` reverts here where the precompile itself fails (too little gas): "nothing back" is always its answer.
library Secp256k1 {
    /// @notice The order of the group.
    uint256 internal constant N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    /// @dev The address of the group's generator: that of the private key 1.
    address private constant GENERATOR = 0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf;

    /// @notice Whether x is the x-coordinate of a point and 0 < x < N.
    /// @dev ecrecover answers x^-1 * R for hash 0 and s = 1, and nothing where no point R has that x.
    function isX(uint256 x) internal pure returns (bool) {
        return x != 0 && x < N && ecrecover(0, 27, bytes32(x), bytes32(uint256(1))) != address(0);
    }

    /// @notice Whether 0 < k < N.
    function isScalar(uint256 k) internal pure returns (bool) {
        return k != 0 && k < N;
    }

    /// @notice The address of a * B + b * G, B being the point (x, even y); zero for the point at infinity, where a is a
    /// multiple of N, and where x is none of a point's or not in (0, N).
    /// @dev ecrecover answers r^-1 * (s * R - hash * G). Nobody may choose what the address is compared with: two scalars
    /// with equal addresses can be found in 2^80 steps.
    function combine(uint256 x, uint256 a, uint256 b) internal pure returns (address) {
        unchecked {
            // Where N - x wraps, x is no r that ecrecover takes.
            return ecrecover(bytes32(mulmod(b, N - x, N)), 27, bytes32(x), bytes32(mulmod(a, x, N)));
        }
    }

    /// @notice Whether 0 < k < N and k * G is the point (x, even y). Whoever has the k of the other point negates it.
    /// @dev P + (1 - k) * G is compared with G, which nobody chose, instead of k * G with an address of P.
    function isKeyOf(uint256 x, uint256 k) internal pure returns (bool) {
        unchecked {
            return isScalar(k) && combine(x, 1, N - k + 1) == GENERATOR;
        }
    }
}
