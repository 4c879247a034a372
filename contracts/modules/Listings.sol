// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMarketplace} from "../interfaces/IMarketplace.sol";
import {Storage} from "./Storage.sol";

/// @title Creating listings and changing what may change
abstract contract Listings is IMarketplace, Storage {
    /// @inheritdoc IMarketplace
    function createListing(Terms calldata terms, Offer calldata offer, address operator, address payout)
        external
        returns (uint256 listing)
    {
        _requireBounds(terms);
        if (terms.token != address(0) && terms.token.code.length == 0) revert NotAToken(terms.token);
        _requireReceiver(payout);

        listing = ++_listingCount;
        ListingData storage data = _listings[listing];
        data.sale = Sale({token: terms.token, price: offer.price, open: offer.open});
        data.rules = Rules({
            version: 0,
            supply: terms.supply,
            voided: 0,
            maxRounds: terms.maxRounds,
            instant: terms.instant,
            copies: terms.copies,
            firstDue: terms.firstDue,
            period: terms.period,
            minInterval: terms.minInterval,
            noticePeriod: terms.noticePeriod
        });
        data.till = Till({
            payout: payout, declineWindow: terms.declineWindow, disputeWindow: terms.disputeWindow, faulty: false
        });
        data.principal = Principal({seller: msg.sender, responseWindow: terms.responseWindow});
        data.delegate = Delegate({operator: operator, challengeBond: terms.challengeBond});
        data.details = offer.details;
        emit ListingCreated(listing, msg.sender, operator, payout, terms, offer);
    }

    /// @inheritdoc IMarketplace
    function changeOffer(uint256 listing, Offer calldata offer) external {
        _requireSeller(listing);
        ListingData storage data = _listings[listing];
        uint16 version = data.rules.version;
        uint88 price = data.sale.price;
        if (offer.price != price || offer.details != data.details) {
            data.pastPrices[version] = price;
            version += 1;
            if (version == VOUCHER_VERSION) revert TooManyVersions(listing);
            data.rules.version = version;
            data.details = offer.details;
        }
        data.sale.price = offer.price;
        data.sale.open = offer.open;
        emit OfferChanged(listing, version, offer);
    }

    /// @inheritdoc IMarketplace
    function setOperator(uint256 listing, address operator) external {
        _requireSeller(listing);
        _listings[listing].delegate.operator = operator;
        emit OperatorChanged(listing, operator);
    }

    /// @inheritdoc IMarketplace
    function setPayout(uint256 listing, address payout) external {
        _requireSeller(listing);
        _requireReceiver(payout);
        _listings[listing].till.payout = payout;
        emit PayoutChanged(listing, payout);
    }

    function _requireBounds(Terms calldata terms) private view {
        _requireBetween("maxRounds", terms.maxRounds, 1, type(uint16).max);
        _requireBetween("declineWindow", terms.declineWindow, 0, 7 days);
        _requireBetween("minInterval", terms.minInterval, _max(60, terms.declineWindow), 365 days);
        _requireBetween("noticePeriod", terms.noticePeriod, 60, 90 days);
        if (terms.firstDue != 0 || terms.period != 0) {
            _requireBetween("firstDue", terms.firstDue, block.timestamp + 1, type(uint40).max);
            _requireBetween("period", terms.period, terms.minInterval, type(uint32).max);
        }
        if (terms.disputeWindow == 0) {
            _requireBetween("responseWindow", terms.responseWindow, 0, 0);
            _requireBetween("challengeBond", terms.challengeBond, 0, 0);
        } else {
            uint256 window = terms.declineWindow;
            _requireBetween("disputeWindow", terms.disputeWindow, _max(120, 2 * window), 90 days);
            _requireBetween("responseWindow", terms.responseWindow, _max(60, window), terms.disputeWindow / 2);
            // copies are posted in the first half of the window
            if (terms.copies && (window < 2 || terms.instant)) revert CopiesNeedDeclineWindow(window, 2);
        }
    }

    function _requireBetween(string memory term, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert TermOutOfBounds(term, value, least, most);
    }

    function _max(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a : b;
    }
}
