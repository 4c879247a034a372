// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A contract that acts in the marketplace: anyone drives it, it makes the calls
abstract contract Actor {
    function execute(address target, uint256 value, bytes calldata data) external returns (bytes memory) {
        return _execute(target, value, data);
    }

    function _execute(address target, uint256 value, bytes memory data) internal returns (bytes memory) {
        (bool success, bytes memory answer) = target.call{value: value}(data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        return answer;
    }
}
