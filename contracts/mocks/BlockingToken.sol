// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title An ERC-20 that refuses transfers to receivers on a list: it reverts, or it answers false
contract BlockingToken is ERC20("Blocking", "BLK") {
    enum Refusal {
        None,
        Reverts,
        AnswersFalse
    }

    mapping(address account => Refusal refusal) public refusalOf;

    error Blocked(address account);

    function setRefusal(address account, Refusal refusal) external {
        refusalOf[account] = refusal;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (_refuses(to)) return false;
        return super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (_refuses(to)) return false;
        return super.transferFrom(from, to, amount);
    }

    function _refuses(address account) private view returns (bool) {
        if (refusalOf[account] == Refusal.Reverts) revert Blocked(account);
        return refusalOf[account] == Refusal.AnswersFalse;
    }
}
