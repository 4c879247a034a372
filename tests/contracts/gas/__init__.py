"""What each call costs: the gasUsed of a real receipt, for fixed accounts, bytes and times."""

from tests.contracts.gas import cases, disputes

__all__ = ["cases", "disputes"]
