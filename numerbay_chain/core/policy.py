"""What a session takes for granted of its network and of time: set once, for a connection and all that uses it."""

import time as machine
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """`time` is this machine's clock (Unix seconds), `sleep` how it waits.

    `trial`: nothing can be lost on the chain, and a block comes when a transaction does; None: on a development chain.
    `confirmations`: how many blocks on top make a block final where the chain does not say what is final; None: as many
    as the network is known for, 0 on a development chain.

    Seconds: `catch_up`, in which a node must show what it has shown before; `patience`, in which a second node may come
    to the block that the first one has (None: 60, on a development chain 3); `request`, for one question, and `logs`,
    for logs of many blocks, of which fewer are asked for where they take longer; `pauses` between tries while a node
    is busy, and `broken` before the second try where a connection broke; `prices`, in which gas is not priced
    again: a base fee that grows in each block, one a second, less than doubles in five; `believed`, in which the
    newest block of a public chain is taken for the newest one still, where nothing has shown a newer one: a node is
    often that much behind.
    """

    time: Callable[[], float] = machine.time
    sleep: Callable[[float], None] = machine.sleep
    trial: bool | None = None
    confirmations: int | None = None
    catch_up: float = 15.0
    patience: float | None = None
    request: float = 30.0
    logs: float = 10.0
    pauses: tuple[float, ...] = (0.5, 1.0, 2.0)
    broken: float = 0.2
    prices: float = 5.0
    believed: float = 1.0
