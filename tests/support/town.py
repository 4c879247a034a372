"""People with a home folder each, who reach one node through a proxy that counts: on a development chain, or on one
that is none."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from numerbay_chain.chain.identity.deployment import deploy
from numerbay_chain.chain.identity.location import open_connection
from numerbay_chain.chain.local.devnet import Devnet, request
from numerbay_chain.chain.sending.sender import Sender
from numerbay_chain.chain.signers.signer import LocalSigner, Signer
from numerbay_chain.core.policy import Policy
from numerbay_chain.opening import Means, open_session
from numerbay_chain.session import Session
from tests.support.adversary import Cheat
from tests.support.chains.proxy import Proxy
from tests.support.counting import Count, counting
from tests.support.programs import InsideShell, Shell, shell

SEPOLIA: Final = 11155111
BLOCK_TIME: Final = 12
SLOW: Final = Policy(prices=3_600, believed=3_600)
"""Gas is priced once a command, and the newest block is believed until another one shows, also where this machine is
slow."""


def opening(policy: Policy) -> Callable[..., Session]:
    return partial(open_session, means=Means(lambda settings: open_connection(settings, policy)))


OPENS: Final = opening(SLOW)


class Town:
    """A seller (0) and buyers; `account(number)` says what stands in a person's settings."""

    def __init__(self, folder: Path, devnet: Devnet, proxy: Proxy) -> None:
        deployment = deploy(Sender(devnet.connection, devnet.signer(0)))
        self.folder, self.devnet, self.proxy = folder, devnet, proxy
        self._settings = {
            "NUMERBAY_CHAIN_RPC": proxy.url, "NUMERBAY_CHAIN_CONTRACT": deployment.address, "NUMERBAY_CHAIN_YES": "1",
            "NUMERBAY_CHAIN_STORE": f"embedded:{folder / 'store'}",
            "NUMERBAY_CHAIN_CREATED_BY": deployment.transaction, "NUMERBAY_CHAIN_FROM_BLOCK": str(deployment.block),
        }  # fmt: skip

    def account(self, number: int) -> Mapping[str, str]:
        return {"NUMERBAY_CHAIN_ACCOUNT": f"dev:{number}"}

    def signer(self, number: int) -> Signer:
        return self.devnet.signer(number)

    def opens(self, *arguments: object) -> Callable[..., Session]:
        return OPENS

    def shell(self, number: int) -> Shell:
        (home := self.folder / str(number)).mkdir(exist_ok=True)
        return shell(home, **self._settings, **self.account(number))

    def nbc(self, number: int, *arguments: object) -> dict:
        """A command of the person with this account: the object that it prints."""
        here = self.shell(number)
        return InsideShell(here.folder, here.environment, self.opens(*arguments)).nbc(*arguments, "--json").object

    def cheat(self) -> Cheat:
        """The seller's account and secret, without their client."""
        own = {name: self._settings[f"NUMERBAY_CHAIN_{name.upper()}"] for name in ("contract", "created_by", "store")}
        home = self.shell(0).environment["NUMERBAY_CHAIN_HOME"]
        session = open_session(home=home, rpc=self.devnet.rpc, **own)  # type: ignore[arg-type]  # names of settings
        session.signer = self.signer(0)
        return Cheat(session)

    def count(self, number: int, *arguments: object) -> Count:
        with counting(self.proxy) as count:
            self.nbc(number, *arguments)
        return count


class PublicTown(Town):
    """The same on a chain that is no development chain: its accounts are nobody else's, its blocks come every twelve
    seconds, and what was done is final once `settle` made some."""

    def __init__(self, folder: Path, devnet: Devnet, proxy: Proxy) -> None:
        super().__init__(folder, devnet, proxy)
        devnet.connection.transport.request("anvil_setChainId", [SEPOLIA])
        self._keys: dict[int, bytes] = {}
        self.settle()

    def account(self, number: int) -> Mapping[str, str]:
        self.signer(number)
        return {"NUMERBAY_CHAIN_ACCOUNT": "env:PRIVATE_KEY", "PRIVATE_KEY": self._keys[number].hex()}

    def signer(self, number: int) -> Signer:
        if number not in self._keys:
            self._keys[number] = hashlib.sha256(f"somebody in town, number {number}".encode()).digest()
            funded = LocalSigner(self._keys[number]).address
            request(self.devnet.connection, "anvil_setBalance", funded, hex(10**20))
        return LocalSigner(self._keys[number])

    def opens(self, *arguments: object) -> Callable[..., Session]:
        # a second way to the content is on another machine, which no test has: only in a trial it is not wanted
        return opening(SLOW if arguments[0] != "deliver" else replace(SLOW, trial=True))

    def settle(self) -> None:
        """So many blocks that all before is final."""
        request(self.devnet.connection, "anvil_mine", hex(100), hex(BLOCK_TIME))
