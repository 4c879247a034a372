// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {ChaCha20} from "./ChaCha20.sol";
import {MerklePath} from "./MerklePath.sol";

/// @title Whether a chunk of an artifact is what its seller committed to
/// @dev docs/protocol.md §3 "Ciphertext, commitments, data root".
library ContentJudge {
    uint256 private constant CHUNK_SIZE = 4096;
    uint256 private constant BLOCKS_PER_CHUNK = CHUNK_SIZE / 64;

    /// @notice Whether the seller is to blame for chunk `index`: it has another length than the size demands, or does not
    /// decrypt to what was committed. Reverts where the path does not prove that he published this chunk.
    /// @dev The caller has checked `contentKey` against the key commitment, and `size` against ManifestLib.MAX_SIZE.
    function isFaulty(
        uint256 contentKey,
        uint256 index,
        uint256 size,
        bytes32 dataRoot,
        bytes calldata ciphertextChunk,
        bytes32 commitment,
        bytes32[] memory path
    ) internal pure returns (bool) {
        uint256 count = chunkCount(size);
        bytes32 leaf = MerklePath.leafHash(commitment, ciphertextChunk);
        if (MerklePath.root(leaf, index, count, path) != dataRoot) revert IDisputes.NotInTree();
        uint256 length = index == count - 1 ? size - index * CHUNK_SIZE : CHUNK_SIZE;
        return ciphertextChunk.length != length || _commit(contentKey, index, ciphertextChunk) != commitment;
    }

    /// @notice Chunks of a plaintext of `size` bytes: an empty one has one empty chunk.
    function chunkCount(uint256 size) internal pure returns (uint256) {
        return size == 0 ? 1 : (size - 1) / CHUNK_SIZE + 1;
    }

    /// @dev H(0x02 ‖ salt ‖ plaintext)
    function _commit(uint256 contentKey, uint256 index, bytes calldata ciphertextChunk) private pure returns (bytes32) {
        bytes32 streamKey = sha256(abi.encodePacked("numerbay-chain/v1/stream", contentKey));
        bytes32 saltKey = sha256(abi.encodePacked("numerbay-chain/v1/salt", contentKey));
        bytes32 salt = sha256(abi.encodePacked(saltKey, SafeCast.toUint64(index)));
        uint32 counter = SafeCast.toUint32(1 + BLOCKS_PER_CHUNK * index);
        return sha256(abi.encodePacked(bytes1(0x02), salt, ChaCha20.xor(streamKey, counter, 0, ciphertextChunk)));
    }
}
