// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Actor} from "./Actor.sol";
import {Reentrant} from "./Reentrant.sol";

/// @title A buyer that refuses payment, in one of the ways a contract has; armed, it calls back when it accepts one
contract RefusingBuyer is Actor, Reentrant {
    enum Manner {
        Accepts,
        Reverts,
        RevertsWithBomb,
        BurnsGas
    }

    Manner public manner;

    error NoThanks();

    function setManner(Manner manner_) external {
        manner = manner_;
    }

    receive() external payable {
        if (manner == Manner.Reverts) revert NoThanks();
        if (manner == Manner.RevertsWithBomb) {
            assembly ("memory-safe") {
                revert(0, 1000000)
            }
        }
        if (manner == Manner.BurnsGas) {
            assembly ("memory-safe") {
                invalid()
            }
        }
        _reenter();
    }
}
