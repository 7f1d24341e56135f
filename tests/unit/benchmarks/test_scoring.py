import importlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def part(monkeypatch):
    """A module of the benchmark, by name."""
    for folder in (FOLDER, FOLDER / "scoring"):
        monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module


def found(part, side, *rates):
    measuring, load = part("measuring"), part("load")
    bursts = [load.Burst(rate, 1.0, 0.001, 0.002, 0, 0) for rate in rates]
    by_connections = dict.fromkeys((1, 32, 256), bursts)
    return measuring.Found(side, "forest", [0.5], by_connections, {32: [1e-4]}, [90e6])


def test_a_ratio_is_that_of_one_round_and_the_best_peer_is_compared_with(part):
    rates = {"loopwright compiled": (50, 90), "echo": (100, 100), "litserve": (2, 3), "mlserver": (5, 1)}
    sides = [found(part, side, *both) for side, both in rates.items()]
    speed = {budget.name: budget for budget in part("budgets").speed(sides)}
    assert speed["compiled forest / echo at 32"].samples == [0.5, 0.9]
    assert speed["compiled forest / best batching peer at 32"].samples == [10, 30]
    assert speed["compiled forest, resident memory"].passed


def test_sides_that_were_not_measured_have_no_budget(part):
    assert part("budgets").speed([found(part, "echo", 100), found(part, "litserve", 2)]) == []


def test_the_table_has_the_quickest_first(part):
    table = part("measuring").table([found(part, "slow", 10), found(part, "quick", 3000)])
    assert table[2].startswith(
        "| quick | forest | 3,000 | 3,000 | 3,000 | 1.0 ms | 2.0 ms | 100 us | 0.50 s | 90 MB |"
    )


@pytest.mark.parametrize(("step", "passes"), [(0, True), (1e6, False)])
def test_memory_that_grows_with_requests_is_a_miss(part, step, passes):
    line = [(number * 1000, 80e6 + number * step) for number in range(1, 101)]
    growth, failed = part("budgets").soaking(part("soak").Soaked(line, 100_000, 0))
    assert growth.passed is passes
    assert failed.passed


def test_bodies_of_the_soak_are_of_every_kind(part):
    row = {"gender": "male", "embarked": "Belfast", "age": 3.0}
    model = part("models").Model("forest", Path(), [row], [0.5])
    bodies = next(part("soak")._portions(model))
    kinds = [type(json.loads(body)) for body in bodies if body.endswith((b"}", b"]"))]
    assert {dict, list} == set(kinds)
    assert len(kinds) < len(bodies)  # and some are no JSON


def test_it_says_how_to_get_what_is_missing(part, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "apt-get install wrk" in part("load").missing()


class Slow(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.stalled.wait(0.3)
        self.server.stalled.set()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


def test_a_stall_is_charged_for_all_who_would_have_waited(part, tmp_path):
    (tmp_path / "bodies").write_text('{"a": 1}\n{"a": 22}\n')
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        server.stalled = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        seen = part("pacing").paced(server.server_port, "/score", 100, 0.5, tmp_path / "bodies")
        server.shutdown()
    assert seen.failed == 0
    assert seen.p50 > 0.02  # 30 of the 50 requests were due while it stalled
