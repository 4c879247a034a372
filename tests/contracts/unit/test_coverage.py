"""Every custom error and every event of the marketplace is told of in a test of this folder."""

from pathlib import Path

from tests.support.evm import artifact

# OpenZeppelin's words for what no call can lead to.
UNREACHABLE = {
    "InvalidShortString", "StringTooLong", "SafeCastOverflowedUintDowncast", "EIP712DomainChanged", "AddressEmptyCode",
}  # fmt: skip


def told() -> str:
    return "\n".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))


def test_every_custom_error_is_met() -> None:
    names = artifact("Marketplace").error_names() - UNREACHABLE - {"ReentrancyGuardReentrantCall"}
    assert {name for name in names if f'refused("{name}"' not in told()} <= {"TooLittleGas"}
    assert '"TooLittleGas"' in told()


def test_every_event_is_met() -> None:
    names = artifact("Marketplace").event_names() - UNREACHABLE
    assert {name for name in names if f'"{name}"' not in told()} == set()
