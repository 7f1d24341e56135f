"""Runs one command several times, as the nodes of a distributed training: `python -m loopwright.training.launcher ...`.

For `training.compute.nodes` on one machine, in the manner of torchrun: each process has MASTER_ADDR, MASTER_PORT, RANK and
the others in its environment, so that `torch.distributed.init_process_group` finds its peers with `env://`. Where one
fails the others are ended, since they would wait for it for ever. Each one's output is kept in a log of its own, and goes
to ours with the rank before each line. The job that runs this holds all of it to its limits.

    python -m loopwright.training.launcher --nodes 2 --run titanic-3 --logs ranks [--gpus 1] -- python train.py
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from loopwright.secrets.masking import Masker, values_to_mask

__all__ = ["Launch", "main", "rank_variables"]

ADDRESS = "127.0.0.1"
_GRACE = 4.0  # seconds between SIGTERM and SIGKILL: less than a job's own, so that the reason is still told
_LOOK = 0.1  # seconds between two looks at what has ended
_MOST = 8 * 1024 * 1024  # bytes of a rank's log before it is begun anew; the one before is kept beside it
_LONGEST = 64 * 1024  # bytes of output without a line's end that are told as a line


def rank_variables(rank: int, nodes: int, port: int, run: str, gpus: int = 0) -> dict[str, str]:
    """What one process is told. Each is a node with one process, so its local rank is 0, and `gpus` devices are its own."""
    variables = {
        "MASTER_ADDR": ADDRESS,
        "MASTER_PORT": str(port),
        "WORLD_SIZE": str(nodes),
        "RANK": str(rank),
        "NODE_RANK": str(rank),
        "GROUP_RANK": str(rank),
        "ROLE_RANK": str(rank),
        "ROLE_NAME": "default",
        "ROLE_WORLD_SIZE": str(nodes),
        "GROUP_WORLD_SIZE": str(nodes),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "TORCHELASTIC_RUN_ID": run,
        "TORCHELASTIC_RESTART_COUNT": "0",
        "TORCHELASTIC_MAX_RESTARTS": "0",
    }
    if gpus:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, range(rank * gpus, (rank + 1) * gpus)))
    return variables


class _Rank:
    """One process, with its output."""

    def __init__(self, rank: int, command: Sequence[str], variables: Mapping[str, str], log: Path) -> None:
        self.rank, self._path, self._line = rank, log, b""
        self._masker = Masker(values_to_mask(os.environ))
        self._log: RawIOBase | BinaryIO = log.open("wb", buffering=0)
        self.output, writing = os.pipe()
        os.set_blocking(self.output, False)
        try:
            self.process = subprocess.Popen(
                command,
                env=os.environ | variables,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=subprocess.STDOUT,
                process_group=0,  # so that what it starts is ended with it
            )
        finally:
            os.close(writing)

    def keep(self) -> bool:
        """Take in what it has said; False at the end of its output."""
        try:
            said = os.read(self.output, 65536)
        except BlockingIOError:
            return True
        content = self._masker.feed(said) if said else self._masker.finish()
        self._log_it(content)
        *lines, self._line = (self._line + content).split(b"\n")
        if len(self._line) > _LONGEST or (not said and self._line):
            lines, self._line = [*lines, self._line], b""
        for line in lines:
            sys.stdout.buffer.write(b"[%d] %s\n" % (self.rank, line))
        sys.stdout.buffer.flush()
        return bool(said)

    def _log_it(self, content: bytes) -> None:
        try:
            self._log.write(content)
            if self._log.tell() > _MOST:
                self._log.close()
                self._path.replace(self._path.with_suffix(".log.1"))
                self._log = self._path.open("wb", buffering=0)
        except (OSError, ValueError):  # a full disk costs output, not the training
            return

    def send(self, number: signal.Signals) -> None:
        """To it and to what it has started."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Let go of its output, which a process that it left behind may still hold open."""
        os.close(self.output)
        self._log.close()


class Launch:
    """All processes of one training, from start to end."""

    def __init__(self, command: Sequence[str], nodes: int, run: str, logs: Path, gpus: int = 0) -> None:
        """Starts them; raises OSError where the command cannot be started."""
        logs.mkdir(parents=True, exist_ok=True)
        port = _free_port()
        self._selector = selectors.DefaultSelector()
        self._kill_at: float | None = None
        self._ranks: list[_Rank] = []
        self.status = 0
        try:
            for rank in range(nodes):
                variables = rank_variables(rank, nodes, port, run, gpus)
                self._ranks.append(_Rank(rank, command, variables, logs / f"{rank}.log"))
                self._selector.register(self._ranks[-1].output, selectors.EVENT_READ, self._ranks[-1])
        except OSError:
            self.kill()
            raise

    def run(self) -> int:
        """Until all have ended; the exit status of the first that failed, else 0."""
        while any(rank.process.poll() is None for rank in self._ranks):
            self._keep(_LOOK)
            self._judge()
        self._judge()  # what ended since the last look
        deadline = time.monotonic() + 1.0  # what they said last; a process left behind may hold the pipe open
        while self._selector.get_map() and time.monotonic() < deadline:
            self._keep(_LOOK)
        for rank in self._ranks:
            rank.close()
        self._selector.close()
        return self.status

    def stop(self) -> None:
        """End all of them, gently at first."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + _GRACE
            for rank in self._ranks:
                rank.send(signal.SIGTERM)

    def kill(self) -> None:
        """End what still runs."""
        for rank in self._ranks:
            rank.send(signal.SIGKILL)

    def _keep(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            rank: _Rank = key.data
            if not rank.keep():
                self._selector.unregister(rank.output)

    def _judge(self) -> None:
        for rank in self._ranks:
            status = rank.process.poll()
            if status and not self.status:
                self.status = status if status > 0 else 128 - status
                how = f"ended with exit status {status}" if status > 0 else f"was ended by signal {-status}"
                if self._kill_at is None:
                    print(f"Rank {rank.rank} {how}; the others are ended with it.", flush=True)
                self.stop()
        if self._kill_at is not None and time.monotonic() > self._kill_at:
            self.kill()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        return int(listener.getsockname()[1])


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="loopwright.training.launcher")
    parser.add_argument("--nodes", type=int, required=True)
    parser.add_argument("--run", required=True, help="a name for this training, as TORCHELASTIC_RUN_ID")
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--gpus", type=int, default=0, help="devices of each node")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    command = asked.command[1:] if asked.command[:1] == ["--"] else asked.command
    try:
        launch = Launch(command, asked.nodes, asked.run, asked.logs, asked.gpus)
    except OSError as error:
        sys.exit(f"{command[0] if command else 'nothing'} cannot be started: {error}")
    signal.signal(signal.SIGTERM, lambda *_: launch.stop())
    return launch.run()


if __name__ == "__main__":
    sys.exit(main())
