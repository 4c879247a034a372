// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the checks use of the prover's cheat codes
interface Vm {
    function assume(bool condition) external pure;
    function warp(uint256 timestamp) external;
    function prank(address caller) external;
    function deal(address account, uint256 balance) external;
}

/// @title A contract whose functions named check_… hold for all arguments
abstract contract Checks {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
}
