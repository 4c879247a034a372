"""Other contracts on a place's chain: wallets and pools that take part in the marketplace as people do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from numerbay_chain.chain.encoding import abi
from numerbay_chain.chain.encoding.calls import Call
from numerbay_chain.chain.local.devnet import request
from numerbay_chain.chain.sending.sender import Sender
from tests.support.places import Place
from tests.support.plugins.toolchain import ROOT, require

ARTIFACTS = ROOT / ".cache" / "artifacts"


@dataclass(frozen=True)
class Other:
    """A contract that the package has no interface of. Account `by` sends what is asked of it."""

    place: Place
    address: str

    @classmethod
    def deployed(cls, place: Place, name: str, types: str = "", *arguments: Any) -> "Other":
        """One of the test contracts; `types` are its constructor's, as in "address,bytes32"."""
        path: Path = ARTIFACTS / f"{name}.json"
        artifact = json.loads(require("solc", path if path.exists() else None).read_text())
        code = bytes.fromhex(artifact["bytecode"].removeprefix("0x")) + _words(types, arguments)
        created = Sender(place.chain.connection, place.chain.signer(0)).deploy(code).created
        assert created is not None
        return cls(place, created)

    def send(self, signature: str, *arguments: Any, by: int = 0, value: int = 0) -> None:
        """Call a function of its own, as in "withdraw(uint256)"."""
        self._send(calldata(signature, arguments), by, value)

    def act(self, call: Call) -> None:
        """Let a contract that can make any call make this one, to the marketplace."""
        types, target = "execute(address,uint256,bytes)", self.place.contract.address
        self._send(calldata(types, (target, call.value, abi.encode_call(call))), 0, 0)

    def _send(self, data: bytes, by: int, value: int) -> None:
        connection = self.place.chain.connection
        sender = self.place.chain.signer(by).address
        sent = {"from": sender, "to": self.address, "data": data, "value": value, "gas": 3_000_000}
        receipt = connection.receipt(str(request(connection, "eth_sendTransaction", sent)))
        assert receipt is not None
        assert receipt.status == 1


def _words(types: str, arguments: tuple[Any, ...]) -> bytes:
    return encode(types.split(","), arguments) if types else b""


def calldata(signature: str, arguments: tuple[Any, ...]) -> bytes:
    """What a call of that function sends."""
    return keccak(text=signature)[:4] + _words(signature.partition("(")[2].rstrip(")"), arguments)
