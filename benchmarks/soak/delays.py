"""How long things took, by name, in seconds."""

import time
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass
class Delays:
    """All that was taken down."""

    by_name: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _begun: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, seconds: float) -> None:
        """Take down one."""
        self.by_name[name].append(seconds)

    def begin(self, key: str) -> None:
        """Something begins that `end` ends."""
        self._begun[key] = time.monotonic()

    def end(self, name: str, key: str) -> None:
        """Take down how long it is since `key` began; nothing where it ended before."""
        if (begun := self._begun.pop(key, None)) is not None:
            self.note(name, time.monotonic() - begun)
