// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Storage} from "../../../contracts/modules/Storage.sol";
import {Checks} from "./Vm.sol";

/// @title Buckets and windows, for all times until 2106 and all decline windows
/// @dev No solver gets far with a division by what is open. So the bucket's length is a power of two here, which is a shift,
/// from the least that a window gives to nearly the most; tests/contracts/stateful meets other lengths.
contract TimesSymbolic is Storage, Checks {
    /// @dev What Listings._requireBounds lets through.
    function _terms(uint8 power, uint24 declineWindow) private pure returns (Till memory till) {
        for (uint8 i = 6; i <= 20; ++i) {
            if (power == i) till.disputeWindow = uint24(4 * 2 ** uint256(i));
        }
        VM.assume(till.disputeWindow != 0 && declineWindow <= 7 days);
        VM.assume(2 * uint256(declineWindow) <= till.disputeWindow);
        till.declineWindow = declineWindow;
    }

    /// @dev Money matures after both windows, at most one bucket later, and its bucket's number has room.
    function check_money_matures_after_both_windows(uint8 power, uint24 decline, uint32 earned) external pure {
        Till memory till = _terms(power, decline);
        uint256 length = _bucketLength(till);
        uint256 bucket = _bucketAt(till, earned);
        uint256 windows = uint256(earned) + till.declineWindow + till.disputeWindow;
        assert(length >= MIN_BUCKET_LENGTH);
        assert(bucket * length > windows);
        assert(bucket * length <= windows + length);
        assert(bucket <= type(uint32).max);
    }

    /// @dev Later money never matures earlier, and nobody earns into a bucket that has matured.
    function check_buckets_follow_time(uint8 power, uint24 decline, uint32 earlier, uint32 later) external pure {
        Till memory till = _terms(power, decline);
        VM.assume(earlier <= later);
        assert(_bucketAt(till, earlier) <= _bucketAt(till, later));
        assert(_bucketAt(till, later) * _bucketLength(till) > later);
    }

    /// @dev A round's money can be challenged for its whole dispute window: declinable until it begins, unmatured in all of it.
    function check_a_challenge_has_its_window(uint8 power, uint24 decline, uint32 released, uint40 moment)
        external
        pure
    {
        Till memory till = _terms(power, decline);
        uint256 maturity = _bucketAt(till, released) * _bucketLength(till);
        if (moment <= uint256(released) + till.declineWindow + till.disputeWindow) assert(moment < maturity);
    }

    function check_false_money_waits_no_longer_than_its_windows(uint8 power, uint24 decline, uint32 earned)
        external
        pure
    {
        Till memory till = _terms(power, decline);
        uint256 maturity = _bucketAt(till, earned) * _bucketLength(till);
        assert(maturity <= uint256(earned) + till.declineWindow + till.disputeWindow + 1);
    }
}
