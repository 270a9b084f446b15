"""Writers of the structures that model files are made of: protobuf, zip, safetensors,
GGUF, npy, HDF5, flatbuffers and pictures. Each writes sound files, and broken ones where
it is told to; what the files mean is the business of the cases."""

import base64
import io
import json
import struct
import zipfile
import zlib

# ------------------------------------------------------------------ protobuf


def varint(number):
    """Return a number of variable length."""
    number &= 2**64 - 1
    out = bytearray()
    while True:
        low = number & 0x7F
        number >>= 7
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def pb(number, value):
    """Return a field: a number, a 32-bit float, or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


# ------------------------------------------------------------------ archives


def zipped(members, deflated=False, before=b""):
    """Return a zip archive of {name: bytes}, with fixed dates, behind other content."""
    out = io.BytesIO(before)
    with zipfile.ZipFile(out, "a" if before else "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
            archive.writestr(info, content)
    return out.getvalue()


# ------------------------------------------------------------------ safetensors and npy


def safetensors(header, data=b"", length=None, pad=0):
    """Return a safetensors file; `header` is an object, or the bytes of its JSON."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += b" " * pad
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensors(*shapes, dtype="F32", width=4):
    """Return a safetensors file of tensors of these shapes, one after the other."""
    header, at = {}, 0
    for number, shape in enumerate(shapes):
        size = width
        for dimension in shape:
            size *= dimension
        header[f"layer.{number}.weight"] = {
            "dtype": dtype,
            "shape": list(shape),
            "data_offsets": [at, at + size],
        }
        at += size
    return safetensors(header, numbers(at))


def numbers(length):
    """Return bytes as weights have them."""
    count = length // 4 + 1
    out = b"".join(struct.pack("<f", ((n * 7919) % 1999 - 999) / 9973 or 0.5) for n in range(count))
    return out[:length]


