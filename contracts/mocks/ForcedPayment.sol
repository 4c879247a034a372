// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Ether that arrives without asking
contract ForcedPayment {
    constructor() payable {}

    function push(address payable to) external {
        selfdestruct(to);
    }
}
