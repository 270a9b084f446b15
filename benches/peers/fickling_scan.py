#!/usr/bin/env python3
"""Judge one model file with fickling's library, whose command takes bare pickles alone.

    python fickling_scan.py FILE    exits with 0 (safe), 1 (not), 2 (it could not read the file),
                                    3 (nothing that it reads)

A zip is judged by the pickles in it, as its PyTorch wrapper does (which needs torch).
"""

import sys
import zipfile
from pathlib import Path

from fickling.analysis import Severity, check_safety
from fickling.fickle import StackedPickle


# What pickles are called; others are taken for one by their first byte.
PICKLES = {".pkl", ".pickle", ".bin", ".dat", ".pt", ".pth", ".ckpt", ".joblib", ".data"}


def streams(path):
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    yield archive.read(name)
        return
    data = Path(path).read_bytes()
    if Path(path).suffix in PICKLES or data.startswith(b"\x80"):
        yield data


def main():
    safe, any_pickle = True, False
    try:
        for data in streams(sys.argv[1]):
            for pickled in StackedPickle.load(data):
                any_pickle = True
                safe &= check_safety(pickled).severity <= Severity.LIKELY_SAFE
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
        return 1 if not safe else 2
    if not safe:
        return 1
    return 0 if any_pickle else 3


if __name__ == "__main__":
    sys.exit(main())
