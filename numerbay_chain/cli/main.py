"""`numerbay-chain`: the program, its commands by name, and what becomes of every way to end."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

import click

from numerbay_chain import __version__
from numerbay_chain.cli import output, streams
from numerbay_chain.cli.lazy import Entry, LazyGroup
from numerbay_chain.cli.options import State, run_options
from numerbay_chain.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from numerbay_chain.chain.sending.plan import Plan
    from numerbay_chain.session import Session

_HERE = "numerbay_chain.cli"
_START, _SELL, _BUY, _ANYONE, _OFFLINE, _SETTINGS = (
    "To try it",
    "Selling",
    "Buying",
    "For everybody",
    "Without a chain",
    "Keys and settings",
)

ENTRIES = {
    "demo": Entry(_START, f"{_HERE}.commands.tools.demo:demo", "Run the whole marketplace once, in this process."),
    "devnet": Entry(
        _START, f"{_HERE}.commands.tools.devnet:devnet", "Run a local chain with contracts, accounts and profiles."
    ),
    "listing": Entry(_SELL, f"{_HERE}.commands.selling.listing:listing", "Create, show, list and edit listings."),
    "deliver": Entry(
        _SELL, f"{_HERE}.commands.selling.deliver:deliver", "Seal, pin and release a round, and hand out its keys."
    ),
    "skip": Entry(_SELL, f"{_HERE}.commands.selling.rounds:skip", "Skip the next round: its buyers can reclaim it."),
    "refund": Entry(_SELL, f"{_HERE}.commands.selling.rounds:refund", "Give a buyer money back."),
    "withdraw": Entry(_SELL, f"{_HERE}.commands.selling.rounds:withdraw", "Pay out what has matured."),
    "voucher": Entry(_SELL, f"{_HERE}.commands.selling.voucher:voucher", "Sign, show and revoke vouchers."),
    "buy": Entry(_BUY, f"{_HERE}.commands.buying.orders:buy", "Buy rounds of a listing."),
    "orders": Entry(_BUY, f"{_HERE}.commands.buying.orders:orders", "List orders and what can be done with each."),
    "verify": Entry(_BUY, f"{_HERE}.commands.buying.fetch:verify", "Check a round without writing it."),
    "fetch": Entry(_BUY, f"{_HERE}.commands.buying.fetch:fetch", "Fetch, check and decrypt a round."),
    "decline": Entry(_BUY, f"{_HERE}.commands.buying.orders:decline", "Refuse the latest round and end the order."),
    "cancel": Entry(_BUY, f"{_HERE}.commands.buying.orders:cancel", "End an order after the next round."),
    "reclaim": Entry(
        _BUY, f"{_HERE}.commands.buying.reclaim:reclaim", "Take the next round of a cancelled order back too."
    ),
    "dispute": Entry(
        _ANYONE, f"{_HERE}.commands.disputes.dispute:dispute", "Challenge, answer, prove and settle what went wrong."
    ),
    "audit": Entry(_ANYONE, f"{_HERE}.commands.auditing.audit:audit", "Rebuild all accounts from logs and compare."),
    "collect": Entry(_ANYONE, f"{_HERE}.commands.selling.rounds:collect", "Collect a payment that could not be sent."),
    "deploy": Entry(_ANYONE, f"{_HERE}.commands.tools.deploy:deploy", "Deploy the marketplace where a chain lacks it."),
    "seal": Entry(_OFFLINE, f"{_HERE}.commands.tools.seal:seal", "Seal a file for public keys into a folder."),
    "open": Entry(_OFFLINE, f"{_HERE}.commands.tools.seal:open_", "Open a folder that was sealed for your key."),
    "cid": Entry(_OFFLINE, f"{_HERE}.commands.tools.seal:cid", "Print the CID a file has on IPFS."),
    "keys": Entry(_SETTINGS, f"{_HERE}.commands.keys.keys:keys", "Make, show and register encryption keys."),
    "seller-secret": Entry(
        _SETTINGS, f"{_HERE}.commands.keys.secret:seller_secret", "Back up and restore the seller secret."
    ),
    "store": Entry(_SETTINGS, f"{_HERE}.commands.tools.store:store", "Clear away what was kept of checked content."),
    "profile": Entry(_SETTINGS, f"{_HERE}.commands.tools.profile:profile", "Show and write profiles."),
}


@click.group(
    cls=LazyGroup,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog="Exit codes: 0 done, 1 refused, 2 usage, 3 network, 4 key or account, 5 decryption, 130 interrupted.",
)
@click.version_option(__version__, prog_name=output.PROGRAM, message="%(prog)s %(version)s")
@run_options
def cli() -> None:
    """Sell and buy encrypted, recurring files on Ethereum and IPFS.

    \b
    Example:
      numerbay-chain demo
    """


def main(arguments: Sequence[str] | None = None, opens: "Callable[..., Session] | None" = None) -> int:
    """Run one command and return its `ExitCode`. `opens` opens a session in place of `opening.open_session`."""
    streams.prepare()
    given = list(sys.argv[1:] if arguments is None else arguments)
    state = State(asks_json=_asks_json(given), opens=opens)
    try:
        with _ends_by_signal():
            return _run(given, state)
    except streams.OutputClosed as closed:
        return _unread(closed, state)
    except (KeyboardInterrupt, click.Abort):
        from numerbay_chain.cli.ending import interrupted

        return interrupted(state)


def _run(arguments: list[str], state: State) -> int:
    program = output.PROGRAM
    called = os.path.basename(sys.argv[0])  # noqa: PTH119 — pathlib takes 5 ms, and --help waits
    if f"_{called}_COMPLETE".replace("-", "_").upper() in os.environ:
        cli.main(arguments, prog_name=called)  # the shell asks what could follow; click answers and exits
    try:
        _check(arguments)
        with cli.make_context(program, arguments, obj=state) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (streams.OutputClosed, click.Abort):
        raise
    except streams.OutputLostError as lost:
        return _lost(lost, state)
    except BrokenPipeError as error:
        raise streams.OutputClosed from error  # click's own pages, such as --help
    except Exception as error:
        if (plan := getattr(error, "plan", None)) is not None:  # --dry-run; its class lies behind web3
            return _planned(plan, state)
        from numerbay_chain.cli.ending import failed

        return failed(error, state.wants_json)
    return ExitCode.DONE


def _asks_json(arguments: Sequence[str]) -> bool:
    """Whether --json is among the arguments: reading them may end before it comes to that flag."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options


