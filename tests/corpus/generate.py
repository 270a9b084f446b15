#!/usr/bin/env python3
"""Generate modelhost's own labelled corpus of model files.

    python3 tests/corpus/generate.py OUT    write every case under OUT, and OUT/manifest.json

Standard library only, nothing is loaded or run while generating, and every payload is a
harmless `echo`. README.md beside this says how a case is added.
"""

import csv
import importlib
import json
import pkgutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LABELS = ("malicious", "benign", "malformed")
COLUMNS = ["path", "label", "technique", "refs", "expected"]


def labels(group):
    """Read labels/GROUP.tsv: path -> row."""
    with open(HERE / "labels" / f"{group}.tsv", newline="", encoding="utf-8") as table:
        rows = csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE)
        if rows.fieldnames != COLUMNS:
            sys.exit(f"labels/{group}.tsv: its columns are not {COLUMNS}")
        found = {}
        for row in rows:
            if row["label"] not in LABELS:
                sys.exit(f"labels/{group}.tsv: {row['path']}: there is no label {row['label']!r}")
            if row["path"] in found:
                sys.exit(f"labels/{group}.tsv: {row['path']} stands there twice")
            found[row["path"]] = row
        return found


def write(target, data):
    """Write a file, or a folder given as {relative path: bytes}."""
    if isinstance(data, dict):
        for name, content in data.items():
            write(target / name, content)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    sys.path.insert(0, str(HERE))
    manifest = []
    for module in sorted(found.name for found in pkgutil.iter_modules([str(HERE / "cases")])):
        labelled = labels(module)
        made = importlib.import_module(f"cases.{module}").cases()
        for path in sorted(labelled.keys() ^ made.keys()):
            missing = "case" if path in labelled else "label"
            sys.exit(f"{module}: {path} has no {missing}")
        for path, row in labelled.items():
            write(out / path, made[path])
            manifest.append(
                {
                    "id": path,
                    "path": path,
                    "label": row["label"],
                    "technique": row["technique"],
                    "refs": row["refs"].split(),
                    "expected": row["expected"],
                }
            )
    (out / "manifest.json").write_text(json.dumps({"cases": manifest}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
