"""What each engine can do with a spec, field by field; asked before anything runs, and without an engine that runs."""

from __future__ import annotations

from loopwright.engines.base import Capability
from loopwright.engines.local.capabilities import capabilities as local
from loopwright.engines.local.machine import this_machine
from loopwright.spec.models import Workload

__all__ = ["capabilities_of"]


def capabilities_of(engine: str, spec: Workload) -> tuple[Capability, ...]:
    """What the engine of this name makes of a spec's fields, refused ones first; raises KeyError for an unknown one."""
    return {"local": lambda: local(spec, this_machine())}[engine]()
