"""Writers of pickles and of what holds them: an assembler for hostile ones, CPython's own pickler for honest ones.

Globals are names, never imported; nothing here is loaded or run.
"""

import io
import pickle
import struct
import zlib

ECHO = "echo modelhost-corpus"


class Asm:
    """Writes a pickle opcode by opcode."""

    def __init__(self, proto=None):
        self.proto = proto or 0
        self.data = b"" if proto is None else b"\x80" + bytes([proto])

    def raw(self, data):
        self.data += data
        return self

    def glob(self, module, name):
        return self.raw(b"c" + module.encode() + b"\n" + name.encode() + b"\n")

    def text(self, text):
        """A string, in the protocol's usual way."""
        data = text.encode("utf-8", "surrogatepass")
        if self.proto >= 4 and len(data) < 256:
            return self.raw(b"\x8c" + bytes([len(data)]) + data)
        if self.proto >= 1:
            return self.raw(b"X" + struct.pack("<I", len(data)) + data)
        return self.raw(b"V" + text.encode("raw_unicode_escape") + b"\n")

    def stack_global(self, module, name):
        return self.text(module).text(name).raw(b"\x93")

    def name(self, module, name):
        """A global, in the protocol's usual way."""
        return self.stack_global(module, name) if self.proto >= 4 else self.glob(module, name)

    def int(self, n):
        if self.proto == 0:
            return self.raw(b"I%d\n" % n)
        return self.raw(b"K" + bytes([n]) if 0 <= n < 256 else b"J" + struct.pack("<i", n))

    def bytes(self, data):
        return self.raw(
            b"C" + bytes([len(data)]) + data if len(data) < 256 else b"B" + struct.pack("<I", len(data)) + data
        )

    def value(self, value):
        if isinstance(value, Asm):
            return self.raw(value.data)
        if isinstance(value, tuple):
            self.raw(b"(")
            for item in value:
                self.value(item)
            return self.raw(b"t")
        if isinstance(value, list):
            self.raw(b"](" if self.proto else b"(l(")
            for item in value:
                self.value(item)
            return self.raw(b"e")
        if isinstance(value, dict):
            self.raw(b"}(" if self.proto else b"(d(")
            for key, item in value.items():
                self.value(key).value(item)
            return self.raw(b"u")
        if value is None:
            return self.raw(b"N")
        if isinstance(value, bool):
            return self.raw(b"I01\n" if value else b"I00\n")
        if isinstance(value, int):
            return self.int(value)
        if isinstance(value, float):
            return self.raw(b"G" + struct.pack(">d", value) if self.proto else b"F%r\n" % value)
        if isinstance(value, bytes):
            return self.bytes(value)
        return self.text(value)

    def call(self, module, name, *arguments):
        return self.name(module, name).value(arguments).raw(b"R")

    def stop(self):
        return self.raw(b".").data


def part(proto=4):
    """A piece of a pickle: an assembler without its PROTO."""
    asm = Asm()
    asm.proto = proto
    return asm


def call(module, name, *arguments, proto=4):
    """A pickle that calls module.name(*arguments)."""
    return begin(proto).call(module, name, *arguments).stop()


def begin(proto):
    """A pickle of this protocol: those below 2 have no PROTO."""
    asm = Asm(proto if proto >= 2 else None)
    asm.proto = proto
    return asm


def system(proto=4):
    """The pickle that stands for any payload."""
    return call("posix", "system", ECHO, proto=proto)


class Name:
    """A global."""

    known = {}

    def __new__(cls, module, name):
        if (module, name) not in cls.known:
            one = object.__new__(cls)
            one.module, one.name = module, name
            cls.known[module, name] = one
        return cls.known[module, name]


class Made:
    """What calling a global makes: REDUCE, then items, pairs, state."""

    def __init__(self, function, *arguments, items=(), pairs=(), state=None):
        self.function, self.arguments = function, arguments
        self.items, self.pairs, self.state = items, pairs, state


class New:
    """An instance made without its `__init__`: NEWOBJ, or copyreg's helper below protocol 2."""

    def __init__(self, module, name, state=None, arguments=(), pairs=()):
        self.cls, self.state, self.arguments, self.pairs = Name(module, name), state, arguments, pairs


class Persistent:
    """A persistent id."""

    def __init__(self, *pid):
        self.pid = pid


class Pickler(pickle._Pickler):
    """CPython's own pickler, where the stand-ins above are written by name."""

    def save(self, obj, save_persistent_id=True):
        if not isinstance(obj, (Name, Made, New, Persistent)):
            return super().save(obj, save_persistent_id)
        if isinstance(obj, Persistent):
            super().save(obj.pid)
            return self.write(b"Q")
        known = self.memo.get(id(obj))
        if known is not None:
            return self.write(self.get(known[0]))
        if isinstance(obj, Name):
            if self.proto >= 4:
                self.save(obj.module)
                self.save(obj.name)
                self.write(b"\x93")
            else:
                self.write(b"c" + obj.module.encode() + b"\n" + obj.name.encode() + b"\n")
            return self.memoize(obj)
        if isinstance(obj, Made):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(b"R")
        elif self.proto >= 2:
            self.save(obj.cls)
            self.save(obj.arguments)
            self.write(b"\x81")
        else:
            self.save(Name("copyreg" if self.proto >= 3 else "copy_reg", "_reconstructor"))
            base = Name("builtins" if self.proto >= 3 else "__builtin__", "object")
            self.save((obj.cls, base, None))
            self.write(b"R")
        self.memoize(obj)
        if isinstance(obj, Made):
            self._batch_appends(iter(obj.items))
        self._batch_setitems(iter(obj.pairs))
        if obj.state is not None:
            self.save(obj.state)
            self.write(b"b")


