"""The limit: Granian, a server in Rust, embedded in a uvloop as one process, with an application that gives back what it gets.

The port is given. It was the server below our own replica up to version 0.3, so figures compare with those of before.
"""

import asyncio
import signal
import sys

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

HEADERS = [("content-type", "application/json")]


async def echo(_scope, exchange):
    exchange.response_bytes(200, HEADERS, await exchange())


async def main(port):
    server = Server(
        echo,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=1024,  # connections: far more than the load has, so none waits unaccepted
        http1_settings=HTTP1Settings(header_read_timeout=75_000),  # milliseconds
        log_enabled=False,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1])))
