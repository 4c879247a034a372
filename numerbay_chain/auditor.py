"""The auditor: rebuilds from logs alone what the contract owes, and compares."""

from typing import Self, Unpack

from numerbay_chain.audit.checks import run_audit
from numerbay_chain.audit.results import AuditReport
from numerbay_chain.core.home.settings import Overrides
from numerbay_chain.core.progress import Progress, silent
from numerbay_chain.opening import open_market
from numerbay_chain.session import Market


class Auditor:
    """Reads only: needs no account, and a store only for copies and content."""

    def __init__(self, market: Market) -> None:
        self.market = market

    @classmethod
    def connect(cls, profile: str | None = None, **overrides: Unpack[Overrides]) -> Self:
        """Opens chain, contract and, where one is set, the store (see `Seller.connect`)."""
        return cls(open_market(profile, **overrides))

    def audit(self, *, content: bool = False, progress: Progress = silent) -> AuditReport:
        """Rebuilds every listing, order and pot from the logs, compares them with the contract's state and its
        balances, and checks every manifest (those of copies through the store: what is not available there is a
        warning). With `content`, also reads every byte that was released through the store: what is not available
        there is an error, and `unread` says that the store could not be asked."""
        return run_audit(self.market, content, progress)
