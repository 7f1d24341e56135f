"""Runs user code: the only part of the replica inside the user's own interpreter and lock.

`<python> -I -u worker_shim.py SOCKET MARKER CODE ENTRY THREADS PARENT` imports the entry from CODE, calls init() once,
then run(data) for each request that comes over the socket SOCKET (a file descriptor), until that is closed. Only the
standard library, nothing newer than Python 3.8, and what most scripts do not need is imported late. The front imports
this file too, for the frames below.

A request is a header (length, number) and the body. A reply is a header (length, number, kind, count) and a payload,
where count says how many non-finite numbers became null. Before it runs a request, the worker writes its number into
the shared memory MARKER, so that the front knows, when the worker dies, which requests had begun.
"""

# ruff: noqa: PTH118, PTH119, PTH120, PTH122  (pathlib is one more import at every start)
from __future__ import annotations

import json
import math
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time
import traceback
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from importlib.util import module_from_spec, spec_from_file_location
from types import FrameType, ModuleType
from typing import Any

REQUEST = struct.Struct(">IQ")
REPLY = struct.Struct(">IQBI")
MARKER = struct.Struct("<Q")
MARKER_SIZE = mmap.PAGESIZE
ANSWER, FAILED, UNREADABLE, READY, INIT_FAILED = range(5)

_PR_SET_PDEATHSIG = 1
_LAST_WORDS = 2.0  # seconds for user code's own clean-up at the end
_LONGEST_TRACEBACK = 8000


class Replies:
    """Sends replies whole, from any thread."""

    def __init__(self, channel: socket.socket, code: str) -> None:
        self._channel = channel
        self._code = code
        self._lock = threading.Lock()

    def send(self, number: int, kind: int, payload: bytes, count: int = 0) -> None:
        message = REPLY.pack(len(payload), number, kind, count) + payload
        with self._lock:
            self._channel.sendall(message)

    def send_error(self, number: int, kind: int, error: BaseException) -> None:
        text = json.dumps(explain(error, self._code), ensure_ascii=False)
        self.send(number, kind, text.encode("utf-8", "replace"))  # a message may hold what is no text


