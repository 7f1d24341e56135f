"""A tiny real replica for the gateway's tests: `python tiny_replica.py SOCKET NAME`. Says what reached it.

The query tells it how to behave: `sleep=SECONDS` before the answer, `held=FILE` until that file
is gone, `status=CODE`, `die=NAME`: the one called so is
killed once it has read the request.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            await _one(reader, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    target = urlsplit(first.split(" ")[1])
    wanted = dict(parse_qsl(target.query))
    if wanted.get("die") == NAME:
        os.kill(os.getpid(), signal.SIGKILL)
    await asyncio.sleep(float(wanted.get("sleep", 0)))
    while "held" in wanted and Path(wanted["held"]).exists():  # noqa: ASYNC110, ASYNC240  (another process removes it)
        await asyncio.sleep(0.01)
    told = json.dumps({"name": NAME, "path": target.path, "headers": headers, "length": len(body)}).encode()
    head = f"HTTP/1.1 {wanted.get('status', 200)} X\r\nx-request-id: from-{NAME}\r\ncontent-length: {len(told)}\r\n\r\n"
    writer.write(head.encode() + told)
    await writer.drain()


async def main(path: str) -> None:
    server = await asyncio.start_unix_server(answer, path)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


PATH, NAME = sys.argv[1:3]
asyncio.run(main(PATH))
