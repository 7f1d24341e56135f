"""A process that records without end, and says how many are written: `python recording_process.py FOLDER`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from recordings import record, recording


async def main(folder: Path) -> None:
    number = told = 0
    async with recording(folder) as recorder:
        while True:
            for _ in range(20):
                record(recorder, number)
                number += 1
            if recorder.written > told:
                told = recorder.written
                print(told, recorder.dropped, flush=True)
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
