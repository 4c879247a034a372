// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title ChaCha20, RFC 8439 §2.3 and §2.4
/// @dev The state has four rows of four words. A row is one uint256 with a word in the low half of each 64 bits, its column,
/// so that one operation serves four columns. The high halves take the carries: rows 0 and 2 collect them (less than 2^6),
/// rows 1 and 3 are masked wherever they are rotated.
library ChaCha20 {
    /// @dev The low half of each column.
    uint256 private constant LOW = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    /// @dev "expand 32-byte k" in little-endian words.
    uint256 private constant ROW_0 = 0x0000000061707865000000003320646e0000000079622d32000000006b206574;

    /// @notice Encrypt or decrypt `data`, whose first block has the number `counter`; after the block 2^32 - 1 comes 0.
    function xor(bytes32 key, uint32 counter, bytes12 nonce, bytes calldata data)
        internal
        pure
        returns (bytes memory result)
    {
        uint256 words = _swapBytes(uint256(key));
        uint256 row1 = _spread(words >> 128);
        uint256 row2 = _spread(words & type(uint128).max);
        uint256 row3 = _spread((uint256(counter) << 96) | _swapBytes(uint96(nonce)));
        uint256 source;
        uint256 target;
        uint256 end;
        // solhint-disable-next-line no-inline-assembly, -- whole blocks are written, the length cuts the last one off
        assembly ("memory-safe") {
            source := data.offset
            result := mload(0x40)
            target := add(result, 32)
            end := add(target, data.length)
            // 24 bytes after the last block are written too, by _xorHalf.
            mstore(0x40, add(target, and(add(data.length, 127), not(31))))
            mstore(result, data.length)
        }
        unchecked {
            for (; target < end; (source, target) = (source + 64, target + 64)) {
                (uint256 a, uint256 b, uint256 c, uint256 d) = _rounds(row1, row2, row3);
                _xorHalf(source, target, a + ROW_0, b + row1);
                _xorHalf(source + 32, target + 32, c + row2, d + row3);
                row3 += 1 << 192;
            }
        }
    }

    /// @dev Twenty rounds. On the way from columns to diagonals and back, rows 1, 2 and 3 turn by one, two and three columns.
    function _rounds(uint256 row1, uint256 row2, uint256 row3)
        private
        pure
        returns (uint256 row0_, uint256 row1_, uint256 row2_, uint256 row3_)
    {
        // A left rotation of the low halves by n is a multiplication by 2^(32 + n) + 2^n, which gives it in the high halves;
        // modulo 2^256 - 1 a product wraps around, so that the same multiplication turns a row. It would turn a row of nothing
        // but ones into zeros: 2^-128 a step, as a collision of the hashes that all this rests on.
        // solhint-disable-next-line no-inline-assembly, -- most of a proof's gas is spent here, solc alone takes twice as much
        assembly ("memory-safe") {
            function run(b_, c_, d_) -> a, b, c, d {
                a := ROW_0
                b := b_
                c := c_
                d := d_
                // A mask that the optimizer knows is computed again at each use.
                let low := mload(0)
                for { let i := 10 } 1 {} {
                    a := add(a, b)
                    d := and(shr(32, mul(and(xor(d, a), low), 0x1000000010000)), low)
                    c := add(c, d)
                    b := and(shr(32, mul(and(xor(b, c), low), 0x100000001000)), low)
                    a := add(a, b)
                    d := and(shr(32, mul(and(xor(d, a), low), 0x10000000100)), low)
                    c := add(c, d)
                    b := and(mulmod(and(xor(b, c), low), 0x800000008000000000, not(0)), low)
                    c := or(shl(128, c), shr(128, c))
                    d := or(shl(192, d), shr(64, d))

                    // Never so: but solc plans the stack from branch to branch, and spills into memory on a long way.
                    if iszero(low) { leave }

                    a := add(a, b)
                    d := and(shr(32, mul(and(xor(d, a), low), 0x1000000010000)), low)
                    c := add(c, d)
                    b := and(shr(32, mul(and(xor(b, c), low), 0x100000001000)), low)
                    a := add(a, b)
                    d := and(shr(32, mul(and(xor(d, a), low), 0x10000000100)), low)
                    c := add(c, d)
                    b := and(mulmod(and(xor(b, c), low), shl(167, 0x100000001), not(0)), low)
                    c := or(shl(128, c), shr(128, c))
                    d := or(shl(64, d), shr(192, d))

                    i := sub(i, 1)
                    if iszero(i) { leave }
                }
            }
            mstore(0, LOW)
            row0_, row1_, row2_, row3_ := run(row1, row2, row3)
        }
    }

    /// @dev Write 32 bytes of calldata, xored with two rows of the key stream. Spoils the 24 bytes after them.
    function _xorHalf(uint256 source, uint256 target, uint256 upper, uint256 lower) private pure {
        uint256 words;
        // solhint-disable-next-line no-inline-assembly, -- overlapping writes to memory bring the words together
        assembly ("memory-safe") {
            // Words 01 12 23 3.
            upper := mul(and(upper, LOW), 0x10000000100000000)
            lower := mul(and(lower, LOW), 0x10000000100000000)
            mstore(target, upper)
            mstore(add(target, 8), shl(128, upper))
            mstore(add(target, 16), lower)
            mstore(add(target, 24), shl(128, lower))
            words := mload(target)
        }
        words = _swapBytes(words);
        // solhint-disable-next-line no-inline-assembly, -- what lies behind the end of the data is read too, and cut off
        assembly ("memory-safe") {
            mstore(target, xor(calldataload(source), words))
        }
    }

    /// @dev Four words of 32 bits to a row.
    function _spread(uint256 words) private pure returns (uint256 row) {
        row = (words | (words << 64)) & 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
        row = (row | (row << 32)) & LOW;
    }

    /// @dev Eight little-endian words of 32 bits to big-endian ones, and back.
    function _swapBytes(uint256 words) private pure returns (uint256 swapped) {
        swapped = ((words >> 8) & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff)
            | ((words & 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff) << 8);
        swapped = ((swapped >> 16) & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff)
            | ((swapped & 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff) << 16);
    }
}
