"""Runs user code: the only part of the replica inside the user's own interpreter and lock.

`<python> -I -u worker_shim.py SOCKET MARKER THREADS PARENT CONFIG` loads what CONFIG names (a scoring script or a model, see
`hosted`), calls init() once, then scores each request that comes over the socket SOCKET (a file descriptor), until that is
closed. Only the standard library, nothing newer than Python 3.8, and what most scripts do not need is imported late. The
front imports this file too, for the frames below.

A request is a header (length, number, kind) and a body: the text for run(), rows as JSON, or a whole HTTP request. A reply
is a header (length, number, kind, count, milliseconds) and a payload, where count says how many non-finite numbers became
null. A frame with a head (a request of HTTP, and a response) is the length of the head, the head as JSON, and the body.
Before it runs a request, the worker writes its number into the shared memory MARKER, so that the front knows, when the
worker dies, which requests had begun. Behind it the front writes the numbers of those that it takes back: the worker looks
there after it has written, so that of each either the front sees that it has begun or the worker sees that it must not.
"""

# ruff: noqa: PTH100, PTH118, PTH119, PTH120, PTH122  (pathlib is one more import at every start)
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

REQUEST = struct.Struct(">IQB")
REPLY = struct.Struct(">IQBIf")
HEAD = struct.Struct(">I")
MARKER = struct.Struct("<Q")
MARKER_SIZE = mmap.PAGESIZE
TEXT, ROWS, HTTP = range(3)
ANSWER, FAILED, UNREADABLE, READY, INIT_FAILED, RESPONSE, REFUSED, WARM_UP_FAILED, WITHDRAWN = range(9)

_PLACES = 64  # for numbers of requests that are taken back: more than can be with a worker unbegun
_PR_SET_PDEATHSIG = 1
_LAST_WORDS = 2.0  # seconds for user code's own clean-up at the end
_LONGEST_TRACEBACK = 8000
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 10.0  # seconds until a warm-up that failed is tried again


def withdrawn_at(number: int) -> int:
    """Where in the shared memory it stands that the request with this number is taken back."""
    return MARKER.size * (1 + number % _PLACES)


class Replies:
    """Sends replies whole, from any thread."""

    def __init__(self, channel: socket.socket, code: str) -> None:
        self._channel = channel
        self._code = code
        self._lock = threading.Lock()

    def send(self, number: int, kind: int, payload: bytes, count: int = 0, began: float = 0.0) -> None:
        taken = (time.perf_counter() - began) * 1000.0 if began else 0.0
        message = REPLY.pack(len(payload), number, kind, count, taken) + payload
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
            text = _encode(value)
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


_encode = json.JSONEncoder(default=plain, allow_nan=False, separators=(",", ":")).encode


def is_response(value: Any) -> bool:
    """Whether it is an HTTP response, as Flask and Azure's AMLResponse are."""
    return hasattr(value, "status_code") and hasattr(value, "headers") and hasattr(value, "get_data")


def with_head(head: Any, body: bytes) -> bytes:
    """A frame with a head."""
    told = json.dumps(head).encode()
    return HEAD.pack(len(told)) + told + body


def split_head(frame: bytes) -> tuple[Any, bytes]:
    """Its head and its body."""
    (length,) = HEAD.unpack_from(frame)
    end = HEAD.size + length
    return json.loads(frame[HEAD.size : end]), frame[end:]


