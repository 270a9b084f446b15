"""Writes pickles, damaged at random, and what CPython's own unpickler imports and calls when it loads them.

    python3 cpython.py FOLDER SEED COUNT

Nothing that a pickle names is imported: every name stands for a class that does nothing. Each case is a file;
`cases.txt` has a line for each: the file, and the globals that were named and called.
"""
import io
import os
import pickle
import random
import resource
import sys

folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)
# A memo entry of a huge number makes the unpickler ask for as much memory.
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


class Nothing:
    def __init__(self, *a, **k):
        pass

    def __call__(self, *a, **k):
        return Nothing()

    def __setstate__(self, state):
        pass

    def append(self, item):
        pass

    extend = add = append

    def __setitem__(self, key, value):
        pass

    def __hash__(self):
        return 1


class Recorder(pickle.Unpickler):
    def find_class(self, module, name):
        self.named.append((module, name))
        called = self.called

        class Stand(Nothing):
            def __new__(cls, *a, **k):
                called.append((module, name))
                return object.__new__(cls)

        return Stand

    def persistent_load(self, pid):
        return Nothing()


class Call:
    """reduces to a call of a harmless function under another name, renamed in the bytes below"""

    def __reduce__(self):
        return os.getcwd, ()


def call(protocol):
    plain = pickle.dumps({"a": [1, 2, (3, "x")], "b": Call(), "c": None}, protocol)
    return plain


seeds = [call(protocol) for protocol in range(6)]
seeds += [
    b"(S'x'\nievil.mod\nrun\n.",
    b"(cevil.mod\nrun\nS'x'\no.",
    b"\x80\x04\x8c\x03run\x940\x8c\x04evil\x940h\x01h\x00\x93\x8c\x01x\x85R.",
    b"\x80\x04\x8c\x04evil\x8c\x05decoy0\x8c\x03run\x93)R.",
    b"\x80\x02K\x01.\x80\x04\x8c\x04evil\x8c\x03run\x93)R.",
    b"\x8c\x04evil\x8c\x03run\x93)R.",
    b"\x80\x04ccollections\nOrderedDict\n)R}\x8c\x01k\x8c\x04evil\x8c\x03run\x93sb.",
    b"cevil\nrun\n(VA\\u0062\ntR.",
    b"\x80\x05\x96\x03\0\0\0\0\0\0\0abc0cevil\nrun\n)\x81.",
]
opcodes = b"(.012FIJKLMNPQRSTUVXabcde}ghijl]opqrst)uG" + bytes(range(0x80, 0x99)) + b"BC"
pieces = [b"N0", b"(1", b"\x94", b"q\x05", b"h\0", b"r\0\1\0\0", b"\x80\x03", b"\x80\0", b"(t0", b"]\x940", b"X\2\0\0\0os", b"\x95\5\0\0\0\0\0\0\0"]


def damage(data):
    data = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3])):
        how, at = rng.random(), rng.randrange(len(data) + 1)
        if how < 0.25 and data:
            data[min(at, len(data) - 1)] = rng.choice(opcodes) if rng.random() < 0.6 else rng.randrange(256)
        elif how < 0.5:
            data[at:at] = bytes(rng.choice(opcodes) for _ in range(rng.randint(1, 3)))
        elif how < 0.65:
            del data[at:at + rng.randint(1, 3)]
        elif how < 0.75:
            data[at:at] = rng.choice(seeds)[rng.randrange(5):][:rng.randrange(1, 30)]
        elif how < 0.85:
            del data[at:]
        elif how < 0.95:
            data[at:at] = rng.choice(pieces)
        else:
            data += rng.choice(seeds)
    return bytes(data)


def load(data):
    stream, named, called = io.BytesIO(data), [], []
    for _ in range(20):
        if stream.tell() >= len(data):
            break
        unpickler = Recorder(stream)
        unpickler.named, unpickler.called = named, called
        try:
            unpickler.load()
        except BaseException:
            break
    return named, called


def shown(names):
    return ",".join("%s:%s" % (m.encode().hex(), n.encode().hex()) for m, n in names)


with open(os.path.join(folder, "cases.txt"), "w") as cases:
    for number in range(count):
        data = damage(rng.choice(seeds))
        try:
            named, called = load(data)
            line = "%d %s %s\n" % (number, shown(named) or "-", shown(called) or "-")
        except (UnicodeError, SystemError):
            continue
        with open(os.path.join(folder, str(number)), "wb") as case:
            case.write(data)
        cases.write(line)
