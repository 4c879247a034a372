"""The auditor: rebuilds from logs alone what the contract owes, and compares."""

from numerbay_chain.audit.checks import run_audit
from numerbay_chain.role import Role, method


class Auditor(Role):
    """Reads only: needs no account, and a store only for copies and content."""

    audit = method(run_audit)