def npy(data, descr="'<f4'", shape="(4,)", version=1, header=None):
    """Return a numpy array."""
    text = header
    if text is None:
        text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}"
    width = 2 if version == 1 else 4
    text = text.encode() + b" " * (-(6 + 2 + width + len(text) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(width, "little") + text + data


# ------------------------------------------------------------------ GGUF

U8, I8, U16, I16, U32, I32, F32, BOOL, STR, ARR, U64, I64, F64 = range(13)
GG_FORMAT = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}


def gg_text(text, end="<"):
    """Return a GGUF string."""
    text = text.encode() if isinstance(text, str) else text
    return struct.pack(end + "Q", len(text)) + text


def gg_value(kind, value, end="<"):
    """Return a GGUF value."""
    if kind == STR:
        return gg_text(value, end)
    if kind == ARR:
        of, items = value
        head = struct.pack(end + "IQ", of, len(items))
        return head + b"".join(gg_value(of, item, end) for item in items)
    return struct.pack(end + GG_FORMAT[kind], value)


def gguf(keys, tensors=(), version=3, end="<", align=32, counts=(None, None), tail=b""):
    """Return a GGUF file; a tensor is (name, dimensions, type, bytes)."""
    count = [len(tensors), len(keys)]
    count = [given if given is not None else own for given, own in zip(counts, count)]
    out = b"GGUF" + struct.pack(end + "IQQ", version, *count)
    for key, kind, value in keys:
        out += gg_text(key, end) + struct.pack(end + "I", kind) + gg_value(kind, value, end)
    data = b""
    for name, dimensions, kind, raw in tensors:
        out += gg_text(name, end) + struct.pack(end + "I", len(dimensions))
        out += b"".join(struct.pack(end + "Q", dimension) for dimension in dimensions)
        out += struct.pack(end + "IQ", kind, len(data))
        data += raw + b"\0" * (-len(raw) % align)
    if tensors:
        out += b"\0" * (-len(out) % align)
    return out + data + tail


def gg_llama(template=None, extra=(), tokens=6):
    """Return the keys of a small llama."""
    keys = [
        ("general.architecture", STR, "llama"),
        ("general.name", STR, "tiny"),
        ("general.file_type", U32, 1),
        ("llama.context_length", U32, 128),
        ("llama.embedding_length", U32, 8),
        ("llama.rope.freq_base", F32, 10000.0),
        ("tokenizer.ggml.model", STR, "gpt2"),
        ("tokenizer.ggml.tokens", ARR, (STR, [f"t{n}" for n in range(tokens)])),
        ("tokenizer.ggml.merges", ARR, (STR, ["a b", "{ {", "{% x"])),
        ("tokenizer.ggml.token_type", ARR, (I32, [1] * tokens)),
        ("tokenizer.ggml.add_bos_token", BOOL, 1),
    ]
    if template is not None:
        keys.append(("tokenizer.chat_template", STR, template))
    return keys + list(extra)


# ------------------------------------------------------------------ ONNX


def onnx_tensor(name, dimensions, raw=None, external=None, kind=1):
    """Return a TensorProto; `external` holds pairs about data outside."""
    out = b"".join(pb(1, d) for d in dimensions) + pb(2, kind) + pb(8, name)
    if external is None:
        return out + pb(9, raw if raw is not None else b"")
    return out + b"".join(pb(13, pb(1, k) + pb(2, v)) for k, v in external) + pb(14, 1)


def onnx_node(kind, domain="", attributes=(), name=None):
    """Return a NodeProto; an attribute is a whole AttributeProto."""
    out = pb(1, "x") + pb(2, "y") + pb(3, name or kind) + pb(4, kind)
    return out + b"".join(pb(5, a) for a in attributes) + (pb(7, domain) if domain else b"")


def onnx_graph(nodes=(), initializers=(), sparse=()):
    """Return a GraphProto."""
    shape = pb(2, pb(1, pb(1, 1) + pb(2, pb(1, pb(1, 2)))))
    out = b"".join(pb(1, node) for node in nodes) + pb(2, "graph")
    out += b"".join(pb(5, tensor) for tensor in initializers)
    out += pb(11, pb(1, "x") + shape) + pb(12, pb(1, "y") + shape)
    return out + b"".join(pb(15, tensor) for tensor in sparse)


def onnx(nodes=(), initializers=(), domains=("",), extra=b"", sparse=(), version=8):
    """Return a ModelProto."""
    out = pb(1, version) + pb(2, "pytorch") + pb(3, "2.1.0")
    out += pb(7, onnx_graph(nodes, initializers, sparse))
    for domain in domains:
        out += pb(8, (pb(1, domain) if domain else b"") + pb(2, 17 if not domain else 1))
    return out + extra


# ------------------------------------------------------------------ TensorFlow


def tf_node(name, kind, attributes=()):
    """Return a NodeDef; an attribute is (key, bytes of the AttrValue)."""
    out = pb(1, name) + pb(2, kind)
    return out + b"".join(pb(5, pb(1, k) + pb(2, v)) for k, v in attributes)


def tf_graph(nodes, functions=()):
    """Return a GraphDef; a function is (name, nodes)."""
    out = b"".join(pb(1, node) for node in nodes)
    if functions:
        signed = [pb(1, pb(1, name)) + b"".join(pb(3, n) for n in inner) for name, inner in functions]
        out += pb(2, b"".join(pb(1, function) for function in signed))
    return out + pb(4, pb(1, 1482))


def saved_model(nodes, functions=(), extra=b""):
    """Return a saved_model.pb."""
    about = pb(1, pb(4, "serve") + pb(5, "2.16.1"))
    return pb(1, 1) + pb(2, about + pb(2, tf_graph(nodes, functions)) + extra)


# What each SavedModel has, for its own variables.
TF_ORDINARY = [
    tf_node("x", "Placeholder"),
    tf_node("w", "VarHandleOp"),
    tf_node("read", "ReadVariableOp"),
    tf_node("y", "MatMul"),
    tf_node("save/Const", "Const"),
    tf_node("SaveV2", "SaveV2"),
    tf_node("RestoreV2", "RestoreV2"),
    tf_node("ShardedFilename", "ShardedFilename"),
    tf_node("MergeV2Checkpoints", "MergeV2Checkpoints"),
    tf_node("assert", "Assert"),
    tf_node("table", "HashTableV2"),
    tf_node("lookup", "LookupTableImportV2"),
    tf_node("init", "InitializeTableFromTextFileV2"),
    tf_node("call", "StatefulPartitionedCall"),
    tf_node("print", "PrintV2", [("output_stream", pb(2, "stderr"))]),
]


# ------------------------------------------------------------------ HDF5

NOWHERE = 2**64 - 1


def h5_pad(part):
    """Pad to eight bytes."""
    return part + b"\0" * (-len(part) % 8)


def h5_message(kind, body, flags=0):
    """Return a message of an object header of the first version."""
    body = h5_pad(body)
    return struct.pack("<HHB3x", kind, len(body), flags) + body


def h5_attribute(name, value, version=1):
    """Return the body of an attribute: a text of fixed length."""
    value = (value.encode() if isinstance(value, str) else value) or b"\0"
    name = name.encode() + b"\0"
    kind = struct.pack("<B3BI", 0x13, 0, 0, 0, len(value))
    if version == 1:
        space = struct.pack("<BBB5x", 1, 0, 0)
        sizes = struct.pack("<BBHHH", 1, 0, len(name), len(kind), len(space))
        return sizes + h5_pad(name) + h5_pad(kind) + h5_pad(space) + value
    space = struct.pack("<BBBB", 2, 0, 0, 0)
    sizes = struct.pack("<BBHHHB", 3, 0, len(name), len(kind), len(space), 0)
    return sizes + name + kind + space + value


class H5:
    """An HDF5 file in the making: parts are added from the end of the tree upwards,
    so that each knows the places of what it refers to."""

    def __init__(self, new=False):
        self.new = new
        self.out = bytearray(48 if new else 96)

    def add(self, part):
        """Add a part, and return its place."""
        self.out += b"\0" * (-len(self.out) % 8)
        at = len(self.out)
        self.out += part
        return at

    def header(self, messages):
        """Add an object of (kind, body) messages, and return its place."""
        if self.new:
            body = b"".join(struct.pack("<BHB", k, len(b), 0) + b for k, b in messages)
            return self.add(b"OHDR\x02\x02" + struct.pack("<I", len(body)) + body + b"\0" * 4)
        body = b"".join(h5_message(kind, part) for kind, part in messages)
        return self.add(struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body)

    def dataset(self, count, extra=(), layout=None):
        """Add a dataset of 32-bit numbers, and return its place."""
        data = self.add(numbers(4 * count))
        kind = struct.pack("<B3BI", 0x11, 0x20, 0x1F, 0, 4) + struct.pack("<HHBBBBI", 0, 32, 23, 8, 0, 23, 127)
        space = struct.pack("<BBB5xQ", 1, 1, 0, count)
        if layout is None:
            layout = struct.pack("<BBQQ", 3, 1, data, 4 * count)
        return self.header([(1, space), (3, kind), (8, layout), *extra])

    def group(self, children, attributes=(), links=()):
        """Add a group of (name, place), with (name, text) as attributes and whole link
        messages beside them. Return its place."""
        version = 3 if self.new else 1
        kept = [(0x0C, h5_attribute(*pair, version=version)) for pair in attributes]
        if self.new or links:
            info = [(0x02, struct.pack("<BBQQ", 0, 0, NOWHERE, NOWHERE)), (0x0A, b"\0\0")]
            hard = [
                struct.pack("<BBB", 1, 0, len(name)) + name.encode() + struct.pack("<Q", place)
                for name, place in children
            ]
            return self.header(info + [(0x06, link) for link in [*hard, *links]] + kept)
        names, offsets = b"\0" * 8, []
        for name, _ in children:
            offsets.append(len(names))
            names += h5_pad(name.encode() + b"\0")
        free = len(names)
        names += struct.pack("<QQ", 1, 16)
        heap = self.add(names)
        heap = self.add(b"HEAP" + struct.pack("<B3xQQQ", 0, len(names), free, heap))
        entries = b"".join(
            struct.pack("<QQII16x", offset, place, 0, 0)
            for offset, (_, place) in zip(offsets, children)
        )
        node = self.add(b"SNOD" + struct.pack("<BBH", 1, 0, len(children)) + entries)
        tree = b"TREE" + struct.pack("<BBHQQ", 0, 0, 1, NOWHERE, NOWHERE)
        tree = self.add(tree + struct.pack("<QQQ", 0, node, offsets[-1] if offsets else 0))
        return self.header([(0x11, struct.pack("<QQ", tree, heap)), *kept])

    def file(self, root, end=None):
        """Return the whole file with this root."""
        self.out += b"\0" * (-len(self.out) % 8)
        end = len(self.out) if end is None else end
        magic = b"\x89HDF\r\n\x1a\n"
        if self.new:
            head = magic + struct.pack("<BBBBQQQQ", 2, 8, 8, 0, 0, NOWHERE, end, root) + b"\0" * 4
        else:
            head = magic + struct.pack("<BBBBBBBBHHI", 0, 0, 0, 0, 0, 8, 8, 0, 4, 16, 0)
            head += struct.pack("<QQQQ", 0, NOWHERE, end, NOWHERE)
            head += struct.pack("<QQII16x", 0, root, 0, 0)
        self.out[: len(head)] = head
        return bytes(self.out)


def h5_external(name, file, path="/x"):
    """Return a link message that leads into another file."""
    info = b"\0" + file.encode() + b"\0" + path.encode() + b"\0"
    name = name.encode()
    return struct.pack("<BBBB", 1, 8, 64, len(name)) + name + struct.pack("<H", len(info)) + info


def h5_keras(config, new=False, key="model_config", links=(), extra=()):
    """Return a Keras model in HDF5: its configuration, and weights of one layer."""
    file = H5(new)
    kernel = file.dataset(8, extra)
    layer = file.group([("kernel:0", kernel)], [("weight_names", "kernel:0")])
    weights = file.group([("dense", layer)], [("layer_names", "dense"), ("backend", "tensorflow")])
    attributes = [("keras_version", "2.15.0"), ("backend", "tensorflow")]
    if config is not None:
        text = config if isinstance(config, (str, bytes)) else json.dumps(config)
        attributes.append((key, text))
    return file.file(file.group([("model_weights", weights)], attributes, links))


def h5_weights(new=False):
    """Return the weights of a Keras 3 model."""
    file = H5(new)
    layer = file.group([("0", file.dataset(8)), ("1", file.dataset(2))])
    layers = file.group([("dense", file.group([("vars", layer)]))])
    return file.file(file.group([("layers", layers)]))


# ------------------------------------------------------------------ Keras

# Base64 of the marshalled code of `lambda x: x`, as Keras 2 stores it.
LAMBDA = (
    "4wEAAAAAAAAAAAAAAAEAAAADAAAA8wYAAACXAHwAUwApAU6pACkB2gF4cwEAAAAg+gc8c3RkaW4++gg8bGFtYmRhPnIFAAAABgAA"
    "AHMGAAAAgACocYAA8wAAAAA=\n"
)


def layer(kind, module="keras.layers", registered=None, /, **config):
    """Return a layer's part of a configuration."""
    config = {"name": kind.lower(), "trainable": True, **config}
    return {"module": module, "class_name": kind, "config": config, "registered_name": registered}


def keras_config(*layers, kind="Sequential"):
    """Return a model's configuration."""
    return {
        "module": "keras",
        "class_name": kind,
        "config": {"name": "model", "trainable": True, "layers": list(layers)},
        "registered_name": None,
        "build_config": {"input_shape": [None, 4]},
        "compile_config": {"optimizer": "adam", "loss": "mse"},
    }


def keras(config, weights=None, extra=None, deflated=False):
    """Return a `.keras` archive."""
    members = {
        "metadata.json": json.dumps({"keras_version": "3.3.3", "date_saved": "2024-05-01@00:00:00"}),
        "config.json": config if isinstance(config, (str, bytes)) else json.dumps(config),
        "model.weights.h5": h5_weights() if weights is None else weights,
    }
    return zipped({**members, **(extra or {})}, deflated)


DENSE = layer("Dense", units=4, activation="relu", dtype={"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None})
INPUT = layer("InputLayer", batch_shape=[None, 4], dtype="float32")


# ------------------------------------------------------------------ TFLite


class Flat:
    """A flatbuffer in the making, written front to back."""

    def __init__(self):
        self.out = bytearray(b"\0\0\0\0TFL3")

    def number(self, number):
        """Write 32 bits, and return their place."""
        self.out += b"\0" * (-len(self.out) % 4)
        at = len(self.out)
        self.out += struct.pack("<I", number & 0xFFFFFFFF)
        return at

    def table(self, *fields):
        """Write a table of 32-bit fields; None is an absent one. Return its place."""
        self.out += b"\0" * (-len(self.out) % 4)
        start = len(self.out)
        self.out += struct.pack("<HH", 4 + 2 * len(fields), 4 + 4 * len(fields))
        for number, field in enumerate(fields):
            self.out += struct.pack("<H", 0 if field is None else 4 + 4 * number)
        self.out += b"\0" * (-len(self.out) % 4)
        at = len(self.out)
        self.number(at - start)
        for field in fields:
            self.number(field or 0)
        return at

    def point(self, place):
        """Point the offset at `place` to what is written next."""
        self.out += b"\0" * (-len(self.out) % 4)
        self.out[place : place + 4] = struct.pack("<I", len(self.out) - place)

    def to(self, place, target):
        """Point the offset at `place` to `target`."""
        self.out[place : place + 4] = struct.pack("<I", target - place)

    def vector(self, items):
        """Write a vector of numbers."""
        self.number(len(items))
        return [self.number(item) for item in items]

    def text(self, text):
        """Write a text."""
        self.number(len(text))
        self.out += text.encode() + b"\0"


def tflite(custom=(), builtin=9, tensor_buffer=1, code=0):
    """Return a TFLite model of one operator; `custom` names operators of no common set."""
    flat = Flat()
    root = flat.table(3, 0, 0, None, 0)
    flat.out[:4] = struct.pack("<I", root)
    flat.point(root + 8)
    names = [None, *custom]
    for place, name in zip(flat.vector([0] * len(names)), names):
        if name is None:
            flat.to(place, flat.table(builtin))
        else:
            at = flat.table(32, 0)
            flat.to(place, at)
            flat.point(at + 8)
            flat.text(name)
    flat.point(root + 12)
    [graph_place] = flat.vector([0])
    graph = flat.table(0, 0, 0, 0)
    flat.to(graph_place, graph)
    flat.point(graph + 4)
    for place in flat.vector([0, 0]):
        at = flat.table(0, 0, tensor_buffer, 0)
        flat.to(place, at)
        flat.point(at + 4)
        flat.vector([1, 4])
        flat.point(at + 16)
        flat.text("t")
    flat.point(graph + 8)
    flat.vector([0])
    flat.point(graph + 12)
    flat.vector([1])
    flat.point(graph + 16)
    [operator_place] = flat.vector([0])
    operator = flat.table(code, 0, 0)
    flat.to(operator_place, operator)
    flat.point(operator + 8)
    flat.vector([0])
    flat.point(operator + 12)
    flat.vector([1])
    flat.point(root + 20)
    for place in flat.vector([0, 0]):
        at = flat.table(0)
        flat.to(place, at)
        flat.point(at + 4)
        flat.number(16)
        flat.out += numbers(16)
    return bytes(flat.out)


# ------------------------------------------------------------------ companions


def png(extra=b"", tail=b""):
    """Return a picture of one pixel; `extra` are whole chunks."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + extra
        + png_chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
        + png_chunk(b"IEND", b"")
        + tail
    )


def png_chunk(kind, body):
    """Return a chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def riff(kind, chunks):
    """Return a RIFF file of (name, bytes)."""
    body = b"".join(name + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for name, c in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + kind + body


def jpeg(tail=b""):
    """Return the frame of a JPEG."""
    segment = lambda kind, body: b"\xff" + bytes([kind]) + struct.pack(">H", len(body) + 2) + body
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
        + segment(0xDB, b"\0" + bytes(range(1, 65)))
        + segment(0xC0, b"\x08\0\x01\0\x01\x01\x01\x11\0")
        + segment(0xC4, b"\0" + bytes([0, 1] + [0] * 14) + b"\0")
        + segment(0xDA, b"\x01\x01\0\0\x3f\0")
        + b"\x7f\xa0"
        + b"\xff\xd9"
        + tail
    )


def mp4():
    """Return the boxes of an MP4."""
    box = lambda kind, body: struct.pack(">I", 8 + len(body)) + kind + body
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + box(b"free", b"") + box(b"mdat", b"\0" * 64) + box(b"moov", box(b"mvhd", b"\0" * 100))


def flac():
    """Return the head of a FLAC and a frame."""
    return b"fLaC" + b"\x80\0\0\x22" + b"\x10\0\x10\0" + b"\0" * 30 + b"\xff\xf8\xc9\x18" + b"\0" * 40


def ogg():
    """Return one page of Ogg."""
    return b"OggS\0\x02" + b"\0" * 20 + b"\x01\x1e" + b"\x01vorbis" + b"\0" * 23


def mp3():
    """Return a tag and frames of MP3."""
    frame = b"\xff\xfb\x90\x00" + b"\0" * 413
    return b"ID3\x03\0\0\0\0\0\x0a" + b"\0" * 10 + frame * 5


def font():
    """Return the tables of a TrueType font."""
    tables = {b"cmap": b"\0" * 12, b"glyf": b"\0" * 16, b"head": b"\0\1\0\0" + b"\0" * 50, b"name": b"\0" * 8}
    head = b"\0\1\0\0" + struct.pack(">HHHH", len(tables), 64, 2, 0)
    at, directory, data = len(head) + 16 * len(tables), b"", b""
    for name, body in sorted(tables.items()):
        directory += name + struct.pack(">III", 0, at + len(data), len(body))
        data += body + b"\0" * (-len(body) % 4)
    return head + directory + data


def msgpack(value):
    """Return MessagePack of dictionaries, lists, texts, bytes and small numbers."""
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(msgpack(k) + msgpack(v) for k, v in value.items())
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(msgpack, value))
    if isinstance(value, str):
        return bytes([0xA0 | len(value)]) + value.encode()
    if isinstance(value, bytes):
        return b"\xc4" + bytes([len(value)]) + value
    if isinstance(value, tuple):
        return b"\xc7" + bytes([len(value[1]), value[0]]) + value[1]
    return bytes([value]) if value is not None else b"\xc0"


def b64(text):
    """Return Base64."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()