def _check(arguments: Sequence[str]) -> None:
    """What no shell can hand over, but a program can. Raises `UsageError`."""
    for argument in arguments:
        try:
            sound = b"\0" not in os.fsencode(argument)
        except UnicodeEncodeError:  # half of a surrogate pair
            sound = False
        if not sound:
            raise UsageError("an argument holds what is no character", "check where it comes from")


def _planned(plan: "Plan", state: State) -> int:
    from numerbay_chain.cli.commands.tools.deploy import show_plan

    try:
        show_plan(state.as_json, plan.function, dict(plan.arguments), plan.value, plan.gas, plan.coin)
    except streams.OutputLostError as lost:
        return _lost(lost, state)
    return ExitCode.DONE


def _unread(closed: streams.OutputClosed, state: State) -> int:
    """Nobody reads stdout any more: what was done is told on stderr, else there is nothing to talk about."""
    streams.drop_stdout()
    if not state.acted:
        return ExitCode.REFUSED
    output.note(closed.text)
    return ExitCode.DONE


def _lost(lost: streams.OutputLostError, state: State) -> int:
    """Stdout takes no more. What was done is told on stderr, and is done all the same."""
    from numerbay_chain.cli.ending import failed

    code = failed(lost, as_json=False)
    if not state.acted:
        return code
    output.note(lost.text)
    return ExitCode.DONE


class _ends_by_signal:
    """Turns SIGTERM and SIGHUP into the same orderly end as Ctrl-C: temporary files go, a devnet stops."""

    def __enter__(self) -> None:
        self._before = {}
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            try:
                if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                    self._before[number] = signal.signal(number, self._interrupt)
            except ValueError:
                return  # not the main thread: whoever runs us there handles signals

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @staticmethod
    def _interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
