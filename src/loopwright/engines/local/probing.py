"""Asks replicas and services how they are, in a few threads, so that one that hangs holds up neither the agent nor the
others."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from loopwright.engines.local.unix_http import ask

__all__ = ["Answer", "Prober", "health", "stats"]

_THREADS = 4
_PATIENCE = 1.0  # seconds for an answer


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a process says of itself; `error` where it did not answer."""

    ready: bool = False
    in_flight: int = 0
    queued: int = 0
    completed: int = 0  # requests that it has answered
    message: str = ""
    error: str = ""


class Prober:
    """At most one question under each name at a time; `done` is called, from a thread, when an answer has come."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._done = done
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="probe")
        self._asked: dict[str, Future[Answer]] = {}

    def ask(self, name: str, question: Callable[[], Answer]) -> None:
        """Ask, unless a question of this name is under way or its answer has not been taken."""
        if name not in self._asked:
            asked = self._pool.submit(question)
            self._asked[name] = asked
            asked.add_done_callback(lambda _: self._done())

    def take(self, name: str) -> Answer | None:
        """The answer, once; None where there is none yet."""
        asked = self._asked.get(name)
        if asked is None or not asked.done():
            return None
        del self._asked[name]
        return asked.result()

    def forget(self, name: str) -> None:
        """Nobody is interested any more."""
        self._asked.pop(name, None)

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def stats(socket: str) -> Callable[[], Answer]:
    """The question to a replica at its socket."""

    def question() -> Answer:
        try:
            status, body = ask(socket, "/stats", _PATIENCE)
            if status != 200:
                return Answer(error=f"/stats answered {status}")
            return msgspec.json.decode(body, type=Answer)
        except (OSError, msgspec.DecodeError) as error:
            return Answer(error=str(error) or type(error).__name__)

    return question


def health(port: int) -> Callable[[], Answer]:
    """The question to a service on this machine: GET /health."""

    def question() -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/health")
            status = connection.getresponse().status
            return Answer(ready=True) if status == 200 else Answer(error=f"/health answered {status}")
        except (OSError, http.client.HTTPException) as error:
            return Answer(error=str(error) or type(error).__name__)
        finally:
            connection.close()

    return question
