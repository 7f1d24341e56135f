"""Stand-ins for Azure's AMLRequest and AMLResponse, which are Flask's request and response, where Flask is not installed.

They have what scoring scripts use of them: data, JSON, form, files, arguments and headers of a request; status, headers
and body of a response.
"""

from __future__ import annotations

import io
import json
from email.message import Message
from email.parser import BytesHeaderParser
from http.cookies import SimpleCookie
from typing import Any, Iterator
from urllib.parse import parse_qsl

from .parts import Refused


class Values:
    """Names with one or several values, as Flask's MultiDict: the first counts."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        self._pairs = pairs

    def get(self, name: str, default: Any = None, type: Any = None) -> Any:  # noqa: A002  (Flask's name)
        values = self.getlist(name)
        if not values:
            return default
        try:
            return type(values[0]) if type is not None else values[0]
        except ValueError:
            return default

    def getlist(self, name: str) -> list[Any]:
        return [value for key, value in self._pairs if self._same(key, name)]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(key for key, _ in self._pairs))

    def values(self) -> list[Any]:
        return [self.get(key) for key in self.keys()]

    def items(self) -> list[tuple[str, Any]]:
        return [(key, self.get(key)) for key in self.keys()]

    def to_dict(self, flat: bool = True) -> dict[str, Any]:
        return {key: self.get(key) if flat else self.getlist(key) for key in self.keys()}

    def __getitem__(self, name: str) -> Any:
        values = self.getlist(name)
        if not values:
            raise KeyError(name)
        return values[0]

    def __contains__(self, name: object) -> bool:
        return any(self._same(key, name) for key, _ in self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def _same(self, key: str, name: object) -> bool:
        return key == name


class Headers(Values):
    """Headers: names in any case."""

    def __setitem__(self, name: str, value: Any) -> None:
        self.remove(name)
        self.add_header(name, value)

    def add_header(self, name: str, value: Any) -> None:
        self._pairs.append((name, str(value)))

    add = add_header

    def items(self) -> list[tuple[str, Any]]:
        """All, as Flask has it: a name may be there several times."""
        return list(self._pairs)

    def remove(self, name: str) -> None:
        self._pairs = [(key, value) for key, value in self._pairs if not self._same(key, name)]

    def _same(self, key: str, name: object) -> bool:
        return isinstance(name, str) and key.lower() == name.lower()


class File(io.BytesIO):
    """One uploaded file."""

    def __init__(self, name: str, filename: str, content_type: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name
        self.filename = filename
        self.content_type = self.mimetype = content_type
        self.stream = self

    def save(self, place: Any) -> None:
        if hasattr(place, "write"):
            place.write(self.getvalue())
            return
        with open(place, "wb") as file:
            file.write(self.getvalue())


class AMLRequest:
    """An HTTP request, as a script with @rawhttp is given it."""

    def __init__(self, request: Any) -> None:
        self.method: str = request.method
        self.path: str = request.path
        self.query_string: bytes = request.query.encode()
        self.full_path = f"{request.path}?{request.query}"
        self.data: bytes = request.body
        self.headers = Headers(
            [
                ("-".join(part.capitalize() for part in name.split("-")), value)
                for name, value in request.headers
            ]
        )
        self.args = Values(parse_qsl(request.query, keep_blank_values=True))
        self.content_type: str | None = self.headers.get("content-type")
        self.content_length = len(request.body)
        self.mimetype = (self.content_type or "").split(";")[0].strip().lower()
        self.is_json = self.mimetype == "application/json" or self.mimetype.endswith("+json")
        self.host: str = self.headers.get("host", "localhost")
        self.base_url = f"http://{self.host}{self.path}"
        self.url = self.base_url + (f"?{request.query}" if request.query else "")
        self.remote_addr: str | None = None
        self._parts: tuple[Values, Values] | None = None

    def get_data(self, cache: bool = True, as_text: bool = False, parse_form_data: bool = False) -> Any:
        del cache, parse_form_data
        return self.data.decode("utf-8", "replace") if as_text else self.data

    @property
    def stream(self) -> io.BytesIO:
        return io.BytesIO(self.data)

    @property
    def json(self) -> Any:
        return self.get_json()

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        del cache
        if not (force or self.is_json):
            if silent:
                return None
            raise Refused(
                415,
                "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
            )
        try:
            return json.loads(self.data)
        except ValueError as error:
            if silent:
                return None
            raise Refused(400, f"Failed to decode JSON object: {error}") from None

    @property
    def cookies(self) -> dict[str, str]:
        return {name: one.value for name, one in SimpleCookie(self.headers.get("cookie", "")).items()}

    @property
    def form(self) -> Values:
        return self._parsed()[0]

    @property
    def files(self) -> Values:
        return self._parsed()[1]

    @property
    def values(self) -> Values:
        return Values(self.args._pairs + self.form._pairs)

    def _parsed(self) -> tuple[Values, Values]:
        if self._parts is None:
            self._parts = self._parse()
        return self._parts

    def _parse(self) -> tuple[Values, Values]:
        if self.mimetype == "application/x-www-form-urlencoded":
            return Values(parse_qsl(self.data.decode("utf-8", "replace"), keep_blank_values=True)), Values([])
        if self.mimetype != "multipart/form-data":
            return Values([]), Values([])
        fields: list[tuple[str, Any]] = []
        files: list[tuple[str, Any]] = []
        for head, content in _multipart(self.content_type or "", self.data):
            name, filename = head.get_param("name", header="content-disposition"), head.get_filename()
            if not isinstance(name, str):
                continue
            if filename is None:
                fields.append((name, content.decode("utf-8", "replace")))
            else:
                files.append((name, File(name, filename, head.get_content_type(), content)))
        return Values(fields), Values(files)


class AMLResponse:
    """An HTTP response, passed on as it is; of a header's value, what commas part becomes headers of that name."""

    def __init__(
        self,
        message: Any,
        status_code: int,
        response_headers: dict[str, str] | None = None,
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        given = response_headers or {}
        kind = "application/json" if message is None or json_str else "text/html; charset=utf-8"
        self.status_code = status_code
        self.headers = Headers([])
        if "Content-Type" not in given or message is None or json_str:
            self.headers.add_header("Content-Type", kind)
        self.headers.add_header("x-ms-run-function-failed", run_function_failed)
        for name, value in given.items():
            for part in value.split(","):
                self.headers.add_header(name, part.strip())
        if message is None or json_str:
            message = json.dumps({} if message is None else message)
        self.data = message.encode() if isinstance(message, str) else _joined(message)

    @property
    def status(self) -> int:
        return self.status_code

    def get_data(self, as_text: bool = False) -> Any:
        return self.data.decode("utf-8", "replace") if as_text else self.data


def _multipart(content_type: str, body: bytes) -> list[tuple[Message, bytes]]:
    """Heads and contents of a form's parts (RFC 7578)."""
    outer = BytesHeaderParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode("latin-1"))
    boundary = outer.get_param("boundary")
    if not isinstance(boundary, str):
        return []
    found = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1"))[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        found.append((BytesHeaderParser().parsebytes(head.lstrip(b" \t\r\n") + b"\r\n\r\n"), content))
    return found


def _joined(message: Any) -> bytes:
    """Bytes, or an iterable of them or of texts, as Flask takes them."""
    if isinstance(message, (bytes, bytearray, memoryview)):
        return bytes(message)
    return b"".join(one.encode() if isinstance(one, str) else bytes(one) for one in message)


def rawhttp(function: Any) -> Any:
    """Replaced in each module that stands in for Azure's, where it notes that it was used."""
    return function
