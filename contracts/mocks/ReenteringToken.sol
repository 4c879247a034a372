// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {Actor} from "./Actor.sol";
import {Reentrant} from "./Reentrant.sol";

/// @title A hostile ERC-20 that calls back whenever it is asked to do something; it can be seller, buyer and payer itself
contract ReenteringToken is ERC20("Reentering", "REE"), Actor, Reentrant {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        _reenter();
        return super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        _reenter();
        return super.transferFrom(from, to, amount);
    }

    /// @dev A static call can't keep a record, but it can try.
    function balanceOf(address account) public view override returns (uint256) {
        if (attack.length > 0) {
            (bool success,) = target.staticcall(attack);
            if (success) return 0; // the marketplace let it in: make the books disagree, so that a test notices
        }
        return super.balanceOf(account);
    }
}
