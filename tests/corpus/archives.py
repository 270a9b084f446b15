"""Writers of archives in which every field can lie: zip, tar, 7z, and the frames of lz4.

Nothing here is unpacked.
"""

import bz2
import lzma
import struct
import zlib


def entry(name, data, method=0, **lies):
    """A zip member. `lies` replace a field: flags, crc, size, packed, local_name, local_method, local_flags, local_crc,
    local_size, mode (Unix), offset, hidden (not listed), later (sizes after the data), extra, local_extra, system."""
    if method == 8:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
    elif method == 12:
        packed = bz2.compress(data)
    elif method == 14:
        filters = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
        packed = (
            b"\x09\x04\x05\0\x5d"
            + struct.pack("<I", 1 << 16)
            + lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters)
        )
    else:
        packed = data
    return {
        "name": name.encode() if isinstance(name, str) else name,
        "data": packed,
        "method": method,
        "crc": zlib.crc32(data),
        "size": len(data),
        "packed": len(packed),
        **lies,
    }


def archive(entries, prefix=b"", comment=b"", shift=0, count=None, zip64=False, between=b"", trailing=b""):
    """A zip archive. `shift` is added to offsets (a prefix that the directory knows of), `between` stands before the
    directory."""
    out, listed = prefix, b""
    listed_count = 0
    for one in entries:
        get = one.get
        at = len(out) - len(prefix) + shift
        flags = get("flags", 0) | (8 if get("later") else 0)
        local_name = get("local_name", one["name"])
        local_name = local_name.encode() if isinstance(local_name, str) else local_name
        numbers = struct.pack(
            "<III", get("local_crc", one["crc"]), get("local_packed", one["packed"]), get("local_size", one["size"])
        )
        if get("later"):
            numbers = bytes(12)
        extra = get("local_extra", b"")
        out += b"PK\x03\x04\x14\0" + struct.pack(
            "<HHI", get("local_flags", flags), get("local_method", one["method"]), 0
        )
        out += numbers + struct.pack("<HH", len(local_name), len(extra)) + local_name + extra + one["data"]
        if get("later"):
            out += b"PK\x07\x08" + struct.pack("<III", one["crc"], one["packed"], one["size"])
        if get("hidden"):
            continue
        listed_count += 1
        name, extra = one["name"], get("extra", b"")
        packed, size, offset = one["packed"], one["size"], get("offset", at)
        if zip64:
            extra += struct.pack("<HHQQQ", 1, 24, size, packed, offset)
            packed = size = offset = 0xFFFFFFFF
        listed += b"PK\x01\x02\x14" + bytes([get("system", 3)]) + b"\x14\0"
        listed += struct.pack("<HHIIII", flags, one["method"], 0, get("listed_crc", one["crc"]), packed, size)
        listed += struct.pack("<HHHHHII", len(name), len(extra), 0, 0, 0, get("mode", 0) << 16, offset) + name + extra
    out += between
    start = len(out) - len(prefix) + shift
    count = listed_count if count is None else count
    end = b""
    if zip64:
        end = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(listed), start)
        end += b"PK\x06\x07" + struct.pack("<IQI", 0, len(out) + len(listed), 1)
        end += b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, len(comment))
    else:
        end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(listed), start, len(comment))
    return out + listed + end + comment + trailing


def zipped(members, method=0, **lies):
    """A zip archive of {name: bytes}."""
    return archive([entry(name, data, method) for name, data in members.items()], **lies)


def torch_zip(data, storages=(), root="archive", more=(), aligned=True):
    """The archive of torch.save: members aligned to 64 bytes."""
    members = [("data.pkl", data), (".format_version", b"1"), (".storage_alignment", b"64"), ("byteorder", b"little")]
    members += [(f"data/{key}", raw) for key, raw in enumerate(storages)]
    members += [("version", b"3\n"), (".data/serialization_id", b"0636067012310300540800000000000000000000"), *more]
    entries, at = [], 0
    for name, raw in members:
        name = f"{root}/{name}"
        pad = -(at + 34 + len(name)) % 64 if aligned else 0
        extra = b"FB" + struct.pack("<H", pad) + b"Z" * pad
        entries.append(entry(name, raw, local_extra=extra))
        at += 30 + len(name) + len(extra) + len(raw)
    return archive(entries)


def tarred(members, end=True):
    """A tar archive. A member: (name, data), or (name, data, type, link target, fields to replace)."""
    out = b""
    for name, data, *rest in members:
        kind, target, fields = (rest + [b"0", "", {}][len(rest) :])[:3]
        name = name.encode() if isinstance(name, str) else name
        size = fields.get("size", len(data))
        header = bytearray(512)
        header[: len(name[:100])] = name[:100]
        header[100:108] = b"0000644\0"
        header[108:124] = b"0000000\0" * 2
        header[124:136] = b"%011o\0" % size
        header[136:148] = b"00000000000\0"
        header[148:156] = b" " * 8
        header[156:157] = kind
        header[157 : 157 + len(target)] = target.encode()
        header[257:265] = fields.get("magic", b"ustar\x0000")
        header[148:155] = b"%06o\0" % (sum(header) + fields.get("sum", 0))
        out += bytes(header) + data + bytes(-len(data) % 512)
    return out + (bytes(1024) if end else b"")


