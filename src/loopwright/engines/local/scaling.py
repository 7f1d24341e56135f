"""How many replicas a set should have: from what they are working on, towards a share of what they can take. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from loopwright.engines.base import ReplicaSet

__all__ = ["Scale", "wanted"]


@dataclass(frozen=True)
class Scale:
    """The number wanted, and, while another would do, since when that is so.

    `fewer` is the greatest number needed since fewer would do, `more` the least number needed since more were needed.
    """

    wanted: int
    fewer: int = 0
    fewer_since: float | None = None
    more: int = 0
    more_since: float | None = None


def wanted(policy: ReplicaSet, scale: Scale, load: int, now: float, idle: float = 0.0) -> Scale:
    """Decide anew: another number only after it has been called for through `scale_up_delay` or `scale_down_delay`.

    `load` is the number of requests in flight or queued in all ready replicas. As many replicas are needed as keep
    load / (replicas x concurrency) at or below the target. A replica that starts takes the processor from those that
    serve, so a peak shorter than the start is better borne than answered: hence the delay for more. Scaling goes to the
    number that would have been enough, or was needed, all through the delay. The limits hold at once.

    A set whose minimum is 0 has none when nobody has asked anything for `scale_to_zero_after`, of which `idle` is what
    has passed, in seconds; and one at once when somebody asks.
    """
    least = policy.minimum or int(load > 0 or idle < policy.scale_to_zero_after)
    needed = max(
        least,
        min(policy.maximum, math.ceil(round(load / (policy.concurrency * policy.target_utilization), 9))),
    )
    current = max(least, min(policy.maximum, scale.wanted))
    if needed in (current, 0):
        return Scale(needed)
    return (
        _up(policy, scale, current, needed, now)
        if needed > current
        else _down(policy, scale, current, needed, now)
    )


def _up(policy: ReplicaSet, scale: Scale, current: int, needed: int, now: float) -> Scale:
    since = now if scale.more_since is None else scale.more_since
    least = needed if scale.more_since is None else min(needed, scale.more)
    if now - since >= policy.scale_up_delay:
        return Scale(least)
    return Scale(current, more=least, more_since=since)


def _down(policy: ReplicaSet, scale: Scale, current: int, needed: int, now: float) -> Scale:
    since = now if scale.fewer_since is None else scale.fewer_since
    most = max(needed, scale.fewer)
    if now - since >= policy.scale_down_delay:
        return Scale(most)
    return Scale(current, fewer=most, fewer_since=since)
