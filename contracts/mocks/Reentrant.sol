// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A call made from within another call, and what came of it
abstract contract Reentrant {
    address public target;
    bytes public attack;
    uint256 public attempts;
    uint256 public successes;
    bytes public answer;

    function arm(address target_, bytes calldata attack_) external {
        (target, attack, attempts, successes, answer) = (target_, attack_, 0, 0, "");
    }

    function _reenter() internal {
        if (attack.length == 0) return;
        attempts += 1;
        bool success;
        (success, answer) = target.call(attack);
        if (success) successes += 1;
    }
}
