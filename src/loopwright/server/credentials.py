"""Who is asking: the user at the other end of the Unix socket, as the kernel says, never as the request claims."""

from __future__ import annotations

import asyncio
import pwd
import socket
import struct
from typing import Annotated

from fastapi import Depends, Request
from uvicorn.protocols.http.h11_impl import H11Protocol

_UCRED = struct.Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED


class PeerProtocol(H11Protocol):
    """Puts the peer's user id where uvicorn keeps the client's address."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        pid, uid, _ = _UCRED.unpack(packed)
        self.client = (f"uid:{uid}", pid)


def actor(request: Request) -> str:
    """The name of the user who asks."""
    host = request.client.host if request.client else ""
    uid = host.removeprefix("uid:")
    try:
        return pwd.getpwuid(int(uid)).pw_name
    except (KeyError, ValueError):
        return host or "unknown"


Actor = Annotated[str, Depends(actor)]