def dumps(value, proto=4):
    """Pickles a value that may hold the stand-ins."""
    out = io.BytesIO()
    Pickler(out, proto).dump(value)
    return out.getvalue()


# numpy


def numbers(count, code="<f"):
    """The bytes of some numbers, the same each time."""
    out, x = b"", 1
    for _ in range(count):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        out += struct.pack(code, x / 0x7FFFFFFF - 0.5 if code[-1] in "fde" else x % 100)
    return out


def dtype(text, state=None):
    """numpy's dtype, such as `<f8`, `|O8`; `state` replaces the plain one."""
    order = text[0] if text[0] in "<>|=" else "|"
    plain = (3, order, None, None, None, -1, -1, 63 if "O" in text else 0)
    return Made(Name("numpy", "dtype"), text.lstrip("<>|="), False, True, state=state or plain)


def array(kind, shape, data, proto=4, fortran=False, new=False, cls=("numpy", "ndarray")):
    """An array as numpy pickles it; `new` names the modules of numpy 2."""
    core = "numpy._core" if new else "numpy.core"
    kind = dtype(kind) if isinstance(kind, str) else kind
    if proto >= 5 and isinstance(data, bytes):
        return Made(Name(f"{core}.numeric", "_frombuffer"), bytearray(data), kind, shape, "F" if fortran else "C")
    made = Made(Name(f"{core}.multiarray", "_reconstruct"), Name(*cls), (0,), b"b")
    made.state = (1, shape, kind, fortran, data)
    return made


def scalar(kind, data, new=False):
    return Made(Name("numpy._core.multiarray" if new else "numpy.core.multiarray", "scalar"), dtype(kind), data)


def npy(descr, shape, data, version=1, fortran=False, header=None):
    """A `.npy` file; `descr` as it stands in the header."""
    text = header or f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    head = 10 if version == 1 else 12
    text += b" " * (-(head + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text)) + text + data


# joblib


def joblib_array(kind, shape, data, aligned=True, proto=4):
    """What joblib puts into the stream for an array: its wrapper, and the raw bytes. A piece of a pickle."""
    state = {
        "subclass": Name("numpy", "ndarray"),
        "shape": shape,
        "order": "C",
        "dtype": dtype(kind),
        "allow_mmap": aligned,
    }
    if aligned:
        state["numpy_array_alignment_bytes"] = 16
    wrapper = dumps(New("joblib.numpy_pickle", "NumpyArrayWrapper", state), min(proto, 3))
    # Without PROTO and STOP; memo numbers are shifted away from those of other pieces.
    return part().raw(_shifted(wrapper[2:-1])).raw((b"\x04" + b"\xff" * 4 if aligned else b"") + data)


def _shifted(data, by=100):
    """Moves the memo numbers of a pickle of protocol 2 or 3."""
    import pickletools

    out, ends = b"", []
    for opcode, argument, at in pickletools.genops(data + b"."):
        ends.append((opcode.name, argument, at))
    for (name, argument, at), (_, _, end) in zip(ends, ends[1:]):
        if name in ("BINPUT", "BINGET"):
            out += data[at : at + 1] + bytes([argument + by])
        else:
            out += data[at:end]
    return out


# PyTorch

MAGIC = 0x1950A86A20F9469CFC6C
SIZES = {
    "Float": 4,
    "Half": 2,
    "BFloat16": 2,
    "Double": 8,
    "Long": 8,
    "Int": 4,
    "Short": 2,
    "Char": 1,
    "Byte": 1,
    "Bool": 1,
    "ComplexFloat": 8,
    "QInt8": 1,
    "QUInt8": 1,
    "QInt32": 4,
}
ORDERED = ("collections", "OrderedDict")


def ordered(pairs=(), state=None):
    return Made(Name(*ORDERED), pairs=list(pairs), state=state)


def storage(key, count, kind="Float", location="cpu"):
    return Persistent("storage", Name("torch", kind + "Storage"), str(key), location, count)


def tensor(key, shape, kind="Float", grad=False, hooks=None):
    count, strides = 1, []
    for n in reversed(shape):
        strides.insert(0, count)
        count *= n
    return Made(
        Name("torch._utils", "_rebuild_tensor_v2"),
        storage(key, count, kind),
        0,
        shape,
        tuple(strides),
        grad,
        hooks or ordered(),
    )


def parameter(key, shape, kind="Float"):
    return Made(Name("torch._utils", "_rebuild_parameter"), tensor(key, shape, kind), True, ordered())


def torch_legacy(data, keys=(), storages=(), magic=None, after=b""):
    """torch.save before 1.6: magic, protocol, system, object, keys, storages."""
    system_info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    out = magic or dumps(MAGIC, 2)
    out += dumps(1001, 2) + dumps(system_info, 2) + data + dumps(list(keys), 2)
    return out + b"".join(struct.pack("<q", count) + raw for count, raw in storages) + after


def old_joblib(data):
    """joblib before 0.10: "ZF", the length in 19 characters, zlib."""
    return b"ZF" + hex(len(data)).ljust(19).encode() + zlib.compress(data)
