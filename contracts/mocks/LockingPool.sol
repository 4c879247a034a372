// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IKeyRegistry} from "../interfaces/IKeyRegistry.sol";
import {IMarketplace} from "../interfaces/IMarketplace.sol";

/// @title A pool of several people's money that buys; it takes no payment while its lock is held, and knows no credits
contract LockingPool {
    IMarketplace private immutable _market;
    bool private _locked;
    mapping(address member => uint256) public shares;

    error Locked();
    error NotSent();

    modifier locking() {
        if (_locked) revert Locked();
        _locked = true;
        _;
        _locked = false;
    }

    constructor(IMarketplace market, bytes32 publicKey) {
        _market = market;
        IKeyRegistry(address(market)).register(publicKey, "");
    }

    receive() external payable {
        if (_locked) revert Locked();
    }

    function deposit() external payable {
        shares[msg.sender] += msg.value;
    }

    function buy(uint256 listing, uint256 price) external locking {
        _market.buy{value: price}(listing, 0, 0, false, 1, address(this));
    }

    function withdraw(uint256 amount) external locking {
        shares[msg.sender] -= amount;
        (bool sent,) = msg.sender.call{value: amount}("");
        if (!sent) revert NotSent();
    }
}
