"""What a client sees who asks at half of the most that our replica answers, and does not wait: our replica and the echo in turn."""

from __future__ import annotations

from environments import KEPT
from load import Wrk
from pacing import Paced, paced
from running import free_port
from sides import Side

_CONNECTIONS = 32
_SECONDS_OF_PEAK = 3


def half_of_peak(ours: Side, echo: Side, rounds: int, seconds: int) -> list[tuple[Paced, Paced]]:
    """Both run all the time and are asked in turn, at the same rate: half of our median peak, found before."""
    places = {side.name: free_port() for side in (ours, echo)}
    with ours.server(places[ours.name]) as one, echo.server(places[echo.name]) as other:
        one.await_answer(ours.path, ours.bodies[0])
        other.await_answer(echo.path, echo.bodies[0])
        folder = KEPT / "load" / "paced"
        wrk, url = Wrk(ours.bodies, folder), f"http://127.0.0.1:{places[ours.name]}{ours.path}"
        peaks = sorted(wrk.burst(url, _CONNECTIONS, _SECONDS_OF_PEAK).rate for _ in range(3))
        rate = peaks[1] / 2
        print(f"  our peak {peaks[1]:,.0f}/s; both are asked {rate:,.0f} times a second", flush=True)
        found = []
        for _ in range(rounds):
            pair = [
                paced(places[side.name], side.path, rate, seconds, folder / "bodies") for side in (ours, echo)
            ]
            assert not pair[0].failed, f"{pair[0].failed} requests failed"
            found.append((pair[0], pair[1]))
            print(f"  p99 {pair[0].p99 * 1e3:.2f} ms, of the echo {pair[1].p99 * 1e3:.2f} ms", flush=True)
    return found
