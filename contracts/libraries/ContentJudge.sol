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
        bytes32 leaf = MerklePath.leafHash(commitment, ciphertextChunk);
        if (MerklePath.root(leaf, index, chunkCount(size), path) != dataRoot) revert IDisputes.NotInTree();
        return
            ciphertextChunk.length != chunkLength(size, index)
                || _commit(contentKey, index, ciphertextChunk) != commitment;
    }

    /// @notice Chunks of a plaintext of `size` bytes: an empty one has one empty chunk.
    function chunkCount(uint256 size) internal pure returns (uint256) {
        return size == 0 ? 1 : (size - 1) / CHUNK_SIZE + 1;
    }

    /// @notice Bytes of chunk `index`, which is below chunkCount: only the last can be shorter than the others.
    function chunkLength(uint256 size, uint256 index) internal pure returns (uint256) {
        return index == chunkCount(size) - 1 ? size - index * CHUNK_SIZE : CHUNK_SIZE;
    }

    /// @notice ChaCha20's block counter where chunk `index` begins; block 0 is not used.
    function firstBlock(uint256 index) internal pure returns (uint32) {
        return SafeCast.toUint32(1 + BLOCKS_PER_CHUNK * index);
    }

    /// @dev H(0x02 ‖ salt ‖ plaintext)
    function _commit(uint256 contentKey, uint256 index, bytes calldata ciphertextChunk) private pure returns (bytes32) {
        bytes32 streamKey = sha256(abi.encodePacked("numerbay-chain/v1/stream", contentKey));
        bytes32 saltKey = sha256(abi.encodePacked("numerbay-chain/v1/salt", contentKey));
        bytes32 salt = sha256(abi.encodePacked(saltKey, SafeCast.toUint64(index)));
        bytes memory plaintext = ChaCha20.xor(streamKey, firstBlock(index), 0, ciphertextChunk);
        return sha256(abi.encodePacked(bytes1(0x02), salt, plaintext));
    }
}
