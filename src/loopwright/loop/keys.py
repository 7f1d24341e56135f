"""The keys that clients of an endpoint send; made at the first need, kept in a file that only its owner reads."""

from __future__ import annotations

import json
import secrets
import threading

from loopwright.state import StateFolder, replace_file

_writing = threading.Lock()


def endpoint_key(state: StateFolder, environment: str, workload: str) -> str:
    """The key of an endpoint's default client."""
    name = f"{environment}/{workload}"
    with _writing:
        keys = json.loads(state.endpoint_keys.read_bytes()) if state.endpoint_keys.exists() else {}
        if name not in keys:
            keys[name] = f"lw-{secrets.token_urlsafe(24)}"
            replace_file(state.endpoint_keys, json.dumps(keys, indent=2).encode(), durable=True)
    return str(keys[name])
