"""What the three roles share: a session, how it is opened, and how a step becomes a method.

A step is a function over a `Session`: it holds the text, the arguments and their defaults. A role names the steps that
its account can take (`skip = method(skip)`), so that nothing is said twice.
"""

from collections.abc import Callable, Iterable
from inspect import Parameter, Signature, getdoc, signature
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, Unpack, overload

from numerbay_chain.core.home.settings import Overrides
from numerbay_chain.core.progress import Notify, quiet
from numerbay_chain.opening import open_session
from numerbay_chain.session import Session

Arguments = ParamSpec("Arguments")
Request = TypeVar("Request")
Result = TypeVar("Result")
Given = TypeVar("Given")
Method = TypeVar("Method", bound=Callable[..., Any])


class Role:
    """Acts for the account of `session`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __init_subclass__(cls) -> None:
        for name, taken in vars(cls).items():
            if isinstance(getattr(taken, "__signature__", None), Signature):
                taken.__name__, taken.__qualname__, taken.__module__ = name, f"{cls.__name__}.{name}", cls.__module__

    @classmethod
    def connect(
        cls,
        profile: str | None = None,
        *,
        password: Callable[[], str] | None = None,
        dry_run: bool = False,
        notify: Notify = quiet,
        **overrides: Unpack[Overrides],
    ) -> Self:
        """Open chain, contract, account, key file and store as settings say: `overrides`, then NUMERBAY_CHAIN_*, then
        the profile.

        With `dry_run` the first transaction that would be sent is raised as `Planned` instead. Raises `UsageError`
        for a setting that is missing.
        """
        return cls(open_session(profile, password=password, dry_run=dry_run, notify=notify, **overrides))


@overload
def method(
    step: Callable[Concatenate[Session, Arguments], Result], /
) -> Callable[Concatenate[Role, Arguments], Result]: ...
@overload
def method(
    step: Callable[Concatenate[Session, Given, Arguments], Result], given: Given, /
) -> Callable[Concatenate[Role, Arguments], Result]: ...
def method(step: Any, /, *given: Any) -> Any:
    """Return a role's method that takes `step`, with its text and its arguments but the session, and the one that is
    `given`."""

    def taken(self: Role, /, *arguments: Any, **named: Any) -> Any:
        return step(self.session, *given, *arguments, **named)

    said = signature(step)
    return _shown(taken, said, [*said.parameters.values()][1 + len(given) :], step)


def method_with(
    request: Callable[Arguments, Request], step: Callable[[Session, Request], Result]
) -> Callable[Concatenate[Role, Arguments], Result]:
    """Return a role's method that takes `step` with a `request`, a dataclass whose fields are the method's arguments.
    Its text is the step's and the request's."""

    def taken(self: Role, /, *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        return step(self.session, request(*arguments, **named))

    told = (step, *getattr(request, "__mro__", ())[:-1])
    return _shown(taken, signature(step), signature(request).parameters.values(), *told)


def _shown(taken: Method, said: Signature, parameters: Iterable[Parameter], *told: object) -> Method:
    """What `help` and `inspect.signature` show of a method is what its step says."""
    first = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    taken.__dict__["__signature__"] = said.replace(parameters=[first, *parameters])
    taken.__doc__ = "\n\n".join(getdoc(one) or "" for one in told)
    return taken
