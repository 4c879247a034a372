// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Secp256k1} from "./Secp256k1.sol";

/// @title What a response to a challenge says
/// @dev docs/protocol.md §2 "Disputes". Points are x-coordinates that were checked with Secp256k1.isX and have even y.
library KeyJudge {
    bytes32 internal constant DOMAIN = keccak256("numerbay-chain/v1/dispute");

    /// @notice The content key that a response gives to whoever has the one-time key of the challenge.
    /// @param disputeKey Px = x of p * G
    /// @param responseKey Rx
    /// @param secret p
    function open(
        uint256 order,
        uint256 round,
        uint256 disputeKey,
        uint256 responseKey,
        bytes32 sealedKey,
        uint256 secret
    ) internal view returns (uint256 contentKey) {
        address shared = Secp256k1.combine(responseKey, secret, 0);
        return uint256(sealedKey ^ mask(order, round, disputeKey, responseKey, shared));
    }

    /// @notice What hides the content key: `shared` is the address of p * R, which is that of r * P.
    function mask(uint256 order, uint256 round, uint256 disputeKey, uint256 responseKey, address shared)
        internal
        view
        returns (bytes32)
    {
        return
            keccak256(abi.encode(DOMAIN, block.chainid, address(this), order, round, disputeKey, responseKey, shared));
    }
}
