"""What was read last stays in memory."""

from collections import OrderedDict
from threading import Lock


class LastUsed:
    """Values by key, of which those used longest ago are dropped when all together exceed a number of bytes.

    The one used last always stays. Threads may share it: two that miss the same key at once both make it.

    Args:
        budget: Bytes.

    Example:

    >>> kept = LastUsed(budget=10)
    >>> [kept.get(key, lambda: (key, 6)) for key in "aab"]
    ['a', 'a', 'b']
    >>> list(kept)
    ['b']
    """

    def __init__(self, budget):
        self.budget = budget
        self._values = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __iter__(self):
        with self._lock:
            return iter(list(self._values))

    def get(self, key, make):
        """The value of a key; `make()` gives it and its bytes where it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        made = make()
        with self._lock:
            _, replaced = self._values.pop(key, (None, 0))
            self._values[key] = made
            self._bytes += made[1] - replaced
            while self._bytes > self.budget and len(self._values) > 1:
                _, (_, size) = self._values.popitem(last=False)
                self._bytes -= size
        return made[0]
