"""Codes of errors: in one form, each with its meaning, all of them in the document."""

import ast

from numerbay_chain.chain.encoding.sentences import SENTENCES
from numerbay_chain.core.errors import RevertedError, kebab
from tools import error_codes

PROMISED = {
    "bad-checksum", "contract-unknown", "fee-too-high", "node-behind", "nodes-disagree", "not-a-file", "slow-source",
    "stale-node", "too-early", "too-large", "too-late", "unsafe-address", "bug", "interrupted", "usage",
}  # fmt: skip


def test_every_code_has_its_form_and_its_meaning() -> None:
    assert error_codes.problems() == []
    assert error_codes.found().keys() >= PROMISED


def test_the_document_is_the_one_that_the_code_writes() -> None:
    written = error_codes.DOCUMENT.read_text("utf-8")
    assert written == error_codes.document(), "run: python -m tools.error_codes > docs/errors.md"
    for code in [*error_codes.found(), *map(kebab, SENTENCES)]:
        assert f"| `{code}` |" in written


def test_codes_are_found_with_their_exit_codes() -> None:
    codes = error_codes.found()
    assert codes["bad-checksum"] == {2}
    assert codes["interrupted"] == {130}
    assert codes["wrong-password"] == {4}
    assert codes["no-such-file"] >= {1, 2, 4}
    assert codes["unfinished-delivery"] == {1}


def test_a_code_in_another_form_or_without_a_meaning_is_found() -> None:
    tree = ast.parse('def f():\n    raise UsageError("x", code="Not_Kebab")\n')
    assert [text for _, text in error_codes._calls(tree)] == ["Not_Kebab"]
    assert error_codes.CODE.fullmatch("Not_Kebab") is None


def test_a_revert_has_the_contracts_name_as_its_code() -> None:
    assert RevertedError("x", name="TooLate").code == "too-late"
    assert RevertedError("x", name="ERC20InsufficientBalance").code == "erc20-insufficient-balance"
    assert RevertedError("x", name="SafeERC20FailedOperation").code == "safe-erc20-failed-operation"
    assert RevertedError("x", name="NotAToken").code == "not-a-token"
    assert [RevertedError("x", name=name).code for name in ("", "Error")] == ["reverted", "reverted"]
    assert RevertedError("x", name="TooLate", code="other").code == "other"
    codes = [kebab(name) for name in SENTENCES]
    assert len(set(codes)) == len(codes)
