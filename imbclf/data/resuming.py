"""A download that goes on where it broke off."""

import errno
import os
import shutil
import time

import imbclf
from imbclf.errors import InputError
from imbclf.progress import Progress

# Attempts in a row that bring nothing new before giving up, and the seconds before the second; they double after each.
ATTEMPTS, FIRST_WAIT = 4, 1.0
SECONDS_OF_SILENCE = 60
# Statuses that say "not now" rather than "never".
BUSY = (408, 429, 500, 502, 503, 504)
CHUNK = 2**16
MEGABYTE = 10**6


class ResumingDownloader:
    """A downloader for `pooch.retrieve` over HTTP which asks for the rest of a file that has arrived in part.

    Args:
        part: File that collects what arrives; it stays when the transfer fails, and it is where the next one starts.
        stream: Where progress goes.

    Raises:
        InputError: When called: the server cannot be reached, breaks off again and again, or refuses; or the disk is
            full.
    """

    def __init__(self, part, stream):
        self.part, self.stream = part, stream

    def __call__(self, url, output_file, pooch=None):
        """Fetch `url` into `output_file`; pooch, whose interface this is, then looks at the hash."""
        import requests

        vain = 0
        while True:
            before = self._arrived()
            try:
                self._fetch(url)
                break
            except _Busy as error:
                reason = str(error)
            except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
                raise InputError(f"{url} is no address of a file ({error}).") from None
            except requests.RequestException as error:
                reason = f"the connection failed ({type(error).__name__})"
            except OSError as error:
                raise self._disk_error(error) from None
            vain = 1 if self._arrived() > before else vain + 1
            if vain == ATTEMPTS:
                kept = f"{self._arrived() / 1e6:.1f} MB are kept, and the same command goes on from there"
                advice = kept if self._arrived() else "look at address and network, and try again"
                raise InputError(f"{url} cannot be fetched, {reason}: {advice}.")
            print(f"{reason}: trying again", file=self.stream)
            time.sleep(FIRST_WAIT * 2 ** (vain - 1))
        os.replace(self.part, output_file)

    def _arrived(self):
        return self.part.stat().st_size if self.part.exists() else 0

    def _fetch(self, url):
        """Fetch what is missing of the file, or all of it from a server that does not send parts."""
        import requests

        start = self._arrived()
        # Compressed for the way, a part of a file would not be that part of the file.
        headers = {"Accept-Encoding": "identity", "User-Agent": f"imbclf/{imbclf.__version__}"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=SECONDS_OF_SILENCE) as response:
            covered = response.headers.get("Content-Range", "")
            if response.status_code == 416 and covered == f"bytes */{start}":
                return
            if start and response.status_code in (206, 416) and not covered.startswith(f"bytes {start}-"):
                self.part.unlink()
                raise _Busy("what had arrived does not belong to this file")
            self._check_status(response, url)
            if start and response.status_code == 200:
                print("the server cannot send a part of a file: starting again", file=self.stream)
                start = 0
            self._save(response, start)

    def _check_status(self, response, url):
        if response.status_code in BUSY:
            raise _Busy(f"the server answers {response.status_code} {response.reason}")
        if response.status_code not in (200, 206):
            raise InputError(
                f"The server answers {response.status_code} {response.reason} to {url}: look whether the file is there."
            )

    def _save(self, response, start):
        import requests

        length = response.headers.get("Content-Length", "")
        coming = int(length) if length.isdecimal() else None
        self._check_space(coming or 0, start)
        progress = Progress(-(-coming // MEGABYTE), f"MB of {self.part.stem}", self.stream) if coming else None
        arrived = 0
        with open(self.part, "ab" if start else "wb") as file:
            for chunk in response.iter_content(CHUNK):
                file.write(chunk)
                arrived += len(chunk)
                while progress and progress.done < (arrived // MEGABYTE if arrived < coming else progress.total):
                    progress.step()
        if coming is not None and arrived != coming:
            raise requests.ConnectionError(f"{arrived} of {coming} bytes arrived")

    def _check_space(self, coming, start):
        # What stands in the file from before is written over where the transfer starts again.
        free = shutil.disk_usage(self.part.parent).free + (0 if start else self._arrived())
        if coming > free:
            raise OSError(errno.ENOSPC, f"{coming / 1e6:.1f} MB are still to come, {free / 1e6:.1f} MB are free")

    def _disk_error(self, error):
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return InputError(
                f"There is no room for {self.part} ({error.strerror}): make room, or choose another folder; what has "
                "arrived is kept, and the same command goes on from there."
            )
        return InputError(f"{self.part} cannot be written ({error}): choose another folder.")


class _Busy(Exception):
    """The server cannot do it now, or what it has and what has arrived do not fit together."""
