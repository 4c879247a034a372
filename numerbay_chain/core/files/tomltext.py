"""TOML that people write, changed in place: their comments and layout stay.

Reading alone is `tomllib`'s; this module takes time to load.
"""

import tomllib
from collections.abc import Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table


def updated(text: str, tables: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return a text of tables, changed so that it holds these tables and no others. None where that can't be done
    without a change to what else stands there."""
    try:
        document, standing = tomlkit.parse(text), tomllib.loads(text)
        for name in [name for name in document if name not in tables]:
            _remove(document, name)
        for name, values in tables.items():
            if name not in document:
                _begin(document, name)
            _update(document[name], standing.get(name, {}), values)
        changed = tomlkit.dumps(document)
        return changed if tomllib.loads(changed) == tables else None
    except (TOMLKitError, ValueError):
        return None


def _begin(document: tomlkit.TOMLDocument, name: str) -> None:
    before = tomlkit.dumps(document)
    if before and not before.endswith("\n\n"):
        document.add(tomlkit.nl())
    document.add(name, tomlkit.table())


def _remove(document: tomlkit.TOMLDocument, name: str) -> None:
    place = next(place for place, (key, _) in enumerate(document.body) if key is not None and key.key == name)
    rest = _cut_off_rest(document[name])
    document.remove(name)
    if "#" in rest:
        document.body[place] = (None, tomlkit.ws(rest))


def _update(table: Any, standing: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    rest = _cut_off_rest(table)
    for key in standing.keys() - values.keys():
        del table[key]
    for key, value in values.items():
        if key not in standing or (type(standing[key]), standing[key]) != (type(value), value):
            table[key] = value
    if rest:
        table.add(tomlkit.ws(rest))


def _cut_off_rest(table: object) -> str:
    """Take from a table what follows its last value: blank lines, and comments that belong to the next table."""
    rest = ""
    while isinstance(table, Table) and table.value.body and table.value.body[-1][0] is None:
        rest = table.value.body.pop()[1].as_string() + rest
    return rest
