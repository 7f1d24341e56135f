"""How many replicas a set should have: from what they are working on, towards a share of what they can take. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loopwright.engines.base import ReplicaSet

__all__ = ["Scale", "wanted"]


@dataclass(frozen=True)
class Scale:
    """The number wanted, and the greatest number needed since fewer would do, with the time since when."""

    wanted: int
    needed: int = 0
    fewer_since: float | None = None


def wanted(policy: ReplicaSet, scale: Scale, load: int, now: float) -> Scale:
    """Decide anew: more at once, fewer only after `scale_down_delay` seconds in which fewer were always enough.

    `load` is the number of requests in flight or queued in all ready replicas. As many replicas are needed as keep
    load / (replicas x concurrency) at or below the target. Scaling down goes to the greatest number that was needed
    during the delay. The limits hold at once, whatever the delay.
    """
    needed = max(
        policy.minimum,
        min(policy.maximum, math.ceil(round(load / (policy.concurrency * policy.target_utilization), 9))),
    )
    current = max(policy.minimum, min(policy.maximum, scale.wanted))
    if needed >= current:
        return Scale(needed)
    if scale.fewer_since is None:
        return Scale(current, needed, now)
    highest = max(needed, scale.needed)
    if now - scale.fewer_since >= policy.scale_down_delay:
        return Scale(highest)
    return Scale(current, highest, scale.fewer_since)
