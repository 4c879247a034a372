// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IMarketplaceTypes} from "../interfaces/IMarketplaceTypes.sol";

/// @title Payments that may be refused
library Transfers {
    /// @notice What a receiver must have had before its refusal counts: otherwise any caller could make a payment fail by
    /// sending too little gas, and a contract that can't collect would never see its money.
    uint256 internal constant RECEIVER_GAS = 300_000;
    /// @dev What the call itself costs (value, cold account), and the 64th that stays here.
    uint256 private constant NEEDED_GAS = (RECEIVER_GAS + 12_000) * 64 / 63;

    /// @notice Send native coin (token 0) or an ERC-20; false if the receiver or the token refused.
    function trySend(address token, address to, uint256 amount) internal returns (bool sent) {
        uint256 left = gasleft();
        sent = token == address(0) ? _trySendNative(to, amount) : SafeERC20.trySafeTransfer(IERC20(token), to, amount);
        if (!sent && left < NEEDED_GAS) revert IMarketplaceTypes.TooLittleGas(left, NEEDED_GAS);
    }

    /// @dev Assembly, so that what the receiver answers is not copied: it could be long enough to burn all gas.
    function _trySendNative(address to, uint256 amount) private returns (bool sent) {
        // solhint-disable-next-line no-inline-assembly, -- Solidity's own call copies the answer
        assembly ("memory-safe") {
            sent := call(gas(), to, amount, 0, 0, 0, 0)
        }
    }
}
