"""A JSON-RPC proxy on loopback in front of a real node, which misbehaves in the way that a test asks for."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

from tests.support.batches import one_by_one

Request = dict[str, Any]
Answer = dict[str, Any]


class HangUpError(Exception):
    """Raised by a mischief: the connection is cut without an answer."""


class PlainAnswerError(Exception):
    """Raised by a mischief: this status and text go back instead."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class RefusedAllError(Exception):
    """One of many calls was refused by the node itself, and with it all of them."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


Mischief = Callable[[Request, Callable[[Request], Answer]], Answer]


def honest(request: Request, node: Callable[[Request], Answer]) -> Answer:
    return node(request)


class Proxy:
    """`mischief` decides about each request; `seen` are all of them, as they came in."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._session = requests.Session()
        self.mischief: Mischief = honest
        self.seen: list[Request] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def count(self, method: str) -> int:
        return sum(request["method"] == method for request in self.seen)

    def _answer(self, request: Request) -> Answer:
        """What the mischief makes of a request; of calls in init code, of each of them."""

        def ask(call: dict[str, Any]) -> tuple[bool, bytes]:
            answer = self.mischief({**request, "params": [call, *request["params"][1:]]}, self._forward)
            if "error" in answer and "data" not in answer["error"]:
                raise RefusedAllError(answer)
            told = answer["error"]["data"] if "error" in answer else answer["result"]
            return "error" not in answer, bytes.fromhex(told[2:])

        try:
            told = one_by_one(ask, request["params"][0]) if request["method"] == "eth_call" else None
        except RefusedAllError as refused:
            return refused.answer
        if told is None:
            return self.mischief(request, self._forward)
        return {"jsonrpc": "2.0", "id": request["id"], "result": told}

    def _forward(self, request: Request) -> Answer:
        answer: Answer = self._session.post(self._node, json=request, timeout=30).json()
        return answer

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet: a body of its own waits 40 ms for the head to be acknowledged

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                requests = asked if isinstance(asked, list) else [asked]
                proxy.seen += requests
                try:
                    answers = [proxy._answer(request) for request in requests]
                    status, body = 200, json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
                except HangUpError:
                    self.close_connection = True
                    return
                except PlainAnswerError as answer:
                    status, body = answer.status, answer.text.encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def refusing_ranges(most: int, *, status: int = 200) -> Mischief:
    """A node that answers for at most so many blocks at a time."""

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        if request["method"] == "eth_getLogs":
            query = request["params"][0]
            if int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1 > most:
                error = {"code": -32005, "message": f"block range is limited to {most}"}
                answer = {"jsonrpc": "2.0", "id": request["id"], "error": error}
                if status != 200:
                    raise PlainAnswerError(status, json.dumps(answer))
                return answer
        return node(request)

    return mischief


def altering(method: str, change: Callable[[Any], Any]) -> Mischief:
    """A node that changes the results of one method."""

    def mischief(request: Request, node: Callable[[Request], Answer]) -> Answer:
        answer = node(request)
        return {**answer, "result": change(answer["result"])} if request["method"] == method else answer

    return mischief