def pax(**values):
    """The records of an extended header."""
    out = b""
    for key, value in values.items():
        rest = b" %s=%s\n" % (key.encode(), value.encode())
        length = len(rest) + 1
        while len(str(length)) + len(rest) != length:
            length = len(str(length)) + len(rest)
        out += str(length).encode() + rest
    return out


def lz4(data):
    """An lz4 frame of stored blocks."""
    head = b"\x60\x70"
    out = b"\x04\x22\x4d\x18" + head + bytes([xxh32(head) >> 8 & 0xFF])
    for at in range(0, len(data), 4 << 20):
        block = data[at : at + (4 << 20)]
        out += struct.pack("<I", len(block) | 1 << 31) + block
    return out + bytes(4)


def xxh32(data, seed=0):
    """xxHash of less than 16 bytes."""
    mask, prime = 0xFFFFFFFF, (2654435761, 2246822519, 3266489917, 668265263, 374761393)
    turn = lambda x, n: (x << n | x >> 32 - n) & mask
    value = (seed + prime[4] + len(data)) & mask
    while len(data) >= 4:
        value = turn((value + int.from_bytes(data[:4], "little") * prime[2]) & mask, 17) * prime[3] & mask
        data = data[4:]
    for byte in data:
        value = turn((value + byte * prime[4]) & mask, 11) * prime[0] & mask
    for shift, by in ((15, prime[1]), (13, prime[2]), (16, 1)):
        value = (value ^ value >> shift) * by & mask
    return value


def zstd(data):
    """A zstd frame of one raw block."""
    assert len(data) < 256
    block = struct.pack("<I", len(data) << 3 | 1)[:3]
    return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + block + data


def seven_zip(members, method="lzma2", header="plain"):
    """A 7z archive: one folder for all members, by the named coder ("copy", "lzma", "lzma2", "bcj", "bzip2", "deflate", "aes");
    the header plain or packed by LZMA ("packed")."""
    lzma1 = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    plain = b"".join(data for _, data in members)
    id_, properties, packed = {
        "copy": lambda: (b"\0", b"", plain),
        "lzma": lambda: (
            b"\x03\x01\x01",
            b"\x5d" + struct.pack("<I", 1 << 16),
            lzma.compress(plain, lzma.FORMAT_RAW, filters=lzma1),
        ),
        "lzma2": lambda: (
            b"\x21",
            b"\x08",
            lzma.compress(plain, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]),
        ),
        "bcj": lambda: (
            None,
            None,
            lzma.compress(
                plain,
                lzma.FORMAT_RAW,
                filters=[{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}],
            ),
        ),
        "bzip2": lambda: (b"\x04\x02\x02", b"", bz2.compress(plain)),
        "deflate": lambda: (b"\x04\x01\x08", b"", zlib.compress(plain, 9)[2:-4]),
        "aes": lambda: (b"\x06\xf1\x07\x01", b"\x13\x00", bytes(-len(plain) % 16) + plain),
    }[method]()

    def number(n):
        if n < 0x80:
            return bytes([n])
        if n < 0x4000:
            return bytes([0x80 | n >> 8, n & 0xFF])
        return b"\xf0" + struct.pack("<I", n)

    def streams(at, packed, plain, coders, sizes, several=None):
        out = b"\x06" + number(at) + b"\x01\x09" + number(len(packed)) + b"\0"
        out += (
            b"\x07\x0b\x01\0"
            + coders
            + b"\x0c"
            + b"".join(map(number, sizes))
            + b"\x0a\x01"
            + struct.pack("<I", zlib.crc32(plain))
            + b"\0"
        )
        if several is not None and len(several) < 2:
            out += b"\x08\0"
        elif several:
            out += b"\x08\x0d" + number(len(several)) + b"\x09" + b"".join(number(len(one)) for one in several[:-1])
            out += b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(one)) for one in several) + b"\0"
        return out + b"\0"

    if method == "bcj":
        coders, sizes = b"\x02\x04\x03\x03\x01\x03\x21\x21\x01\x08\0\x01", [len(plain)] * 2
    else:
        coders = b"\x01" + bytes([len(id_) | (0x20 if properties else 0)]) + id_
        coders += number(len(properties)) + properties if properties else b""
        sizes = [len(plain)]
    names = b"\0" + b"".join(name.encode("utf-16-le") + b"\0\0" for name, _ in members)
    body = b"\x01\x04" + streams(0, packed, plain, coders, sizes, [data for _, data in members])
    body += b"\x05" + number(len(members)) + b"\x11" + number(len(names)) + names + b"\0\0"
    data = packed
    if header == "packed":
        small = lzma.compress(body, lzma.FORMAT_RAW, filters=lzma1)
        coder = b"\x01\x23\x03\x01\x01\x05\x5d" + struct.pack("<I", 1 << 16)
        outer = b"\x17" + streams(len(data), small, body, coder, [len(body)])
        data, body = data + small, outer
    start = struct.pack("<QQI", len(data), len(body), zlib.crc32(body))
    return b"7z\xbc\xaf\x27\x1c\0\4" + struct.pack("<I", zlib.crc32(start)) + start + data + body
