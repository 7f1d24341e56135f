"""A state folder that a team looks at and approves in: a second socket, for the members of one group.

Where settings.json names a `group`, the control plane listens for its members too. The state folder itself stays its
owner's alone. Members may look, and decide approvals as themselves; all else is for the owner, whose rights the control
plane acts with.
"""

from __future__ import annotations

import grp
import os
import socket
from contextlib import suppress

from fastapi import Request

from loopwright.errors import ConflictError, MachineError
from loopwright.server.sockets import bound
from loopwright.state import StateFolder, read_settings

_DECIDING = "/v1/approvals/"
_HIDDEN = ("/v1/secrets",)


def share(state: StateFolder) -> socket.socket | None:
    """Listen for the members of the group in settings.json; None where none is named. Raises MachineError."""
    name = read_settings(state.settings).get("group")
    if name is None:
        return None
    try:
        group = grp.getgrnam(name).gr_gid
    except (KeyError, TypeError):
        raise MachineError(
            f"{state.settings}: found the group {name!r}, expected a group of this system. Mend it, or remove it."
        ) from None
    path = state.shared_socket
    with suppress(FileExistsError):
        path.parent.mkdir(mode=0o700)
    if path.parent.is_symlink() or path.parent.stat().st_uid != os.getuid():
        raise MachineError(f"{path.parent} belongs to somebody else. Remove it, and start again.")
    listener = bound(path)
    try:
        for made, mode in ((path, 0o660), (path.parent, 0o710)):
            os.chown(made, -1, group)
            made.chmod(mode)
    except PermissionError:
        listener.close()
        raise MachineError(
            f"{state.settings} names the group {name}, of which you are no member. Name one of yours, or remove it."
        ) from None
    listener.listen(64)
    return listener


def is_member(request: Request) -> bool:
    """Whether who asks is neither the owner of this state nor the superuser."""
    host = request.client.host if request.client else ""
    return host.startswith("uid:") and host not in ("uid:0", f"uid:{os.getuid()}")


def require_allowed(request: Request) -> None:
    """Raises ConflictError where a member asks for more than to look and to decide."""
    path = request.url.path
    looks = request.method == "GET" and not path.startswith(_HIDDEN)
    if is_member(request) and not looks and not path.startswith(_DECIDING):
        raise ConflictError(
            "You share this state folder as a member of its group: you may look, approve and reject. What else there is to do, "
            "its owner does."
        )
