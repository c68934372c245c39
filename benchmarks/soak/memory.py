"""How much memory processes use over time, and whether that is flat."""

import asyncio
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.5
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# The rule: over the run's last fifth a process uses at most so many times what it used over the second fifth. The first
# is for what is loaded when it is first needed, and for caches to fill.
TIMES_ALLOWED = 1.10


@dataclass
class Memory:
    """The resident memory of one process, sampled, in bytes."""

    name: str
    pid: int
    samples: list[int] = field(default_factory=list)

    def sample(self) -> None:
        """Take down what it uses now. Raises ProcessLookupError when it has ended."""
        # Linux: the second number is the pages that are in memory.
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        if not pages:
            raise ProcessLookupError(f"{self.name} has ended by itself.")
        self.samples.append(pages * PAGE_BYTES)

    def fifth(self, number: int) -> float:
        """Return the median of the run's fifth `number` (from 1), in bytes."""
        count = len(self.samples)
        some = self.samples[(number - 1) * count // 5 : max(number * count // 5, 1)]
        return statistics.median(some or self.samples)

    @property
    def times(self) -> float:
        """How many times what it used over the second fifth it uses over the last."""
        return self.fifth(5) / self.fifth(2)

    @property
    def is_flat(self) -> bool:
        """Whether that is within the rule."""
        return self.times <= TIMES_ALLOWED


async def watch(processes: list[Memory]) -> None:
    """Sample until cancelled."""
    while True:
        for process in processes:
            process.sample()
        await asyncio.sleep(SAMPLE_SECONDS)
