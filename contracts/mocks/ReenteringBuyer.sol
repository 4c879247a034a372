// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Actor} from "./Actor.sol";
import {Reentrant} from "./Reentrant.sol";

/// @title A buyer that calls back into the marketplace when it is paid
contract ReenteringBuyer is Actor, Reentrant {
    receive() external payable {
        _reenter();
    }
}
