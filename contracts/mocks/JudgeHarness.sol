// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IDisputes} from "../interfaces/IDisputes.sol";
import {ChaCha20} from "../libraries/ChaCha20.sol";
import {ContentJudge} from "../libraries/ContentJudge.sol";
import {KeyJudge} from "../libraries/KeyJudge.sol";
import {MerklePath} from "../libraries/MerklePath.sol";
import {Secp256k1} from "../libraries/Secp256k1.sol";

/// @title The judge's libraries, one call each
contract JudgeHarness {
    function isX(uint256 x) external pure returns (bool) {
        return Secp256k1.isX(x);
    }

    function isScalar(uint256 k) external pure returns (bool) {
        return Secp256k1.isScalar(k);
    }

    function combine(uint256 x, uint256 a, uint256 b) external pure returns (address) {
        return Secp256k1.combine(x, a, b);
    }

    function isKeyOf(uint256 x, uint256 k) external pure returns (bool) {
        return Secp256k1.isKeyOf(x, k);
    }

    function xor(bytes32 key, uint32 counter, bytes12 nonce, bytes calldata data) external pure returns (bytes memory) {
        return ChaCha20.xor(key, counter, nonce, data);
    }

    function leafHash(bytes32 commitment, bytes calldata ciphertext) external pure returns (bytes32) {
        return MerklePath.leafHash(commitment, ciphertext);
    }

    function root(bytes32 leaf, uint256 index, uint256 count, bytes32[] calldata path) external pure returns (bytes32) {
        return MerklePath.root(leaf, index, count, path);
    }

    function isFaulty(IDisputes.ContentProof calldata proof, uint256 size, bytes32 dataRoot)
        external
        pure
        returns (bool)
    {
        return ContentJudge.isFaulty(
            proof.contentKey, proof.index, size, dataRoot, proof.ciphertext, proof.commitment, proof.path
        );
    }

    function mask(uint256 order, uint256 round, uint256 disputeKey, uint256 responseKey, address shared)
        external
        view
        returns (bytes32)
    {
        return KeyJudge.mask(order, round, disputeKey, responseKey, shared);
    }

    function open(uint256 order, uint256 round, IDisputes.Challenge calldata answered, uint256 secret)
        external
        view
        returns (uint256)
    {
        return KeyJudge.open(order, round, answered.disputeKey, answered.responseKey, answered.sealedKey, secret);
    }
}
