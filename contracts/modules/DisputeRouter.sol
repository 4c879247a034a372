// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {IDisputes} from "../interfaces/IDisputes.sol";
import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {Disputes} from "../Disputes.sol";

// solhint-disable no-unused-vars, -- the names are the ABI's: the arguments go on as they came

/// @title The calls whose code lies in the contract Disputes
/// @dev That contract is made by this one's constructor and never changes: its address is this contract's first CREATE.
/// Parameters are named for the ABI's sake alone; solc warns that they are not used.
abstract contract DisputeRouter is IMarketplace {
    address private immutable _disputes = address(new Disputes());

    /// @inheritdoc IMarketplace
    function disputes() external view returns (address) {
        return _disputes;
    }

    /// @inheritdoc IDisputes
    function challenge(uint256 order, uint256 round, uint256 bucket, uint256 disputeKey) external payable {
        _run();
    }

    // IDisputes has each argument on a line of its own.
    // forgefmt: disable-next-item
    /// @inheritdoc IDisputes
    function respond(
        uint256 order, uint256 round, Challenge calldata opened, bytes calldata manifest,
        uint256 responseKey, bytes32 sealedKey
    ) external {
        _run();
    }

    /// @inheritdoc IDisputes
    function claimTimeout(uint256 order, uint256 round, Challenge calldata opened) external {
        _run();
    }

    /// @inheritdoc IDisputes
    function proveWrongKey(uint256 order, uint256 round, Challenge calldata answered, uint256 privateKey) external {
        _run();
    }

    /// @inheritdoc IDisputes
    function settleChallenge(uint256 order, uint256 round, Challenge calldata opened) external {
        _run();
    }

    /// @inheritdoc IDisputes
    function proveWrongContent(uint256 listing, uint256 round, bytes calldata manifest, ContentProof calldata proof)
        external
    {
        _run();
    }

    // IDisputes has each argument on a line of its own.
    // forgefmt: disable-next-item
    /// @inheritdoc IDisputes
    function proveWrongCopy(
        uint256 order, uint256 round, uint256 bucket, bytes calldata manifest, ContentProof calldata proof
    ) external {
        _run();
    }

    /// @inheritdoc IDisputes
    function refundFaulty(uint256 order, uint256 round, uint256 bucket) external {
        _run();
    }

    function _run() private {
        // slither-disable-next-line unused-return, -- none of these calls answers anything
        Address.functionDelegateCall(_disputes, msg.data);
    }
}
