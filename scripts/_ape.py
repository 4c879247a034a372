"""Ape's account and provider as the package's own, and its log moved out of the way of our data."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import ape.logging
import click
from ape.api import AccountAPI, ProviderAPI
from eth_account.messages import encode_typed_data

from numerbay_chain.chain.connection import Connection
from numerbay_chain.chain.local.over_web3 import Web3Transport
from numerbay_chain.chain.signers.signer import Signer
from numerbay_chain.cli import output, streams
from numerbay_chain.cli.ending import failure_of, interrupted
from numerbay_chain.cli.options import State
from numerbay_chain.core.errors import AccountError, NumerbayChainError
from numerbay_chain.core.home.config import load_settings
from numerbay_chain.opening import session_at
from numerbay_chain.session import Session

# Ape logs to stdout, where our data goes: its handler looks levels up by their lower-case names, and finds none.
ape.logging.CLICK_ECHO_KWARGS.update({level.name.lower(): {"err": True} for level in ape.logging.LogLevel})

F = TypeVar("F", bound=Callable[..., Any])


class ApeSigner(Signer):
    """An account that Ape keeps: it asks for passwords and for consent in its own way."""

    def __init__(self, account: AccountAPI, provider: ProviderAPI) -> None:
        self._account, self._provider = account, provider
        self.address = str(account.address)

    def unlock(self) -> None:
        """Ape unlocks an account when it signs."""

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        unsigned = self._provider.network.ecosystem.create_transaction(**transaction)
        signed = self._account.sign_transaction(unsigned)
        if signed is None:
            raise AccountError("the transaction was not signed", "agree when Ape asks")
        return bytes(signed.serialize_transaction())

    def sign_typed_data(self, message: Mapping[str, Any]) -> bytes:
        signature = self._account.sign_message(encode_typed_data(full_message=dict(message)))
        if signature is None:
            raise AccountError("the message was not signed", "agree when Ape asks")
        return bytes(signature.encode_rsv())


def connection(provider: ProviderAPI) -> Connection:
    """The chain that Ape is connected to, with the limits of fees that the settings have."""
    network, settings = provider.network, load_settings(connected=True)
    found = Connection(Web3Transport(provider.web3), name=f"Ape's {network.choice}", local=network.is_dev)
    found.limit_fees(settings.max_tip, settings.max_fee)
    return found


def session(provider: ProviderAPI, account: AccountAPI | None = None, **overrides: Any) -> Session:
    """The marketplace over Ape's chain and account; everything else as the settings say."""
    signer = ApeSigner(account, provider) if account is not None else None
    return session_at(load_settings(None, overrides, connected=True), connection(provider), signer, notify=output.note)


def settings_options(function: F) -> F:
    """What Ape has no options for."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
        click.option("--store", metavar="SPEC", help="embedded:PATH, kubo:URL or gateway:URL."),
        click.option("--unchecked-contract", is_flag=True, help="Sign for a contract that nothing is known of."),
        click.option("--created-by", metavar="TX", help="The transaction that created the marketplace."),
        click.option("--contract", metavar="ADDRESS", help="The marketplace; else the one deployed from here."),
    ):
        function = option(function)
    return function


@contextmanager
def plain_errors(as_json: bool = False) -> Iterator[None]:
    """Our errors as on our own command line: a sentence, a hint, an exit code, with --json an object."""
    streams.prepare()
    try:
        yield
    except (NumerbayChainError, OSError) as error:
        failure = failure_of(error)
        output.fail(failure, as_json)
        sys.exit(failure.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(interrupted(State(as_json=as_json, agreed=True)))
