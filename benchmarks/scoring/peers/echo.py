"""The limit of the server below our replica: its own listener, so set alike, with an application that gives back what it gets."""

from __future__ import annotations

import asyncio
import signal
import sys

import uvloop

from loopwright.scoring.address import Address
from loopwright.scoring.listener import Listener

_HEADERS = [("content-type", "application/json")]


async def echo(_scope, exchange):
    exchange.response_bytes(200, _HEADERS, await exchange())


async def main(port):
    listener = Listener(echo, Address("127.0.0.1", port))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, listener.stop)
    await listener.serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
