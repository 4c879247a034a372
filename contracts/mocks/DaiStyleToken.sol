// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title A token with a domain and nonces, whose permit is not ERC-2612's, as DAI's
contract DaiStyleToken is ERC20Permit {
    constructor() ERC20("Dai style", "DST") ERC20Permit("Dai style") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function permit(address, address, uint256, uint256, uint8, bytes32, bytes32) public pure override {
        revert("another permit than ERC-2612");
    }
}
