// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IKeyRegistry} from "../interfaces/IKeyRegistry.sol";

/// @title Buyers' X25519 public keys
/// @dev Inherited by the marketplace, behind its storage: a purchase reads the epoch from its own storage.
abstract contract KeyRegistry is IKeyRegistry, EIP712("numerbay_chain", "1") {
    bytes32 private constant REGISTRATION_TYPEHASH =
        keccak256("Registration(address owner,bytes32 publicKey,bytes32 backupHash,uint256 nonce,uint256 deadline)");
    /// @dev An order keeps the epoch in one byte.
    uint256 private constant MAX_KEYS = 255;

    mapping(address owner => bytes32[]) private _keys;

    /// @inheritdoc IKeyRegistry
    function register(bytes32 publicKey, bytes calldata backup) external returns (uint256) {
        return _register(msg.sender, publicKey, backup);
    }

    /// @inheritdoc IKeyRegistry
    function registerFor(
        address owner,
        bytes32 publicKey,
        bytes calldata backup,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256) {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(
                    REGISTRATION_TYPEHASH, owner, publicKey, keccak256(backup), registrationNonce(owner), deadline
                )
            )
        );
        if (!SignatureChecker.isValidSignatureNow(owner, digest, signature)) revert InvalidSignature(owner);
        return _register(owner, publicKey, backup);
    }

    /// @inheritdoc IKeyRegistry
    function keyAt(address owner, uint256 epoch) external view returns (bytes32) {
        bytes32[] storage keys = _keys[owner];
        if (epoch == 0 || epoch > keys.length) revert NoKey(owner, epoch);
        return keys[epoch - 1];
    }

    /// @inheritdoc IKeyRegistry
    function currentKey(address owner) external view returns (uint256 epoch, bytes32 publicKey) {
        bytes32[] storage keys = _keys[owner];
        epoch = keys.length;
        if (epoch != 0) publicKey = keys[epoch - 1];
    }

    /// @inheritdoc IKeyRegistry
    function registrationNonce(address owner) public view returns (uint256) {
        return _keys[owner].length;
    }

    function _currentEpoch(address owner) internal view returns (uint8 epoch) {
        // register keeps the number of keys within a byte
        epoch = uint8(_keys[owner].length);
        if (epoch == 0) revert NoKey(owner, 0);
    }

    function _register(address owner, bytes32 publicKey, bytes calldata backup) private returns (uint256 epoch) {
        if (_isSmallOrder(publicKey)) revert SmallOrderKey(publicKey);
        bytes32[] storage keys = _keys[owner];
        if (keys.length == MAX_KEYS) revert TooManyKeys(owner);
        keys.push(publicKey);
        epoch = keys.length;
        emit KeyRegistered(owner, epoch, publicKey, backup);
    }

    /// @dev The seven encodings of points of small order below 2^255; X25519 ignores the high bit (of the last byte).
    function _isSmallOrder(bytes32 publicKey) private pure returns (bool) {
        bytes32 u = publicKey & ~bytes32(uint256(0x80));
        return u == 0x0000000000000000000000000000000000000000000000000000000000000000
            || u == 0x0100000000000000000000000000000000000000000000000000000000000000
            || u == 0xe0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800
            || u == 0x5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157
            || u == 0xecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
            || u == 0xedffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f
            || u == 0xeeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f;
    }
}
