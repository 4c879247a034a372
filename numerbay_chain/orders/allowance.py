"""What a token's owner has to approve before the marketplace can take a payment or a bond."""

from numerbay_chain.chain import tokens
from numerbay_chain.chain.encoding import calls
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.protocol.events import Receipt
from numerbay_chain.protocol.types import ZERO_ADDRESS
from numerbay_chain.session import Session


def missing_approval(session: Session, token: str, amount: int) -> Call | None:
    """Return the approval of exactly `amount`, in the token's smallest unit; None where none is needed: for nothing,
    for the chain's coin, and where the marketplace may take that much already. Raises `AccountError` where the account
    holds less."""
    if token == ZERO_ADDRESS or amount == 0:
        return None
    spender = session.contract.address
    if tokens.allowed_of(session.connection, token, session.account, spender, amount) >= amount:
        return None
    return calls.approve(token=token, spender=spender, amount=amount)


def ensure_allowance(session: Session, token: str, amount: int) -> Receipt | None:
    """Approve exactly `amount` of a token, unless that is not needed (`missing_approval`). Return the receipt of what
    was sent.

    An approval is not kept in the outbox: it sets an amount, so that twice is once. Raises as `missing_approval`,
    `Planned` in a dry run, and `RefusedError` where the token does not do it.
    """
    if missing_approval(session, token, amount) is None:
        return None
    session.require_second()  # before the contract is allowed to take anything
    return session.sending.approve(token, amount)
