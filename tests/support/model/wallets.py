"""Who holds what outside of the marketplace, and how tokens and receivers behave."""

from collections import defaultdict

NATIVE = "0x" + "00" * 20


class Wallets:
    """Balances per token; `fee[token]` in percent; `refusing`: (token, account) that a payment does not reach."""

    def __init__(self) -> None:
        self.balances: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.fee: dict[str, int] = defaultdict(int)
        self.refusing: set[tuple[str, str]] = set()

    def received(self, token: str, amount: int) -> int:
        """What arrives when `amount` is sent."""
        return amount - amount * self.fee[token] // 100

    def spend(self, token: str, account: str, amount: int) -> None:
        self.balances[token][account] -= amount

    def pay(self, token: str, account: str, amount: int) -> bool:
        """False where the receiver refuses; then nothing moves."""
        if amount and (token, account) in self.refusing:
            return False
        self.balances[token][account] += self.received(token, amount)
        return True
