"""`numerbay-chain`: the program, its commands by name, and what becomes of every way to end."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from numerbay_chain import __version__
from numerbay_chain.cli import output
from numerbay_chain.cli.lazy import Entry, LazyGroup
from numerbay_chain.cli.options import State, run_options
from numerbay_chain.errors import ExitCode, NumerbayChainError

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
    "demo": Entry(_START, f"{_HERE}.demo:demo", "Run the whole marketplace once, in this process."),
    "devnet": Entry(_START, f"{_HERE}.devnet:devnet", "Run a local chain with contracts, accounts and profiles."),
    "listing": Entry(_SELL, f"{_HERE}.listing:listing", "Create, show, list and edit listings."),
    "deliver": Entry(_SELL, f"{_HERE}.deliver:deliver", "Seal, pin and release a round, and hand out its keys."),
    "skip": Entry(_SELL, f"{_HERE}.selling:skip", "Skip the next round, which pays it back."),
    "refund": Entry(_SELL, f"{_HERE}.selling:refund", "Give a buyer money back."),
    "withdraw": Entry(_SELL, f"{_HERE}.selling:withdraw", "Pay out what has matured."),
    "voucher": Entry(_SELL, f"{_HERE}.voucher:voucher", "Sign, show and revoke vouchers."),
    "buy": Entry(_BUY, f"{_HERE}.buying:buy", "Buy rounds of a listing."),
    "orders": Entry(_BUY, f"{_HERE}.buying:orders", "List orders and what can be done with each."),
    "verify": Entry(_BUY, f"{_HERE}.fetching:verify", "Check a round without writing it."),
    "fetch": Entry(_BUY, f"{_HERE}.fetching:fetch", "Fetch, check and decrypt a round."),
    "decline": Entry(_BUY, f"{_HERE}.buying:decline", "Refuse the latest round and end the order."),
    "cancel": Entry(_BUY, f"{_HERE}.buying:cancel", "End an order after the next round."),
    "reclaim": Entry(_BUY, f"{_HERE}.buying:reclaim", "Take the next round of a cancelled order back too."),
    "dispute": Entry(_ANYONE, f"{_HERE}.dispute:dispute", "Challenge, answer, prove and settle what went wrong."),
    "audit": Entry(_ANYONE, f"{_HERE}.audit:audit", "Rebuild all accounts from logs and compare."),
    "collect": Entry(_ANYONE, f"{_HERE}.selling:collect", "Collect a payment that could not be sent."),
    "deploy": Entry(_ANYONE, f"{_HERE}.deploy:deploy", "Deploy a marketplace of your own."),
    "seal": Entry(_OFFLINE, f"{_HERE}.bundle:seal", "Seal a file for public keys into a folder."),
    "open": Entry(_OFFLINE, f"{_HERE}.bundle:open_", "Open a folder that was sealed for your key."),
    "cid": Entry(_OFFLINE, f"{_HERE}.bundle:cid", "Print the CID a file has on IPFS."),
    "keys": Entry(_SETTINGS, f"{_HERE}.keys:keys", "Make, show and register encryption keys."),
    "seller-secret": Entry(_SETTINGS, f"{_HERE}.secret:seller_secret", "Back up and restore the seller secret."),
    "profile": Entry(_SETTINGS, f"{_HERE}.profile:profile", "Show and write profiles."),
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and answers with its `ExitCode`."""
    state = State()
    try:
        with _ends_by_signal():
            return _run(list(sys.argv[1:] if arguments is None else arguments), state)
    except output.OutputClosed:
        output.drop_stdout()
        return ExitCode.REFUSED
    except (KeyboardInterrupt, click.Abort):
        sent = "what was sent stays sent, run it again to go on" if state.agreed else "nothing was sent"
        output.note(f"\n{output.PROGRAM}: interrupted; {sent}")
        return ExitCode.INTERRUPTED


def _run(arguments: list[str], state: State) -> int:
    program = output.PROGRAM
    called = os.path.basename(sys.argv[0])  # noqa: PTH119 — pathlib takes 5 ms, and --help waits
    if f"_{called}_COMPLETE".replace("-", "_").upper() in os.environ:
        cli.main(arguments, prog_name=called)  # the shell asks what could follow; click answers and exits
    try:
        with cli.make_context(program, arguments, obj=state) as context:
            cli.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else program
        output.fail(error.format_message(), f"'{where} --help' shows how it is used")
        return ExitCode.USAGE
    except click.ClickException as error:
        output.fail(error.format_message())
        return ExitCode.REFUSED
    except NumerbayChainError as error:
        if (plan := getattr(error, "plan", None)) is not None:  # --dry-run; its class lies behind web3
            from numerbay_chain.cli.deploy import show_plan

            show_plan(state.as_json, plan.function, dict(plan.arguments), plan.value, plan.gas)
            return ExitCode.DONE
        output.fail(str(error), error.hint)
        _trace()
        return error.exit_code
    except OSError as error:
        if error.filename is None:
            return _bug(error)
        output.fail(
            f"can't use {os.fsdecode(error.filename)}: {(error.strerror or 'unknown reason').lower()}",
            "check the path and its permissions",
        )
        _trace()
        return ExitCode.REFUSED
    except (output.OutputClosed, click.Abort):
        raise
    except Exception as error:
        return _bug(error)
    return ExitCode.DONE


def _bug(error: Exception) -> int:
    # the exception's own words are not shown: they may hold anything, also what must stay secret
    output.fail(
        f"{type(error).__name__} was not expected, this is a bug",
        "report it with what NUMERBAY_CHAIN_DEBUG=1 shows" if not _trace() else None,
    )
    return ExitCode.REFUSED


def _trace() -> bool:
    if os.environ.get("NUMERBAY_CHAIN_DEBUG") != "1":
        return False
    import traceback

    traceback.print_exc()
    return True


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
