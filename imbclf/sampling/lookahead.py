"""Preparing the next batches in threads while one is used."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock


class Lookahead:
    """Calls `make(epoch, index)` in threads, a few indices ahead of what is asked for.

    Because `make` is a pure function, a batch prepared too early or twice is never wrong; what is no longer wanted is
    dropped. Keras' own queue (`PyDataset(workers=...)`) knows only the index: batches that it prepared before an epoch
    ended are handed out in the next one, and with JAX the first epoch starts with those of a trial run.

    Args:
        make: Function of epoch and index.
        workers: Number of threads, and of batches prepared ahead.
    """

    def __init__(self, make, workers):
        self.make = make
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="batches")
        self._prepared = {}
        self._lock = Lock()

    def get(self, epoch, index, length):
        """`make(epoch, index)`, with the following indices below `length` under way."""
        wanted = [(epoch, following) for following in range(index, min(index + 1 + self.workers, length))]
        with self._lock:
            for key in self._prepared.keys() - set(wanted):
                self._prepared.pop(key).cancel()
            for key in wanted:
                if key not in self._prepared:
                    self._prepared[key] = self._threads.submit(self.make, *key)
            batch = self._prepared.pop(wanted[0])
        return batch.result()