class Encoder:
    """Turns what user code returns into JSON, whatever it holds, or raises TypeError."""

    def __init__(self) -> None:
        self.replaced = 0

    def encode(self, value: Any) -> bytes:
        try:
            text = json.dumps(value, default=plain, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError):  # a non-finite number or an unusual key: the slow way finds it
            text = json.dumps(self._finite(value), allow_nan=False, separators=(",", ":"))
        return text.encode()

    def _finite(self, value: Any) -> Any:
        if isinstance(value, float):
            if math.isfinite(value):
                return value
            self.replaced += 1
            return None
        if value is None or isinstance(value, (str, int)):
            return value
        if isinstance(value, dict):
            return {key_text(key): self._finite(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._finite(item) for item in value]
        return self._finite(plain(value))


def key_text(key: Any) -> str:
    """A dictionary's key as JSON has it: always a string."""
    if isinstance(key, str):
        return key
    if key is None or isinstance(key, (int, float)):
        return json.dumps(key)
    return key_text(plain(key))


def plain(value: Any) -> Any:
    """What JSON has for a value of NumPy, pandas or the like: told by its methods, since we import none of them."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return value.to_dict(orient="records")
    for method in ("tolist", "item", "isoformat"):
        if hasattr(value, method) and not isinstance(value, type):
            return getattr(value, method)()
    raise TypeError(f"run() returned a value of type {type(value).__name__}, which JSON cannot hold")


def explain(error: BaseException, code: str) -> dict[str, str]:
    """An exception as the front logs it: what, and where in the user's code."""
    where = ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{os.path.relpath(error.filename, code)}:{error.lineno}"
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.startswith(code + os.sep):
                where = f"{os.path.relpath(frame.filename, code)}:{frame.lineno}"
    lines = traceback.format_exception(type(error), error, error.__traceback__)
    text = "".join(lines)[-_LONGEST_TRACEBACK:]
    return {"type": type(error).__name__, "text": str(error), "where": where, "traceback": text}


class PackagedLoader(SourceFileLoader):
    """Loads a packaged module and leaves no bytecode beside it: a package never changes."""

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        pass


def import_entry(code: str, entry: str) -> ModuleType:
    """Import the scoring script as a module named after its file, with the code folder first on the path."""

    def packaged(folder: str) -> FileFinder:
        if folder != code and not folder.startswith(code + os.sep):
            raise ImportError(folder)
        return FileFinder(
            folder,
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (PackagedLoader, SOURCE_SUFFIXES),
            (SourcelessFileLoader, BYTECODE_SUFFIXES),
        )

    path = os.path.join(code, entry)
    sys.path_hooks.insert(0, packaged)
    sys.path[:0] = list(dict.fromkeys((code, os.path.dirname(path))))
    name = os.path.splitext(os.path.basename(entry))[0]
    spec = spec_from_file_location(name, path, loader=PackagedLoader(name, path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{entry} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    if not callable(getattr(module, "run", None)):
        raise AttributeError(f"{entry} has no function run(data)")
    return module


class Background:
    """An event loop in a thread of its own, for scripts with async functions; started by the first of them."""

    def __init__(self) -> None:
        self._loop: Any = None
        self._lock = threading.Lock()

    def finish(self, result: Any) -> Any:
        """The value itself, or what an awaitable comes to."""
        if not hasattr(result, "__await__"):
            return result
        import asyncio

        async def wait() -> Any:
            return await result

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()


class Worker:
    """Scores one request after another, or several at once in threads."""

    def __init__(self, channel: socket.socket, marker: mmap.mmap, code: str, threads: int) -> None:
        self._stream = channel.makefile("rb", buffering=65536)
        self._replies = Replies(channel, code)
        self._marker = marker
        self._code = code
        self._threads = threads
        self._background = Background()
        self._run: Any = None

    def start(self, entry: str) -> bool:
        """Import and init(); whether that went well is the first thing the front hears."""
        began = time.monotonic()
        try:
            module = import_entry(self._code, entry)
            if callable(getattr(module, "init", None)):
                self._background.finish(module.init())
        except BaseException as error:
            self._replies.send_error(0, INIT_FAILED, error)
            return False
        self._run = module.run
        self._replies.send(0, READY, json.dumps({"seconds": time.monotonic() - began}).encode())
        return True

    def serve(self) -> None:
        """Until the front closes the socket."""
        if self._threads > 1:
            from concurrent.futures import ThreadPoolExecutor

            pool = ThreadPoolExecutor(self._threads)
        while True:
            header = self._stream.read(REQUEST.size)
            if len(header) < REQUEST.size:
                return
            length, number = REQUEST.unpack(header)
            body = self._stream.read(length)
            if len(body) < length:
                return
            MARKER.pack_into(self._marker, 0, number)
            if self._threads > 1:
                pool.submit(self._score_in_thread, number, body)
            else:
                self._score(number, body)

    def _score(self, number: int, body: bytes) -> None:
        try:
            data = body.decode()
        except UnicodeDecodeError as error:
            self._replies.send_error(number, UNREADABLE, error)
            return
        encoder = Encoder()
        try:
            payload = encoder.encode(self._background.finish(self._run(data)))
        except Exception as error:
            self._replies.send_error(number, FAILED, error)
            return
        self._replies.send(number, ANSWER, payload, encoder.replaced)

    def _score_in_thread(self, number: int, body: bytes) -> None:
        try:
            self._score(number, body)
        except BaseException as error:  # sys.exit() in a thread would pass unnoticed
            leave(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else 1)


def leave(status: int) -> None:
    """End now, whatever threads and exit handlers there are."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def follow_parent(parent: int) -> None:
    """End with the front, even in the middle of run(): the closed socket would be seen only after it."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def ignore_stop_signals() -> None:
    """A stop signal to the whole process group is for the front, which still has answers to wait for.

    Handlers and not SIG_IGN, which programs started by user code would inherit; its forks end as usual.
    """
    owner = os.getpid()

    def handle(number: int, _frame: FrameType | None) -> None:
        if os.getpid() != owner:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


def main(arguments: list[str]) -> None:
    """Serve until the front closes the socket or is gone."""
    descriptor, marker, code, entry, threads, parent = arguments
    follow_parent(int(parent))
    ignore_stop_signals()
    os.set_inheritable(int(descriptor), False)
    os.set_inheritable(int(marker), False)
    shared = mmap.mmap(int(marker), MARKER_SIZE)
    worker = Worker(socket.socket(fileno=int(descriptor)), shared, code, int(threads))
    try:
        if worker.start(entry):
            worker.serve()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        last_words = threading.Timer(_LAST_WORDS, leave, (0,))  # user threads or exit handlers may never end
        last_words.daemon = True
        last_words.start()


if __name__ == "__main__":
    main(sys.argv[1:])
