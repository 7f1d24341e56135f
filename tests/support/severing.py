"""A wire to a PostgreSQL server that breaks at the worst moment: around a COMMIT."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Wire:
    """Passes bytes between clients and a server, until `break_at` says how the next COMMIT is to be lost.

    "before": the server never hears of it. "after": the server commits, and its answer never comes.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self.break_at = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
                self._sockets += [client, server]
                for pair in ((client, server), (server, client)):
                    thread = threading.Thread(target=self._pass, args=(*pair, pair[0] is client), daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pass(self, source: socket.socket, target: socket.socket, asking: bool) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                if asking and self.break_at and b"COMMIT" in content:
                    self._lose(source, target, content)
                    return
                target.sendall(content)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _lose(self, client: socket.socket, server: socket.socket, commit: bytes) -> None:
        how, self.break_at = self.break_at, ""
        client.shutdown(socket.SHUT_RDWR)  # first, so that no answer can reach it
        if how == "after":
            server.sendall(commit)
            # The server ends the session once it has worked off what came before the end of the stream.
            server.shutdown(socket.SHUT_WR)
            while server.recv(65536):
                pass
        server.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Break everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for one in self._sockets:
            one.close()
