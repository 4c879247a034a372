"""Servers that speak bytes as a test says, below HTTP."""

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

Speak = Callable[[socket.socket], None]


@contextlib.contextmanager
def speaking(speak: Speak, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port on loopback where each connection is handed to `speak`, behind TLS if there is a context."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            if tls is not None:
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    speak(wrapped)
            else:
                speak(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def forever(start: bytes, piece: bytes, pause: float = 0.0) -> Speak:
    """Says `start`, then `piece` again and again."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return speak


def saying(text: bytes) -> Speak:
    """Takes the head of a request, says `text` and hangs up."""

    def speak(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            got = connection.recv(4096)
            if not got:
                return
            head += got
        connection.sendall(text)
        connection.settimeout(0.2)  # what is left unread when it hangs up would take the answer back
        while connection.recv(4096):
            pass

    return speak


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Authority:
    """A certificate authority of one's own in a folder, by openssl."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self._openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=test authority",
        )  # fmt: skip

    def server(self, name: str, *, valid: tuple[str, str] | None = None) -> ssl.SSLContext:
        """A server's context with a certificate for `name` ("IP:127.0.0.1", "DNS:node.example")."""
        stem = name.replace(":", "-") + ("-old" if valid else "")
        (self.folder / f"{stem}.ext").write_text(f"subjectAltName={name}\n")
        self._openssl(
            "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{stem}.key", "-out", f"{stem}.csr", "-subj", "/CN=x"
        )
        if valid:
            (self.folder / "index.txt").write_text("")
            (self.folder / "serial").write_text("01\n")
            (self.folder / "ca.cnf").write_text(
                "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
                "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n"
            )
            self._openssl(
                "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in", f"{stem}.csr",
                "-out", f"{stem}.pem", "-startdate", valid[0], "-enddate", valid[1], "-extfile", f"{stem}.ext",
                "-notext",
            )  # fmt: skip
        else:
            self._openssl(
                "x509", "-req", "-in", f"{stem}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{stem}.pem", "-days", "1", "-extfile", f"{stem}.ext",
            )  # fmt: skip
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{stem}.pem", self.folder / f"{stem}.key")
        return context

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)
