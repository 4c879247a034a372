// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IDisputes} from "../interfaces/IDisputes.sol";

/// @title Inclusion proofs in the Merkle tree of RFC 6962 §2.1, over SHA-256
library MerklePath {
    /// @notice H(0x00 ‖ commitment ‖ ciphertext)
    function leafHash(bytes32 commitment, bytes calldata ciphertext) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), commitment, ciphertext));
    }

    /// @notice The root that `path`, from the leaf up, leads to (RFC 9162 §2.1.3.2).
    /// Reverts unless a tree of `count` leaves has a leaf `index` and that leaf's path has this length.
    function root(bytes32 leaf, uint256 index, uint256 count, bytes32[] memory path)
        internal
        pure
        returns (bytes32 node)
    {
        if (index >= count) revert IDisputes.NoSuchLeaf(index, count);
        uint256 last = count - 1;
        node = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            if (last == 0) revert IDisputes.WrongPathLength(path.length);
            if (index & 1 == 1 || index == last) {
                node = _nodeHash(path[i], node);
                // A node without a sibling rises as it is.
                while (index & 1 == 0 && index != 0) {
                    index >>= 1;
                    last >>= 1;
                }
            } else {
                node = _nodeHash(node, path[i]);
            }
            index >>= 1;
            last >>= 1;
        }
        if (last != 0) revert IDisputes.WrongPathLength(path.length);
    }

    function _nodeHash(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x01), left, right));
    }
}