def beside(name: str) -> ModuleType:
    """A package of the front's that lies beside this file, under a name that is nobody else's."""
    full = "loopwright_" + name
    if full not in sys.modules:
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
        path = os.path.join(folder, "__init__.py")
        spec = spec_from_file_location(full, path, submodule_search_locations=[folder])
        if spec is None or spec.loader is None:
            raise ImportError(path)
        module = module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


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
        self._threads = threads
        self._background = Background()
        self._host: Any = None
        self._kinds = (self._text, self._rows, self._request)

    def start(self, config: dict[str, Any]) -> bool:
        """Load and init(); whether that went well is the first thing the front hears."""
        began = time.monotonic()
        try:
            self._host = beside("hosted").load(config, import_entry, beside)
            self._background.finish(self._host.start())
        except BaseException as error:
            self._replies.send_error(0, INIT_FAILED, error)
            return False
        self._warm_up()
        beside("hosted").settle()
        told = {"seconds": time.monotonic() - began, **self._host.told}
        self._replies.send(0, READY, json.dumps(told, default=plain).encode())
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
            length, number, kind = REQUEST.unpack(header)
            body = self._stream.read(length)
            if len(body) < length:
                return
            MARKER.pack_into(self._marker, 0, number)
            if MARKER.unpack_from(self._marker, withdrawn_at(number))[0] == number:
                self._replies.send(number, WITHDRAWN, b"")
            elif self._threads > 1:
                pool.submit(self._score_in_thread, number, kind, body)
            else:
                self._score(number, kind, body)

    def _score(self, number: int, kind: int, body: bytes) -> None:
        began = time.perf_counter()
        encoder = Encoder()
        try:
            data = body.decode() if kind == TEXT else body
        except UnicodeDecodeError as error:
            self._replies.send_error(number, UNREADABLE, error)
            return
        try:
            answer = self._background.finish(self._kinds[kind](data))
            if answer is None and kind != ROWS:  # as Azure ML's server has it
                answer = {}
            if is_response(answer):
                payload, reply = (
                    with_head([answer.status_code, list(answer.headers.items())], answer.get_data()),
                    RESPONSE,
                )
            else:
                payload, reply = encoder.encode(answer), ANSWER
        except Exception as error:
            self._fail(number, error)
            return
        self._replies.send(number, reply, payload, encoder.replaced, began)

    def _text(self, data: Any) -> Any:
        return self._host.text(data)

    def _rows(self, data: Any) -> Any:
        return self._host.rows(json.loads(data))

    def _request(self, data: Any) -> Any:
        head, body = split_head(data)
        return self._host.request(*head, body)

    def _fail(self, number: int, error: Exception) -> None:
        status = getattr(error, "loopwright_status", 0)
        if status:
            told = {"status": status, "message": str(error), **getattr(error, "loopwright_details", {})}
            self._replies.send(number, REFUSED, json.dumps(told).encode())
        else:
            self._replies.send_error(number, FAILED, error)

    def _warm_up(self) -> None:
        """Score the package's example, so that whatever is loaded at the first call is loaded now, and a script that cannot
        answer, say because it needs what is not up, is not ready: it is tried again until it can.

        A host which takes something else than our rows may rightly not understand the example, and is ready all the same.
        """
        warm_up = getattr(self._host, "warm_up", None)
        wait = _FIRST_WAIT
        while warm_up is not None:
            try:
                self._background.finish(warm_up())
                return
            except Exception as error:
                if not self._host.takes_example:
                    reason = f"{type(error).__name__}: {error}"
                    print(f"the package's example could not be scored: {reason}", file=sys.stderr)
                    return
                self._replies.send_error(0, WARM_UP_FAILED, error)
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _score_in_thread(self, number: int, kind: int, body: bytes) -> None:
        try:
            self._score(number, kind, body)
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
    descriptor, marker, threads, parent, told = arguments
    config = json.loads(told)
    follow_parent(int(parent))
    ignore_stop_signals()
    os.set_inheritable(int(descriptor), False)
    os.set_inheritable(int(marker), False)
    shared = mmap.mmap(int(marker), MARKER_SIZE)
    worker = Worker(socket.socket(fileno=int(descriptor)), shared, config["code"], int(threads))
    try:
        if worker.start(config):
            worker.serve()
    except (BrokenPipeError, ConnectionResetError):
        pass
    finally:
        last_words = threading.Timer(_LAST_WORDS, leave, (0,))  # user threads or exit handlers may never end
        last_words.daemon = True
        last_words.start()


if __name__ == "__main__":
    main(sys.argv[1:])
