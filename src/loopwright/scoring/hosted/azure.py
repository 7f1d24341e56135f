"""Scripts that take more than a body's text, as Azure ML's inference server lets them: raw HTTP, headers, typed arguments.

The behaviour is that of the package azureml-inference-server-http (documented at
https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http) and of inference-schema
(https://pypi.org/project/inference-schema). A script that runs there runs here.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
from types import ModuleType
from typing import Any, Callable, NamedTuple
from urllib.parse import parse_qsl

from .parts import Config, Refused
from .script import HEADERS, is_decorated, raw_module


class Request(NamedTuple):
    """One HTTP request, as the front passes it on."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    readable: bool  # as rows of the package's inputs
    body: bytes


class Requests:
    """A script of that kind."""

    takes_example = False  # as it comes here: what it declares may ask for other headers, or another body

    def __init__(self, module: ModuleType, run: Callable[..., Any], config: Config) -> None:
        self._init = getattr(module, "init", None)
        self._run = run
        self._config = config
        parameters = _parameters(run)
        self._wants_headers = parameters.pop(HEADERS, None) is not None
        if not parameters:
            raise ValueError("run() needs a parameter for the data")
        raw, decorated = raw_module(), is_decorated(run)
        if raw is not None and decorated:
            raise ValueError("run() cannot be decorated with both @rawhttp and @input_schema")
        self._parameters = parameters
        self._first = next(iter(parameters))
        self._arguments = self._raw if raw is not None else self._typed if decorated else self._text
        self._raw_request = _raw_request(raw) if raw is not None else None
        self.told: dict[str, Any] = {"takes": "request", **_described(run, decorated)}

    def start(self) -> Any:
        return self._init() if callable(self._init) else None

    def warm_up(self) -> Any:
        """One call with the package's example."""
        example = self._config.example
        if example is None or self._config.inputs is None:
            return None
        body = json.dumps(example).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
        return self._answer(Request("POST", "/score", "", headers, True, body))

    def request(self, *parts: Any) -> Any:
        """The answer to a request, given the parts of `Request`."""
        return self._answer(Request(*parts))

    def _answer(self, request: Request) -> Any:
        arguments, single = self._arguments(request)
        if self._wants_headers:
            arguments[HEADERS] = {_title(name): value for name, value in request.headers}
        try:
            answer = self._run(**arguments)
        except Exception as error:
            if _is_of_http(error):  # such as Flask's, where JSON was asked for and the body is none
                raise Refused(400, str(error)) from error
            if self._not_its_own(error):
                raise Refused(400, f"The body is not what run() takes: {error}") from error
            raise
        return _first_of(answer) if single else answer

    def _raw(self, request: Request) -> tuple[dict[str, Any], bool]:
        assert self._raw_request is not None  # noqa: S101  (made beside the choice of this function)
        return {self._first: self._raw_request(request)}, False

    def _text(self, request: Request) -> tuple[dict[str, Any], bool]:
        if request.method == "GET":
            return {self._first: json.dumps(_query(request.query))}, False
        try:
            return {self._first: request.body.decode()}, False
        except UnicodeDecodeError as error:
            raise Refused(400, f"Input cannot be decoded as UTF-8: {error}") from None

    def _typed(self, request: Request) -> tuple[dict[str, Any], bool]:
        """The arguments, and whether they are one row made a list, of whose answers the first is wanted."""
        values = _query(request.query) if request.method == "GET" else self._json(request)
        single = False
        if len(self._parameters) == 1 and not self._names(values) and self._are_rows(request, values):
            single = isinstance(values, dict)  # rows, as other scripts are sent them
            values = {self._first: [values] if single else values}
        if not isinstance(values, dict):
            raise Refused(400, "POST body should be a JSON dictionary.")
        missing = [
            name
            for name, one in self._parameters.items()
            if one.default is inspect.Parameter.empty and name not in values
        ]
        if missing:
            raise Refused(400, f"A value is not provided for the {missing[0]!r} parameter.")
        return {name: values.get(name, one.default) for name, one in self._parameters.items()}, single

    def _json(self, request: Request) -> Any:
        kind = dict(request.headers).get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise Refused(415, "Expects Content-Type to be application/json")
        if not request.body:
            raise Refused(400, "POST body is empty. Expecting a JSON dictionary.")
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise Refused(400, f"POST body could not be decoded as JSON: {error}") from None
        return body

    def _are_rows(self, request: Request, body: Any) -> bool:
        """As the front has seen; where it was told to check nothing, by their likeness to the package's example."""
        if request.readable or self._config.inputs is not None or self._config.example is None:
            return request.readable
        rows = body if isinstance(body, list) else [body]
        return all(isinstance(row, dict) and row.keys() & self._config.example.keys() for row in rows)

    def _names(self, body: Any) -> bool:
        return isinstance(body, dict) and self._first in body

    def _not_its_own(self, error: BaseException) -> bool:
        """Whether the arguments were refused by inference-schema, before any of the script's own code ran."""
        frames, trace = [], error.__traceback__
        while trace is not None:
            frames.append(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        own = self._config.code + os.sep
        typed = any(
            f"{os.sep}inference_schema{os.sep}" in file or file.endswith("stand_in_schema.py")
            for file in frames
        )
        return typed and not any(file.startswith(own) for file in frames)


def _parameters(run: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        found = inspect.signature(run).parameters
    except (TypeError, ValueError):  # written in C
        return {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: one for name, one in found.items() if one.kind in named}


def _raw_request(module: Any) -> Callable[[Request], Any]:
    """Makes what run() gets: Flask's request where that is installed, else our own stand-in for it."""
    make = getattr(module, "loopwright_request", None)
    if make is not None:
        stand_in: Callable[[Request], Any] = make
        return stand_in
    from flask import Request as FlaskRequest

    return lambda request: FlaskRequest(_environ(request))


def _environ(request: Request) -> dict[str, Any]:
    import io

    headers = dict(request.headers)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
        "wsgi.input_terminated": True,
    }
    headers.pop("content-length", None)
    kind = headers.pop("content-type", None)
    if kind is not None:
        environ["CONTENT_TYPE"] = kind
    for name, value in headers.items():
        environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


def _described(run: Callable[..., Any], decorated: bool) -> dict[str, Any]:
    """What inference-schema knows of inputs and outputs, for the service's description."""
    if not decorated:
        return {}
    util = sys.modules["inference_schema.schema_util"]
    versions = list(util.get_supported_versions(run))
    return {
        "schema": {
            "input": util.get_input_schema(run),
            "output": util.get_output_schema(run),
            "versions": versions,
        }
    }


def _query(query: str) -> dict[str, Any]:
    """Parameters of a URL, each value read as JSON where it is; one that is there several times becomes a list."""
    found: dict[str, list[Any]] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _is_of_http(error: Exception) -> bool:
    status = getattr(error, "code", None)
    return type(error).__module__ == "werkzeug.exceptions" and isinstance(status, int) and 400 <= status < 500


def _first_of(answer: Any) -> Any:
    """The answer to the only row, where a list of them was given."""
    if hasattr(answer, "__await__"):
        return _first_awaited(answer)
    if hasattr(answer, "to_dict") and hasattr(answer, "columns"):
        answer = answer.to_dict(orient="records")
    values = answer.tolist() if hasattr(answer, "tolist") else answer
    return values[0] if isinstance(values, list) and len(values) == 1 else values


async def _first_awaited(answer: Any) -> Any:
    return _first_of(await answer)


def _title(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
