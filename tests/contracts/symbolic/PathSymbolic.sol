// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ContentJudge} from "../../../contracts/libraries/ContentJudge.sol";
import {ManifestLib} from "../../../contracts/libraries/ManifestLib.sol";
import {MerklePath} from "../../../contracts/libraries/MerklePath.sol";
import {Checks} from "./Vm.sol";

/// @title The content judge's arithmetic, for every size that a manifest may have
contract PathSymbolic is Checks {
    uint256 private constant CHUNK = 4096;

    /// @dev The chunks cover the file without a gap: all but the last are full, the last is not empty but in an empty file.
    function check_chunks_cover_the_file(uint256 size) external pure {
        VM.assume(size <= ManifestLib.MAX_SIZE);
        uint256 count = ContentJudge.chunkCount(size);
        assert(count >= 1 && count <= 2 ** 26);
        assert(CHUNK * count >= size);
        assert(size == 0 ? count == 1 : CHUNK * (count - 1) < size);
    }

    /// @dev No chunk is longer than a chunk, none reaches beyond the file, and only the last one is shorter.
    function check_lengths_do_not_wrap(uint256 size, uint256 index) external pure {
        VM.assume(size <= ManifestLib.MAX_SIZE);
        uint256 count = ContentJudge.chunkCount(size);
        VM.assume(index < count);
        uint256 length = ContentJudge.chunkLength(size, index);
        assert(length <= CHUNK);
        assert(index * CHUNK + length <= size);
        assert(index + 1 == count ? index * CHUNK + length == size : length == CHUNK);
    }

    /// @dev ChaCha20's counter of 32 bits never comes to its end within a chunk, and no two chunks share a block.
    function check_the_counter_does_not_wrap(uint256 size, uint256 index) external pure {
        VM.assume(size <= ManifestLib.MAX_SIZE);
        VM.assume(index < ContentJudge.chunkCount(size));
        uint256 first = ContentJudge.firstBlock(index);
        uint256 blocks = (ContentJudge.chunkLength(size, index) + 63) / 64;
        assert(first >= 1 && first + blocks <= 2 ** 32);
        assert(index == 0 || uint256(ContentJudge.firstBlock(index - 1)) + CHUNK / 64 <= first);
    }

    // The path, for every leaf of every tree of at most seven leaves, every path of up to four hashes and all contents: the
    // library says what RFC 6962 §2.1.1 says, or refuses.

    function check_path_of_none(bytes32 leaf, uint256 index, uint256 count) external view {
        _check(leaf, index, count, new bytes32[](0));
    }

    function check_path_of_one(bytes32 leaf, uint256 index, uint256 count, bytes32 a) external view {
        bytes32[] memory path = new bytes32[](1);
        path[0] = a;
        _check(leaf, index, count, path);
    }

    function check_path_of_two(bytes32 leaf, uint256 index, uint256 count, bytes32 a, bytes32 b) external view {
        bytes32[] memory path = new bytes32[](2);
        (path[0], path[1]) = (a, b);
        _check(leaf, index, count, path);
    }

    function check_path_of_three(bytes32 leaf, uint256 index, uint256 count, bytes32 a, bytes32 b, bytes32 c)
        external
        view
    {
        bytes32[] memory path = new bytes32[](3);
        (path[0], path[1], path[2]) = (a, b, c);
        _check(leaf, index, count, path);
    }

    function check_path_of_four(bytes32 leaf, uint256 index, uint256 count, bytes32[4] memory four) external view {
        bytes32[] memory path = new bytes32[](4);
        (path[0], path[1], path[2], path[3]) = (four[0], four[1], four[2], four[3]);
        _check(leaf, index, count, path);
    }

    function check_false_no_path_is_ever_right(bytes32 leaf, uint256 index, bytes32 a) external view {
        bytes32[] memory path = new bytes32[](1);
        path[0] = a;
        _check(leaf, index, 2, path);
        assert(index > 1);
    }

    function root(bytes32 leaf, uint256 index, uint256 count, bytes32[] memory path) external pure returns (bytes32) {
        return MerklePath.root(leaf, index, count, path);
    }

    function _check(bytes32 leaf, uint256 index, uint256 count, bytes32[] memory path) private view {
        VM.assume(count <= 7);
        bool right = index < count && path.length == _length(index, count);
        try this.root(leaf, index, count, path) returns (bytes32 found) {
            assert(right);
            assert(found == _root(leaf, index, count, path, path.length));
        } catch {
            assert(!right);
        }
    }

    /// @dev RFC 6962: a tree of more than one leaf has the largest power of two below its size on the left.
    function _half(uint256 count) private pure returns (uint256) {
        return count > 4 ? 4 : count > 2 ? 2 : 1;
    }

    function _length(uint256 index, uint256 count) private pure returns (uint256) {
        if (count == 1) return 0;
        uint256 half = _half(count);
        return 1 + (index < half ? _length(index, half) : _length(index - half, count - half));
    }

    function _root(bytes32 leaf, uint256 index, uint256 count, bytes32[] memory path, uint256 end)
        private
        pure
        returns (bytes32)
    {
        if (count == 1) return leaf;
        uint256 half = _half(count);
        bytes32 beside = path[end - 1];
        return index < half
            ? sha256(abi.encodePacked(bytes1(0x01), _root(leaf, index, half, path, end - 1), beside))
            : sha256(abi.encodePacked(bytes1(0x01), beside, _root(leaf, index - half, count - half, path, end - 1)));
    }
}
