"""Progress bars with time left, and speed where bytes are counted: on stderr, on a terminal, and not where NO_COLOR is
set."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from numerbay_chain.cli import output
from numerbay_chain.core.progress import Progress, silent


def is_wanted() -> bool:
    """Whether somebody watches who wants to see it move."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress() -> Iterator[Progress]:
    """One bar for each label that is reported."""
    if not is_wanted():
        yield silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Task, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars
    from rich.progress import TransferSpeedColumn as SpeedColumn
    from rich.text import Text

    class Done(DownloadColumn):
        def render(self, task: Task) -> Text:
            unit = task.fields["unit"]
            if unit == "bytes":
                return super().render(task)
            return Text(f"{task.completed:.0f}/{task.total or 0:.0f} {unit}", "progress.download")

    class Speed(SpeedColumn):
        def render(self, task: Task) -> Text:
            return super().render(task) if task.fields["unit"] == "bytes" else Text()

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        Done(binary_units=True),
        Speed(),
        TimeRemainingColumn(compact=True),
    )
    tasks: dict[str, TaskID] = {}
    with (
        Bars(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bars,
        output.moving(bars.stop, bars.start),
    ):

        def update(label: str, done: int, total: int, unit: str = "bytes", /) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label, total=total or None, unit=unit)
            bars.update(tasks[label], completed=done, total=total or None)

        yield update
