// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {KeyRegistry} from "./KeyRegistry.sol";
import {Storage} from "./Storage.sol";

/// @title Seller-signed vouchers
abstract contract Vouchers is IMarketplace, Storage, KeyRegistry {
    bytes32 private constant VOUCHER_TYPEHASH = keccak256(
        "Voucher(uint256 listing,address buyer,uint88 price,uint16 maxRounds,uint32 uses,uint40 deadline,uint256 nonce)"
    );
    uint256 private constant REVOKED = type(uint256).max;

    /// @inheritdoc IMarketplace
    mapping(bytes32 digest => uint256) public voucherUses;

    /// @inheritdoc IMarketplace
    function revokeVoucher(Voucher calldata voucher) external {
        _requireSeller(voucher.listing);
        bytes32 digest = voucherDigest(voucher);
        voucherUses[digest] = REVOKED;
        emit VoucherRevoked(voucher.listing, digest);
    }

    /// @inheritdoc IMarketplace
    function voucherDigest(Voucher calldata voucher) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(VOUCHER_TYPEHASH, voucher)));
    }

    function _useVoucher(
        uint256 listing,
        uint256 order,
        uint256 rounds,
        Voucher calldata voucher,
        bytes calldata signature
    ) internal {
        if (voucher.listing != listing) {
            revert VoucherForOtherListing(listing, voucher.listing);
        }
        if (voucher.buyer != address(0) && voucher.buyer != msg.sender) {
            revert VoucherNotYours(msg.sender, voucher.buyer);
        }
        if (block.timestamp > voucher.deadline) revert VoucherExpired(voucher.deadline);
        if (rounds > voucher.maxRounds) revert RoundsOutOfBounds(rounds, voucher.maxRounds);
        bytes32 digest = voucherDigest(voucher);
        uint256 uses = voucherUses[digest];
        if (uses >= voucher.uses) revert VoucherSpent(digest, uses);
        voucherUses[digest] = uses + 1;
        emit VoucherUsed(digest, order);
        address seller = _listings[listing].principal.seller;
        if (!SignatureChecker.isValidSignatureNow(seller, digest, signature)) revert InvalidSignature(seller);
    }
}
