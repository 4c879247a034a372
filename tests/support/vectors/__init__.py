"""The vectors as tests want them."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def load(name: str) -> dict[str, Any]:
    """A format's vectors, as the JSON file has them."""
    vectors: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return vectors


def failures(name: str) -> list[dict[str, Any]]:
    """The invalid ones, each with all of its fields."""
    vectors = load(name)
    return [vectors.get("base", {}) | vector for vector in vectors["invalid"]]


def why(vector: dict[str, Any]) -> str:
    """A name for a failure, for test ids."""
    return str(vector["why"]).replace(" ", "-")
