// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Actor} from "./Actor.sol";

/// @title A buyer that refuses payment, in one of the ways a contract has
contract RefusingBuyer is Actor {
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
    }
}
