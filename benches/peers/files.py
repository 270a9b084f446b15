#!/usr/bin/env python3
"""Write the benign model files that modelhost and its peers are timed on.

    python3 benches/peers/files.py OUT

makes OUT/tiny.pkl, OUT/many (500 small files of mixed kinds) and OUT/large.pt (a PyTorch
zip of 64 tensors of 16 MiB). Standard library only, the same bytes each time; what is there
already is kept.
"""

import collections
import io
import json
import pickle
import random
import struct
import sys
import types
import zipfile
from pathlib import Path

TENSORS, TENSOR = 64, 16 << 20


def stand_ins():
    """Put names of torch where pickle looks for them, so that it writes them."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    class FloatStorage:
        __module__ = "torch"

    FloatStorage.__qualname__ = "FloatStorage"

    def _rebuild_tensor_v2():
        pass

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    torch.FloatStorage, utils._rebuild_tensor_v2 = FloatStorage, _rebuild_tensor_v2
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return FloatStorage, _rebuild_tensor_v2


STORAGE_KIND, REBUILD = stand_ins()
Storage = collections.namedtuple("Storage", "key count")


class Tensor:
    def __init__(self, key, count):
        self.storage = Storage(key, count)

    def __reduce__(self):
        count = self.storage.count
        return REBUILD, (self.storage, 0, (count,), (1,), False, collections.OrderedDict())


class StateDict(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return ("storage", STORAGE_KIND, value.key, "cpu", value.count)
        return None


def torch_zip(file, number, length, tensors):
    """Write `number` tensors of `length` bytes each the way torch.save does."""
    names = ((f"layers.{i}.weight", Tensor(str(i), length // 4)) for i in range(number))
    state = io.BytesIO()
    StateDict(state, 2).dump(collections.OrderedDict(names))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def put(name, data):
            archive.writestr(zipfile.ZipInfo("archive/" + name, (1980, 1, 1, 0, 0, 0)), data)

        put("data.pkl", state.getvalue())
        put("byteorder", b"little")
        for i, tensor in enumerate(tensors):
            put(f"data/{i}", tensor)
        put("version", b"3\n")


def npy(values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(values)},), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    data = struct.pack(f"<{len(values)}f", *values)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return file.getvalue()


def safetensors(values):
    header = {"weight": {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, 4 * len(values)]}}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + struct.pack(f"<{len(values)}f", *values)


def gguf(values):
    def text(value):
        return struct.pack("<Q", len(value)) + value

    head = b"GGUF" + struct.pack("<IQQ", 3, 1, 1)
    head += text(b"general.architecture") + struct.pack("<I", 8) + text(b"llama")
    head += text(b"weight") + struct.pack("<IQIQ", 1, len(values), 0, 0)
    head += b"\0" * (-len(head) % 32)
    return head + struct.pack(f"<{len(values)}f", *values)


def small(number, numbers):
    """Return the name and bytes of one small file."""
    values = [numbers.random() for _ in range(500 + numbers.randrange(1500))]
    raw = struct.pack(f"<{len(values)}f", *values)
    kind = number % 25
    if kind < 12:
        held = {"weights": values[:200], "names": [f"feature {i}" for i in range(100)], "step": number}
        ending = ("pkl", "pickle", "ckpt", "bin", "pth", "dat")[kind % 6]
        return f"{number:03}.{ending}", pickle.dumps(held, number % 6)
    if kind < 17:
        file = io.BytesIO()
        torch_zip(file, 2, len(raw), [raw, raw])
        return f"{number:03}.pt", file.getvalue()
    if kind < 19:
        return f"{number:03}.npz", zipped([("weights.npy", npy(values)), ("bias.npy", npy(values[:9]))])
    if kind < 21:
        return f"{number:03}.npy", npy(values)
    if kind < 23:
        return f"{number:03}.safetensors", safetensors(values)
    return f"{number:03}.gguf", gguf(values)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = Path(sys.argv[1])
    many, large = out / "many", out / "large.pt"
    many.mkdir(parents=True, exist_ok=True)
    (out / "tiny.pkl").write_bytes(pickle.dumps({"weights": [1.0, 2.0]}, 2))
    numbers = random.Random(1)
    for number in range(500):
        name, data = small(number, numbers)
        (many / name).write_bytes(data)
    if not large.exists():
        partial = large.with_suffix(".partial")
        torch_zip(partial, TENSORS, TENSOR, (numbers.randbytes(TENSOR) for _ in range(TENSORS)))
        partial.rename(large)


if __name__ == "__main__":
    main()
