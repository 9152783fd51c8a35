"""Crops from prepared arrays beside loading the NIfTI files each time; memory of a preparation; a second run.

python benchmarks/prepared_cache.py crops --patient DIR          # DIR: a patient of BraTS Toolkit or of an archive
python benchmarks/prepared_cache.py prepare --patient DIR        # the same patient under many ids
python benchmarks/prepared_cache.py again                        # many small subjects, twice
"""

import argparse
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import nibabel
import numpy as np

from imbclf.data.array_files import ArrayFiles
from imbclf.data.preparation.mri.patient_folders import SEQUENCES
from imbclf.data.preparation.mri.scan import Scan
from imbclf.data.preparation.prepare import prepare
from imbclf.data.preparation.subject import Subject
from imbclf.data.windows import Windows

CLASS_NAMES = ("glioma",)
# How BraTS Toolkit and the archives name the files of a role.
PATTERNS = {
    "t1": "*_t1_bet.nii.gz",
    "t1c": "*_t1c_bet.nii.gz",
    "t2": "*_t2_bet.nii.gz",
    "flair": "*_fla_bet.nii.gz",
    "mask": "fusion/simple.nii.gz",
}


@dataclass(frozen=True)
class Small:
    """A 2 KB array from a small file."""

    name: ClassVar[str] = "small"
    version: ClassVar[int] = 1

    def __call__(self, subject):
        values = [np.frombuffer(file.read_bytes(), np.uint8) for file in subject.files.values()]
        return np.stack(values, axis=-1).reshape(16, 16, len(values))


def crops(patient, arrays, side, seconds):
    """Random crops per second, from the arrays and from the NIfTI files, in turns so that both see the same machine."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "prepared"
        prepare(same_patient(patient, arrays), Scan(), out, CLASS_NAMES)
        images = ArrayFiles([f"arrays/{number:04d}.npy" for number in range(arrays)], out)
        windows, random = Windows(images, side), np.random.default_rng(0)
        files = files_of(patient)

        def from_arrays():
            windows.random(random.integers(0, arrays, 1), random)

        def from_whole_arrays():
            whole = np.load(out / f"arrays/{random.integers(0, arrays):04d}.npy").astype(np.float32)
            np.ascontiguousarray(whole[cut(random, side, whole.shape[:3])])

        def from_nifti():
            volumes = [nibabel.load(files[name]).get_fdata(dtype=np.float32) for name in SEQUENCES]
            place = cut(random, side, volumes[0].shape)
            np.stack([volume[place] / volume.max() for volume in volumes], axis=-1)

        ways = {"memory map": from_arrays, "whole arrays": from_whole_arrays, "NIfTI files": from_nifti}
        rates = {name: [] for name in ways}
        for _ in range(3):
            for name, way in ways.items():
                rates[name].append(per_second(way, seconds))
    rates = {name: float(np.median(values)) for name, values in rates.items()}
    print(f"crops of {side}^3 x {len(SEQUENCES)} per second, one thread, {arrays} arrays of 96^3 x 4 float16")
    for name, rate in rates.items():
        ratio = "" if name == "memory map" else f"   memory map / {name}: {rates['memory map'] / rate:.1f}"
        print(f"  {name:<14}{rate:10.1f}{ratio}")


def prepare_many(patient, count, workers):
    """Patients per minute and the most memory of all processes together."""
    for number in workers:
        with tempfile.TemporaryDirectory() as folder, Memory() as memory:
            started = time.perf_counter()
            outcome = prepare(same_patient(patient, count), Scan(), Path(folder) / "out", CLASS_NAMES, workers=number)
            seconds = time.perf_counter() - started
        print(
            f"{outcome.prepared} patients, workers={number}: {60 * count / seconds:.0f} per minute, "
            f"peak {memory.peak / 2**30:.2f} GiB of {memory.processes} processes together"
        )


def prepare_again(count):
    """Seconds of a first and of a second run over small subjects."""
    with tempfile.TemporaryDirectory() as folder:
        subjects = []
        for number in range(count):
            files = {name: Path(folder) / "source" / f"{number:05d}-{name}.bin" for name in (*SEQUENCES, "mask")}
            for file in files.values():
                file.parent.mkdir(exist_ok=True)
                file.write_bytes(np.random.default_rng(number).integers(0, 256, 256, np.uint8).tobytes())
                os.utime(file, (0, 0))
            subjects.append(Subject(f"{number:05d}", files, CLASS_NAMES[0]))
        seconds = []
        for _ in range(2):
            started = time.perf_counter()
            outcome = prepare(subjects, Small(), Path(folder) / "out", CLASS_NAMES)
            seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
        images = ArrayFiles([f"arrays/{subject.id}.npy" for subject in subjects], Path(folder) / "out")
        listed = time.perf_counter() - started
        images.fingerprints()
        print(
            f"{count} subjects of 5 files: first run {seconds[0]:.2f} s, second {seconds[1]:.2f} s ({outcome.kept} "
            f"kept), ratio {seconds[0] / seconds[1]:.1f}; opening {listed:.2f} s, fingerprints "
            f"{time.perf_counter() - started - listed:.2f} s"
        )


class Memory:
    """The most memory that this process and its children held together while the block ran (Linux)."""

    def __enter__(self):
        self.peak = self.processes = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        while not self._ended.wait(0.05):
            children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            held = sum(resident(process) for process in ("self", *children))
            if held > self.peak:
                self.peak, self.processes = held, 1 + len(children)


def resident(process):
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def same_patient(patient, count):
    return [Subject(f"{number:04d}", files_of(patient), CLASS_NAMES[0]) for number in range(count)]


def files_of(patient):
    return {role: next(Path(patient).rglob(pattern)) for role, pattern in PATTERNS.items()}


def cut(random, side, space):
    start = [random.integers(0, available - side + 1) for available in space]
    return tuple(slice(first, first + side) for first in start)


def per_second(function, seconds):
    function()
    started, count = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        function()
        count += 1
    return count / passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("crops", "prepare", "again"))
    parser.add_argument("--patient", type=Path, help="folder of a patient with four sequences and a tumour mask")
    parser.add_argument("--arrays", type=int, default=20)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--count", type=int, help="subjects (default 50 for prepare, 1174 for again)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    if options.what == "again":
        prepare_again(options.count or 1174)
        return
    if options.patient is None:
        parser.error("--patient is needed")
    if options.what == "crops":
        crops(options.patient, options.arrays, options.side, options.seconds)
    else:
        prepare_many(options.patient, options.count or 50, options.workers)


if __name__ == "__main__":
    main()
