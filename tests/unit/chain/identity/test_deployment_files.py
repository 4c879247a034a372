"""Deployments are remembered as files, and a file that is something else is not believed."""

from pathlib import Path

import pytest

from numerbay_chain.chain.identity.deployment import Deployment, load, load_all, save
from numerbay_chain.core.errors import UsageError
from tests.support.codes import fails_with

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def test_what_was_saved_is_loaded_newest_first_and_by_chain(tmp_path: Path) -> None:
    folder = tmp_path / "deployments"
    assert load_all(folder, 1) == []
    older, newer = Deployment(1, ADDRESS, 5, "0x01"), Deployment(1, OTHER, 9, "0x02")
    for deployment in (older, newer, Deployment(11, ADDRESS, 7, "0x03")):
        assert load(save(deployment, folder)) == deployment
    assert load_all(folder, 1) == [newer, older]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"chain_id": 1, "address": "0x12", "block": 1, "transaction": ""}',
        f'{{"chain_id": -1, "address": "{ADDRESS}", "block": 1, "transaction": ""}}',
        f'{{"chain_id": 1, "address": "{ADDRESS.lower()}", "block": 1, "transaction": ""}}',
        f'{{"chain_id": 1, "address": "{ADDRESS}", "block": true, "transaction": ""}}',
        f'{{"chain_id": 1, "address": "{ADDRESS}", "block": 1, "transaction": 5}}',
        f'{{"chain_id": 1, "address": "{ADDRESS}", "block": 1, "transaction": "", "more": 1}}',
    ],
)
def test_a_file_that_is_no_deployment_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / f"1-{ADDRESS}.json"
    path.write_text(text)
    with fails_with(UsageError, "bad-deployment"):
        load_all(tmp_path, 1)
