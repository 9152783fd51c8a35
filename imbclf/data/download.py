"""Fetching the files of MedMNIST from where their authors publish them."""

import sys
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from imbclf.data.medmnist_files import LICENCES, MD5, RECORD, SEVERAL_LABELS
from imbclf.data.resuming import ResumingDownloader
from imbclf.errors import InputError


def download_medmnist(name, out, size=28, base_url=None, overwrite=False, stream=None):
    """Download one file of MedMNIST v2 or MedMNIST+, which `open_dataset(out, index=FILE)` then opens.

    The file gets its name only after its MD5 was found to be the published one. A transfer that broke off, or was
    stopped, goes on where it was, if the server can send a part of a file: what has arrived is kept beside the file, in
    one whose name ends in `.part`. A file that is there already with the right MD5 is left as it is, and no server is
    asked.

    Args:
        name: Name of the set, such as `"retinamnist"` or `"adrenalmnist3d"`; capitals do not matter.
        out: Folder for the file; made if missing.
        size: Side of the images: 28, 64, 128 or 224 pixels, or 28 or 64 voxels.
        base_url: Folder of a server that has the files under their own names; None for the authors' record at Zenodo.
        overwrite: Replace a file of this name whose MD5 is another, once the right one is there.
        stream: Where progress goes; standard error without it.

    Returns:
        Path of the file, `{name}.npz` or, for another size than 28, `{name}_{size}.npz`.

    Raises:
        InputError: An unknown set or a size that it does not have, a file of this name with another content, a server
            that cannot be reached or does not have the file, a full disk, or content of another MD5, which is not kept.

    Example:

    >>> download_medmnist("retinamnist", "data", size=96)
    Traceback (most recent call last):
    ...
    imbclf.errors.InputError: The set retinamnist has images of side 28, 64, 128, 224, not 96.
    """
    import pooch

    stream = stream or sys.stderr
    file = published_file(name, out, size, base_url)
    name, url, target, digest = file.name, file.url, file.path, file.digest
    if target.exists() and _has_digest(target, digest):
        print(f"{target} is there already, with the published MD5: nothing to do", file=stream)
        return target
    if target.exists() and not overwrite:
        raise InputError(
            f"{target} exists, but its MD5 is not the published {digest}: move it away, or choose another folder."
        )
    print(f"{url} -> {target}", file=stream)
    # It would say much the same a second time.
    pooch.get_logger().setLevel("WARNING")
    downloader = ResumingDownloader(target.with_name(f"{target.name}.part"), stream)
    try:
        pooch.retrieve(url, f"md5:{digest}", fname=target.name, path=target.parent, downloader=downloader)
    except InputError:
        raise
    except ValueError:
        raise InputError(
            f"What {url} sent as {target.name} does not have the published MD5 {digest} and was not kept: try again, "
            "or another server."
        ) from None
    except OSError as error:
        raise InputError(f"{target} cannot be written ({error}): choose another folder.") from None
    size_and_licence = f"{target.stat().st_size / 1e6:.1f} MB, licence {LICENCES.get(name, 'CC BY 4.0')}"
    print(f"{target}: {size_and_licence}, MD5 as published", file=stream)
    if name in SEVERAL_LABELS:
        print(f"{name} has several labels per image, which open_dataset does not read", file=stream)
    return target


@dataclass(frozen=True)
class PublishedFile:
    """A file of MedMNIST: the name of its set, where it comes from, where it goes, and its MD5."""

    name: str
    url: str
    path: Path
    digest: str


def published_file(name, out, size=28, base_url=None):
    """The `PublishedFile` that `download_medmnist` fetches with these arguments; `InputError` where there is none."""
    name = str(name).lower()
    if name not in MD5:
        near = get_close_matches(name, MD5, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"MedMNIST has no set {name!r}; {hint}The sets are {', '.join(MD5)}.")
    if size not in MD5[name]:
        raise InputError(f"The set {name} has images of side {', '.join(map(str, MD5[name]))}, not {size}.")
    file = f"{name}.npz" if size == 28 else f"{name}_{size}.npz"
    url = f"{RECORD}/{file}?download=1" if base_url is None else f"{base_url.rstrip('/')}/{file}"
    return PublishedFile(name, url, Path(out).expanduser() / file, MD5[name][size])


def _has_digest(path, digest):
    import pooch

    try:
        return pooch.file_hash(str(path), alg="md5") == digest
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}): move it away, or choose another folder.") from None
