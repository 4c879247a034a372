// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Marketplace} from "../../../contracts/Marketplace.sol";
import {Checks} from "./Vm.sol";

/// @title A token that keeps balances, and refuses every transfer if it is told so
contract Coin {
    mapping(address account => uint256) public balanceOf;
    bool private _refuses;

    function put(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function refuse(bool refuses) external {
        _refuses = refuses;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        if (_refuses) return false;
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}

/// @title A marketplace that owes what it is told to
contract OwingMarketplace is Marketplace {
    function owe(address account, address token, uint256 amount) external {
        _credit[account][token] = amount;
    }
}

/// @title What is claimed about credits: whoever collects one, its owner's account or the address of its owner's choice is paid
/// @dev Two accounts have a credit in one token. Whoever calls has nothing in their wallet, nor has anybody else.
contract CreditsSymbolic is Checks {
    uint256 private constant MOST = 2 ** 100;
    address private constant NATIVE = address(0);
    address private constant PERSON = address(0xacc0);
    address private constant OTHER_PERSON = address(0xacc1);
    Coin private _coin;
    OwingMarketplace private _market;

    function setUp() public {
        VM.warp(1_800_000_000);
        _coin = new Coin();
        _market = new OwingMarketplace();
    }

    function _owe(address account, uint256 amount, address other, uint256 others, bool refuses) private {
        VM.assume(amount < MOST && others < MOST && account != other);
        _market.owe(account, address(_coin), amount);
        _market.owe(other, address(_coin), others);
        _coin.put(address(_market), amount + others);
        _coin.refuse(refuses);
    }

    function _credits(address account, uint256 amount, address other, uint256 others) private view {
        assert(_market.credit(account, address(_coin)) == amount);
        assert(_market.credit(other, address(_coin)) == others);
    }

    function _canReceive(address account) private view returns (bool) {
        return account != address(0) && account != address(_market);
    }

    /// @dev It goes through just where there is something to pay and the account takes it.
    function check_collect_for_pays_the_account_only(
        address caller,
        address account,
        uint256 amount,
        address other,
        uint256 others,
        bool refuses
    ) external {
        _owe(account, amount, other, others, refuses);
        VM.assume(caller != account && other != address(_market) && caller != address(_market));
        VM.prank(caller);
        try _market.collectFor(account, address(_coin)) {
            assert(amount > 0 && !refuses && _canReceive(account));
            _credits(account, 0, other, others);
            assert(_coin.balanceOf(account) == amount);
            assert(_coin.balanceOf(address(_market)) == others);
            assert(_coin.balanceOf(caller) == 0 && _coin.balanceOf(other) == 0);
        } catch {
            assert(amount == 0 || refuses || !_canReceive(account));
            _credits(account, amount, other, others);
            assert(_coin.balanceOf(address(_market)) == amount + others);
        }
    }

    function check_collect_takes_the_callers_credit_only(
        address caller,
        address to,
        uint256 amount,
        address other,
        uint256 others,
        bool refuses
    ) external {
        _owe(caller, amount, other, others, refuses);
        VM.assume(caller != address(_market));
        VM.prank(caller);
        try _market.collect(address(_coin), to) {
            assert(amount > 0 && !refuses && _canReceive(to));
            _credits(caller, 0, other, others);
            assert(_coin.balanceOf(to) == amount);
            assert(_coin.balanceOf(address(_market)) == others);
        } catch {
            assert(amount == 0 || refuses || !_canReceive(to));
            _credits(caller, amount, other, others);
        }
    }

    /// @dev In the native coin, and a credit in a token pays none of it.
    function check_collect_for_pays_the_native_coin(address caller, uint256 amount, uint256 others, uint256 inToken)
        external
    {
        VM.assume(amount < MOST && others < MOST && inToken < MOST && caller != PERSON);
        _market.owe(PERSON, NATIVE, amount);
        _market.owe(OTHER_PERSON, NATIVE, others);
        _owe(PERSON, inToken, OTHER_PERSON, 0, false);
        VM.deal(address(_market), amount + others);
        VM.prank(caller);
        try _market.collectFor(PERSON, NATIVE) {
            assert(amount > 0);
            assert(PERSON.balance == amount && address(_market).balance == others);
            assert(_market.credit(PERSON, NATIVE) == 0 && _market.credit(OTHER_PERSON, NATIVE) == others);
            _credits(PERSON, inToken, OTHER_PERSON, 0);
        } catch {
            assert(amount == 0);
        }
    }

    // What is false: halmos has to find these out.

    function check_false_nobody_collects_for_another(address caller, uint256 amount) external {
        _owe(PERSON, amount, OTHER_PERSON, 0, false);
        VM.assume(caller != PERSON && caller != address(_market));
        VM.prank(caller);
        try _market.collectFor(PERSON, address(_coin)) {
            assert(false);
        } catch {}
    }

    function check_false_the_caller_of_collect_for_is_paid(address caller, uint256 amount) external {
        _owe(PERSON, amount, OTHER_PERSON, 0, false);
        VM.assume(caller != address(_market));
        VM.prank(caller);
        try _market.collectFor(PERSON, address(_coin)) {
            assert(_coin.balanceOf(caller) == amount);
        } catch {}
    }

    function check_false_a_refused_credit_is_lost(uint256 amount) external {
        _owe(PERSON, amount, OTHER_PERSON, 0, true);
        try _market.collectFor(PERSON, address(_coin)) {} catch {}
        assert(_market.credit(PERSON, address(_coin)) == 0);
    }
}
