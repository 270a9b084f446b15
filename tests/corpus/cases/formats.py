"""Model files that hold data by design, and the inert files beside them."""

import gzip
import io
import json
import sqlite3
import struct
import tarfile
import zlib

from structures import *


def safetensors_cases():
    one = lambda dtype, size: {"a": {"dtype": dtype, "shape": [8], "data_offsets": [0, size]}}
    entry = lambda shape, begin, end, dtype="U8": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    widths = {
        "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E8M0": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E4M3FNUZ": 8,
        "F8_E5M2FNUZ": 8, "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
        "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64,
    }
    every, at = {"__metadata__": {"format": "pt", "note": "{{ not a template }} __class__"}}, 0
    for name, bits in widths.items():
        every[name.lower()] = entry([2, 8], at, at + 2 * bits, name)
        at += 2 * bits
    many = {f"model.layers.{n}.mlp.weight": entry([4], 4 * n, 4 * n + 4) for n in range(2000)}
    deep = b'{"__metadata__":{"a":"b"},"a":{"dtype":"U8","shape":' + b"[" * 5000 + b"]" * 5000 + b',"data_offsets":[0,0]}}'
    return {
        "benign/safetensors/every_dtype.safetensors": safetensors(every, bytes(at)),
        "benign/safetensors/no_tensors.safetensors": safetensors({}),
        "benign/safetensors/metadata_only.safetensors": safetensors({"__metadata__": {"format": "pt"}}),
        # Lengths whose bytes are the magic of other formats: pickles, a font, an icon.
        **{
            f"benign/safetensors/header_of_{length}.safetensors": safetensors(
                json.dumps({"a": entry([4], 0, 4)}).encode().ljust(length), bytes(4)
            )
            for length in (128, 256, 512, 640, 1802, 65536)
        },
        "benign/safetensors/padded_header.safetensors": safetensors({"a": entry([4], 0, 4)}, bytes(4), pad=37),
        "benign/safetensors/scalar_and_empty.safetensors": safetensors(
            {"scalar": entry([], 0, 4, "F32"), "empty": entry([0, 7], 4, 4), "after": entry([4], 4, 8)}, bytes(8)
        ),
        "benign/safetensors/many.safetensors": safetensors(many, bytes(8000)),
        "benign/safetensors/unordered.safetensors": safetensors(
            {"b": entry([4], 4, 8), "a": entry([4], 0, 4)}, bytes(8)
        ),
        "benign/safetensors/unicode_names.safetensors": safetensors(
            {"модель.вес": entry([4], 0, 4), "a/b:c d": entry([4], 4, 8)}, bytes(8)
        ),
        "benign/safetensors/lora.safetensors": tensors((4, 8), (8, 4)),
        "benign/safetensors/sharded": {
            "model-00001-of-00002.safetensors": tensors((8, 8)),
            "model-00002-of-00002.safetensors": tensors((8, 8), (8,)),
            "model.safetensors.index.json": json.dumps(
                {"metadata": {"total_size": 544}, "weight_map": {"layer.0.weight": "model-00001-of-00002.safetensors"}}
            ).encode(),
            "config.json": b'{"model_type": "llama"}',
        },
        "malformed/safetensors/empty_file.safetensors": b"\x02\0\0\0\0\0\0\0",
        "malformed/safetensors/header_cut.safetensors": tensors((8, 8))[:60],
        "malformed/safetensors/data_cut.safetensors": tensors((8, 8))[:-9],
        "malformed/safetensors/length_max.safetensors": safetensors({}, length=2**64 - 1),
        "malformed/safetensors/length_over_limit.safetensors": safetensors({}, length=100_000_001),
        "malformed/safetensors/not_json.safetensors": safetensors(b'{"a": }'),
        "malformed/safetensors/two_values.safetensors": safetensors(b'{}{"a":1}'),
        "malformed/safetensors/hole.safetensors": safetensors(
            {"a": entry([4], 0, 4), "b": entry([4], 8, 12)}, bytes(12)
        ),
        "malformed/safetensors/starts_late.safetensors": safetensors({"a": entry([4], 4, 8)}, bytes(8)),
        "malformed/safetensors/trailing.safetensors": safetensors({"a": entry([4], 0, 4)}, bytes(9)),
        "malformed/safetensors/begin_after_end.safetensors": safetensors({"a": entry([4], 8, 4)}, bytes(8)),
        "malformed/safetensors/offset_max.safetensors": safetensors(
            {"a": entry([4], 2**64 - 5, 2**64 - 1)}, bytes(8)
        ),
        "malformed/safetensors/negative_offset.safetensors": safetensors({"a": entry([4], -4, 0)}, bytes(8)),
        "malformed/safetensors/float_offset.safetensors": safetensors({"a": entry([4], 0.0, 4.0)}, bytes(4)),
        "malformed/safetensors/unknown_dtype.safetensors": safetensors(one("F128", 128), bytes(128)),
        "malformed/safetensors/wrong_size.safetensors": safetensors(one("F32", 8), bytes(8)),
        "malformed/safetensors/half_byte.safetensors": safetensors({"a": entry([3], 0, 2, "F4")}, bytes(2)),
        "malformed/safetensors/duplicate_metadata.safetensors": safetensors(
            b'{"__metadata__":{"a":"b"},"__metadata__":{"a":"c"}}'
        ),
        "malformed/safetensors/duplicate_escaped.safetensors": safetensors(
            b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}',
            bytes(2),
        ),
        "malformed/safetensors/duplicate_field.safetensors": safetensors(
            b'{"a":{"dtype":"U8","dtype":"F64","shape":[1],"data_offsets":[0,1]}}', bytes(1)
        ),
        "malformed/safetensors/metadata_number.safetensors": safetensors({"__metadata__": {"a": 1}}),
        "malformed/safetensors/deep_shape.safetensors": safetensors(deep),
        "malformed/safetensors/overlap_many.safetensors": safetensors(
            {f"t{n}": entry([100], n, n + 100) for n in range(3000)}, bytes(3099)
        ),
        "malicious/safetensors/zip_inside.safetensors": safetensors(
            {"a": entry([len(PYTHON_ZIP)], 0, len(PYTHON_ZIP))}, PYTHON_ZIP
        ),
        "malicious/safetensors/zip_after.safetensors": tensors((4,)) + PYTHON_ZIP,
    }


# What Python's import, or a loader that looks for zip, finds at a file's end.
PYTHON_ZIP = zipped({"__main__.py": b"import os; os.system('echo hi')\n"})


def gguf_cases():
    # Type: elements in a block, bytes of a block. As of November 2026.
    kinds = {
        0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 
        10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
        16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
        23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
        34: (256, 54), 35: (256, 66), 39: (32, 17),
    }
    every = [(f"t{kind}.weight", [256, 2], kind, bytes(512 // block * size)) for kind, (block, size) in kinds.items()]
    values = [
        ("v.u8", U8, 200), ("v.i8", I8, -3), ("v.u16", U16, 60000), ("v.i16", I16, -300), ("v.u32", U32, 2**31),
        ("v.i32", I32, -5), ("v.f32", F32, 1.5), ("v.bool", BOOL, 1), ("v.str", STR, "text with {{ braces"),
        ("v.u64", U64, 2**60), ("v.i64", I64, -(2**60)), ("v.f64", F64, 2.5), ("v.empty", ARR, (U32, [])),
        ("v.bools", ARR, (BOOL, [0, 1, 1])), ("v.longs", ARR, (I64, [1, -2])), ("v.texts", ARR, (STR, ["", "a", "é"])),
    ]
    weight = ("token_embd.weight", [8, 6], 0, numbers(192))
    f32 = lambda dims, offset=0, kind=0, name="t": gg_text(name) + struct.pack("<I", len(dims)) + b"".join(
        struct.pack("<Q", d) for d in dims
    ) + struct.pack("<IQ", kind, offset)

    def raw(entries, data=bytes(64), keys=(), count=None):
        head = gguf(keys, counts=(len(entries) if count is None else count, None))
        head += b"".join(entries)
        return head + b"\0" * (-len(head) % 32) + data

    split = [("split.no", U16, 0), ("split.count", U16, 2), ("split.tensors.count", I32, 2)]
    shuffled = gguf(gg_llama(), [weight])
    nested = struct.pack("<IQ", ARR, 1) * 2000 + struct.pack("<IQ", U8, 0)
    key = lambda name, kind: gg_text(name) + struct.pack("<I", kind)
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    return {
        "benign/gguf/every_type.gguf": gguf(gg_llama(), every),
        "benign/gguf/every_value.gguf": gguf(gg_llama(extra=values), [weight]),
        "benign/gguf/vocab_only.gguf": gguf(gg_llama(tokens=500)),
        "benign/gguf/v2.gguf": gguf(gg_llama(), [weight], version=2),
        "benign/gguf/aligned_64.gguf": gguf(
            gg_llama(extra=[("general.alignment", U32, 64)]), [weight, ("b", [3], 0, bytes(12))], align=64
        ),
        "benign/gguf/scalar.gguf": gguf(gg_llama(), [("one", [1], 0, bytes(4)), weight]),
        "benign/gguf/unpadded_end.gguf": gguf(gg_llama(), [("b", [3], 0, bytes(12))])[:-20],
        "benign/gguf/split": {
            "m-00001-of-00002.gguf": gguf(gg_llama(extra=split), [weight]),
            "m-00002-of-00002.gguf": gguf([("split.no", U16, 1), *split[1:]], [weight]),
        },
        "benign/gguf/big_endian.gguf": gguf(gg_llama(), [("w", [8], 0, bytes(32))], end=">"),
        "benign/gguf/mmproj.gguf": gguf(
            [("general.architecture", STR, "clip"), ("clip.has_vision_encoder", BOOL, 1),
             ("clip.vision.image_mean", ARR, (F32, [0.5, 0.5, 0.5]))],
            [("v.patch_embd.weight", [14, 14, 3, 2], 1, bytes(14 * 14 * 6 * 2))],
        ),
        "benign/gguf/imatrix.gguf": gguf(
            [("general.type", STR, "imatrix"), ("imatrix.datasets", ARR, (STR, ["wiki.txt"]))],
            [("blk.0.in_sum2", [8, 1], 0, numbers(32)), ("blk.0.counts", [1, 1], 0, numbers(4))],
        ),
        "malformed/gguf/cut_head.gguf": gguf(gg_llama(), [weight])[:15],
        "malformed/gguf/cut_keys.gguf": gguf(gg_llama(), [weight])[:200],
        "malformed/gguf/cut_data.gguf": shuffled[:-64],
        "malformed/gguf/tensor_count.gguf": gguf(gg_llama(), [weight], counts=(2**62, None)),
        "malformed/gguf/key_count_short.gguf": gguf(gg_llama(), [weight], counts=(None, 3)),
        "malformed/gguf/array_count.gguf": head + key("a", ARR) + struct.pack("<IQ", U32, 2**62),
        "malformed/gguf/array_product.gguf": head + key("a", ARR) + struct.pack("<IQ", U64, 2**61 + 1) + bytes(64),
        "malformed/gguf/texts_count.gguf": head + key("a", ARR) + struct.pack("<IQ", STR, 2**40) + bytes(64),
        "malformed/gguf/array_of_arrays.gguf": head + key("a", ARR) + nested,
        "malformed/gguf/value_type.gguf": head + key("a", 77) + bytes(64),
        "malformed/gguf/bool_value.gguf": head + key("a", BOOL) + b"\x07",
        "malformed/gguf/key_length.gguf": head + struct.pack("<Q", 2**63) + bytes(64),
        "malformed/gguf/alignment_odd.gguf": gguf([("general.alignment", U32, 3)], [weight]),
        "malformed/gguf/alignment_huge.gguf": gguf([("general.alignment", U32, 2**31)], [weight]),
        "malformed/gguf/alignment_text.gguf": gguf([("general.alignment", STR, "32")], [weight]),
        "malformed/gguf/dimensions.gguf": raw([f32([2**32, 2**32, 2])]),
        "malformed/gguf/dimension_count.gguf": raw([f32([1, 1, 1, 1, 1])]),
        "malformed/gguf/zero_wrap.gguf": raw([f32([2**63, 2])]),
        "malformed/gguf/offset_past_end.gguf": raw([f32([4], 2**40)]),
        "malformed/gguf/offset_wrap.gguf": raw([f32([4], 2**64 - 32)]),
        "malformed/gguf/offset_odd.gguf": raw([f32([4], 7)]),
        "malformed/gguf/overlap.gguf": raw([f32([8]), f32([8], name="u")], bytes(64)),
        "malformed/gguf/name_twice.gguf": raw([f32([8]), f32([8], 32)], bytes(64)),
        "malformed/gguf/key_twice.gguf": gguf([("a", U8, 1), ("a", U8, 2)], [weight]),
        "malformed/gguf/tensor_type.gguf": raw([f32([8], kind=199)]),
        "malformed/gguf/removed_type.gguf": raw([f32([32], kind=4)]),
        "malformed/gguf/block_rest.gguf": raw([f32([33], kind=8)]),
        "malformed/gguf/trailing.gguf": gguf(gg_llama(), [weight], tail=bytes(5000)),
        "malformed/gguf/version_9.gguf": gguf(gg_llama(), [weight], version=9),
        "malformed/gguf/magic_alone.gguf": b"GGUF",
        "malicious/gguf/zip_after.gguf": gguf(gg_llama(), [weight], tail=PYTHON_ZIP),
    }


def onnx_cases():
    weight = onnx_tensor("w", [2, 2], numbers(16))
    outside = lambda path, **more: onnx_tensor("w", [2, 2], external=[("location", path), *more.items()])
    graph = lambda **parts: pb(1, "body") + pb(20, 5) + pb(6, onnx_graph(**parts))
    constant = lambda tensor: pb(1, "value") + pb(20, 4) + pb(5, tensor)
    branch = onnx_node("If", attributes=[graph(initializers=[outside("../../secret")])])
    nested = onnx_graph(nodes=[branch])
    for _ in range(6):
        nested = onnx_graph(nodes=[onnx_node("Loop", attributes=[pb(1, "body") + pb(20, 5) + pb(6, nested)])])
    function = lambda nodes: pb(25, pb(1, "F") + pb(4, "x") + pb(5, "y") + b"".join(pb(7, n) for n in nodes) + pb(10, "local"))
    sparse = lambda tensor: pb(1, tensor) + pb(2, onnx_tensor("i", [1], bytes(8), kind=7)) + pb(3, 4)
    kinds = [(1, 4), (2, 1), (3, 1), (4, 2), (5, 2), (6, 4), (7, 8), (9, 1), (10, 2), (11, 8), (12, 4), (13, 8), (14, 8), (15, 16), (16, 2), (17, 1), (18, 1), (19, 1), (20, 1)]
    typed = [onnx_tensor(f"t{k}", [4], bytes(4 * width), kind=k) for k, width in kinds]
    typed += [onnx_tensor(f"t{k}", [4], bytes(2), kind=k) for k in (21, 22, 23)]
    typed.append(pb(1, 2) + pb(2, 8) + pb(6, "text") + pb(6, "more") + pb(8, "words"))
    typed.append(pb(1, 2) + pb(2, 1) + pb(4, struct.pack("<ff", 1, 2)) + pb(8, "floats"))
    deep = pb(6, onnx_graph())
    for _ in range(400):
        deep = pb(6, onnx_graph(nodes=[onnx_node("If", attributes=[pb(1, "b") + pb(20, 5) + deep])]))
    model = onnx([onnx_node("MatMul")], [weight])
    return {
        "benign/onnx/every_dtype.onnx": onnx([onnx_node("Identity")], typed),
        "benign/onnx/contrib.onnx": onnx(
            [onnx_node("SkipLayerNormalization", "com.microsoft"), onnx_node("ZipMap", "ai.onnx.ml"),
             onnx_node("MatMulNBits", "com.microsoft"), onnx_node("NhwcConv", "com.microsoft.nchwc")],
            [weight], ("", "com.microsoft", "ai.onnx.ml"),
        ),
        "benign/onnx/external": {
            "model.onnx": onnx([onnx_node("MatMul")], [outside("model.onnx_data", offset="0", length="16")]),
            "model.onnx_data": numbers(4096),
        },
        "benign/onnx/external_half": {
            "onnx/model_fp16.onnx": onnx([onnx_node("MatMul")], [outside("model_fp16.onnx_data")]),
            "onnx/model_fp16.onnx_data": b"".join(
                struct.pack("<e", ((n * 7919) % 1999 - 999) / 9973) for n in range(4096)
            ),
        },
        "benign/onnx/external_folder": {
            "model.onnx": onnx([onnx_node("MatMul")], [outside("weights/w.bin")]),
            "weights/w.bin": numbers(4096),
        },
        "benign/onnx/subgraph.onnx": onnx(
            [onnx_node("If", attributes=[graph(nodes=[onnx_node("Add")], initializers=[weight])])], [weight]
        ),
        "benign/onnx/function.onnx": onnx(
            [onnx_node("F", "local")], [weight], ("", "local"), function([onnx_node("Add")])
        ),
        "benign/onnx/training.onnx": onnx(
            [onnx_node("MatMul")], [weight], extra=pb(20, pb(1, onnx_graph([onnx_node("Gradient", "ai.onnx.preview.training")])))
        ),
        "benign/onnx/metadata.onnx": onnx(
            [onnx_node("MatMul")], [weight], extra=pb(14, pb(1, "names") + pb(2, "{0: 'os.system', 1: '../x'}"))
        ),
        "benign/onnx/constant.onnx": onnx([onnx_node("Constant", attributes=[constant(weight)])]),
        "benign/onnx/sparse.onnx": onnx([onnx_node("MatMul")], sparse=[sparse(onnx_tensor("v", [1], bytes(4)))]),
        "benign/onnx/custom_domain.onnx": onnx([onnx_node("Fused", "com.example")], [weight], ("", "com.example")),
        "benign/onnx/old_ir.onnx": onnx([onnx_node("Gemm")], [weight], version=3),
        "malicious/onnx/parent.onnx": onnx([onnx_node("MatMul")], [outside("../../../etc/passwd")]),
        "malicious/onnx/parent_inside.onnx": onnx([onnx_node("MatMul")], [outside("a/../../b")]),
        "malicious/onnx/absolute.onnx": onnx([onnx_node("MatMul")], [outside("/etc/passwd")]),
        "malicious/onnx/backslash.onnx": onnx([onnx_node("MatMul")], [outside("..\\..\\secret")]),
        "malicious/onnx/drive.onnx": onnx([onnx_node("MatMul")], [outside("C:\\Users\\x")]),
        "malicious/onnx/unc.onnx": onnx([onnx_node("MatMul")], [outside("\\\\server\\share")]),
        "malicious/onnx/url.onnx": onnx([onnx_node("MatMul")], [outside("file:///etc/passwd")]),
        "malicious/onnx/zero.onnx": onnx([onnx_node("MatMul")], [outside("w.bin\0/../../x")]),
        "malicious/onnx/location_twice.onnx": onnx(
            [onnx_node("MatMul")],
            [onnx_tensor("w", [4], external=[("location", "w.bin"), ("location", "../x")])],
        ),
        "malicious/onnx/in_subgraph.onnx": onnx([onnx_node("If", attributes=[graph(initializers=[outside("../x")])])]),
        "malicious/onnx/in_nested.onnx": onnx(extra=pb(7, nested)),
        "malicious/onnx/in_constant.onnx": onnx([onnx_node("Constant", attributes=[constant(outside("/x"))])]),
        "malicious/onnx/in_tensors.onnx": onnx(
            [onnx_node("X", attributes=[pb(1, "t") + pb(20, 9) + pb(10, weight) + pb(10, outside("../x"))])]
        ),
        "malicious/onnx/in_sparse.onnx": onnx([onnx_node("MatMul")], sparse=[sparse(outside("../x"))]),
        "malicious/onnx/in_sparse_attribute.onnx": onnx(
            [onnx_node("Constant", attributes=[pb(1, "v") + pb(20, 11) + pb(22, sparse(outside("../x")))])]
        ),
        "malicious/onnx/in_function.onnx": onnx(
            [onnx_node("F", "local")], (), ("", "local"),
            function([onnx_node("Constant", attributes=[constant(outside("../x"))])]),
        ),
        "malicious/onnx/in_training.onnx": onnx(extra=pb(20, pb(2, onnx_graph(initializers=[outside("../x")])))),
        "malicious/onnx/second_graph.onnx": model + pb(7, onnx_graph(initializers=[outside("../x")])),
        "malicious/onnx/pyop.onnx": onnx([onnx_node("PyOp", "ai.onnx.contrib")], [weight], ("", "ai.onnx.contrib")),
        "malicious/onnx/pyop_pyops.onnx": onnx([onnx_node("PyOp", "pyopmulti")], [weight], ("", "pyopmulti")),
        "malicious/onnx/python_op.onnx": onnx([onnx_node("PythonOp", "com.microsoft")], [weight], ("", "com.microsoft")),
        "malicious/onnx/pyop_in_function.onnx": onnx(
            [onnx_node("F", "local")], (), ("", "local"), function([onnx_node("PyCustomOpDef_a", "ai.onnx.contrib"), onnx_node("PyOp", "ai.onnx.contrib")])
        ),
        "malicious/onnx/zip_after.onnx": model + pb(6, "doc" + "x" * 50) + pb(14, pb(1, "k") + pb(2, PYTHON_ZIP)),
        "malformed/onnx/cut.onnx": model[:-30],
        "malformed/onnx/wire_kind.onnx": model + b"\x3f\x01",
        "malformed/onnx/long_number.onnx": onnx(extra=b"\x28" + b"\xff" * 11),
        "malformed/onnx/raw_size.onnx": onnx([onnx_node("MatMul")], [onnx_tensor("w", [2, 2], numbers(12))]),
        "malformed/onnx/shape_overflow.onnx": onnx([onnx_node("MatMul")], [onnx_tensor("w", [2**62, 16], numbers(12))]),
        "malformed/onnx/external_offset.onnx": onnx([onnx_node("MatMul")], [outside("w.bin", offset="-5")]),
        "malformed/onnx/deep.onnx": onnx([onnx_node("If", attributes=[pb(1, "b") + pb(20, 5) + deep])]),
        "malformed/onnx/length_wrap.onnx": onnx(extra=b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    }


def tensorflow_cases():
    folder = lambda model, **more: {
        "saved_model.pb": model,
        "variables/variables.index": checkpoint_index(),
        "variables/variables.data-00000-of-00001": numbers(64),
        **{name.replace("__", "/"): content for name, content in more.items()},
    }
    node = tf_node
    ordinary = saved_model(TF_ORDINARY, [("__inference_serve_1", [node("y", "MatMul"), node("r", "ReadVariableOp")])])
    bad = {
        "py_func": node("f", "PyFunc", [("token", pb(2, "pyfunc_0"))]),
        "py_func_stateless": node("f", "PyFuncStateless"),
        "eager_py_func": node("f", "EagerPyFunc"),
        "read_file": node("r", "ReadFile"),
        "write_file": node("w", "WriteFile"),
        "matching_files": node("m", "MatchingFiles"),
        "print_to_file": node("p", "PrintV2", [("output_stream", pb(2, "file:///tmp/x"))]),
        "debug_identity": node("d", "DebugIdentityV2", [("debug_urls", pb(1, pb(2, "file:///tmp/x")))]),
        "debug_nan_count": node("d", "DebugNanCount"),
        "immutable_const": node("i", "ImmutableConst", [("memory_region_name", pb(2, "/etc/passwd"))]),
        "save_dataset": node("s", "SaveDatasetV2"),
        "summary_writer": node("s", "CreateSummaryFileWriter"),
        "sql": node("s", "SqlDataset"),
        "save_slices": node("s", "SaveSlices"),
        "save_v1": node("s", "Save"),
    }
    cases = {
        f"malicious/tensorflow/{name}": folder(saved_model([*TF_ORDINARY, bad[name]])) for name in list(bad)[:13]
    }
    cases |= {
        f"malicious/tensorflow/function_{name}": folder(saved_model(TF_ORDINARY, [("f", [node("a", "Add")]), ("g", [bad[name]])]))
        for name in ("read_file", "write_file", "py_func", "print_to_file")
    }
    text = lambda inner: (
        'saved_model_schema_version: 1\nmeta_graphs {\n  meta_info_def {\n    tags: "serve"\n  }\n  graph_def {\n'
        + "".join(f'    node {{\n      name: "{n}"\n      op: "{kind}"\n    }}\n' for n, kind in inner)
        + "  }\n}\n"
    ).encode()
    return cases | {
        "malicious/tensorflow/meta.meta": meta_graph([node("x", "Placeholder"), bad["read_file"]]),
        "malicious/tensorflow/text_lines": folder(saved_model([*TF_ORDINARY, node("d", "TextLineDataset")])),
        "malicious/tensorflow/graph_alone.pb": tf_graph([node("x", "Placeholder"), bad["read_file"]]),
        "malicious/tensorflow/text": {"saved_model.pbtxt": text([("x", "Placeholder"), ("r", "ReadFile")])},
        "malicious/tensorflow/text_py.pbtxt": text([("x", "Placeholder"), ("f", "PyFunc")]),
        "malicious/tensorflow/second_meta_graph": folder(ordinary + pb(2, pb(2, tf_graph([bad["write_file"]])))),
        "malicious/tensorflow/keras_metadata": folder(
            ordinary, **{"keras_metadata.pb": keras_metadata(keras_config(layer("Lambda", function=[LAMBDA, None, None])))}
        ),
        "benign/tensorflow/saved": folder(
            ordinary,
            **{"fingerprint.pb": pb(1, 2**63 + 5) + pb(2, 2**62) + pb(3, 99) + pb(4, 12345) + pb(5, 2**61) + pb(6, pb(1, 1)),
               "keras_metadata.pb": keras_metadata(keras_config(INPUT, DENSE)),
               "assets__vocab.txt": b"the\na\n"},
        ),
        "benign/tensorflow/graph_alone.pb": tf_graph(TF_ORDINARY),
        "benign/tensorflow/text": {"saved_model.pbtxt": text([("x", "Placeholder"), ("y", "MatMul")])},
        "benign/tensorflow/checkpoint": {
            "checkpoint": b'model_checkpoint_path: "model.ckpt-10"\n',
            "model.ckpt-10.index": checkpoint_index(),
            "model.ckpt-10.meta": meta_graph(TF_ORDINARY),
            "model.ckpt-10.data-00000-of-00001": numbers(4096),
        },
        "benign/tensorflow/events": {
            "saved_model.pb": ordinary,
            "runs/events.out.tfevents.1700000000.host.1.0": tf_record(struct.pack("<Bd", 9, 1.7e9) + pb(3, "brain.Event:2"))
            + tf_record(struct.pack("<Bd", 9, 1.7e9) + pb(2, 5) + pb(5, pb(1, pb(1, "loss") + pb(2, 0.5)))),
        },
        "malformed/tensorflow/cut": {"saved_model.pb": ordinary[:-40]},
        "malformed/tensorflow/no_graph.pb": pb(1, 1) + pb(2, pb(1, "x")) + b"\x12",
    }


def meta_graph(nodes):
    """Return the meta graph that checkpoints of TensorFlow 1 have."""
    operators = b"".join(pb(1, pb(1, name)) for name in ("MatMul", "Placeholder"))
    return pb(1, pb(2, operators) + pb(5, "1.15.0")) + pb(2, tf_graph(nodes)) + pb(3, pb(1, "save/Const"))


def keras_metadata(config):
    """Return the keras_metadata.pb that TensorFlow 2.5 to 2.15 write."""
    nodes = b""
    for number, text in enumerate([config, {"class_name": "Dense", "name": "dense", "config": {"name": "dense"}}]):
        about = pb(2, number) + pb(3, f"root.layer-{number}") + pb(4, "_tf_keras_layer") + pb(5, json.dumps(text))
        nodes += pb(1, about + pb(6, pb(1, 2) + pb(2, 1)))
    return nodes


def checkpoint_index():
    """Return the table of a TensorFlow checkpoint: one block, its index, the footer."""
    block = b"\0\0\x06" + pb(1, 1) + pb(3, pb(1, 1)) + struct.pack("<II", 0, 1)
    block += b"\0" + struct.pack("<I", zlib.crc32(block))
    meta = struct.pack("<II", 0, 1)
    at = len(block)
    block += meta + b"\0" + bytes(4)
    handle = varint(at) + varint(8) + varint(0) + varint(at - 5)
    return block + handle + b"\0" * (40 - len(handle)) + struct.pack("<Q", 0xDB4775248B80FB57)


def tf_record(body):
    """Return a record of TensorFlow's log; sums are not checked by most readers."""
    head = struct.pack("<Q", len(body))
    return head + masked_crc(head) + body + masked_crc(body)


def masked_crc(data):
    """Return CRC-32C, masked as TensorFlow does."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def tflite_cases():
    return {
        "benign/tflite/add.tflite": tflite(),
        "benign/tflite/metadata.tflite": zipped({"labels.txt": b"cat\ndog\n", "vocab.txt": b"a\n"}, before=tflite()),
        "benign/tflite/detection.tflite": tflite(["TFLite_Detection_PostProcess"], code=1),
        "benign/tflite/flex.tflite": tflite(["FlexErf"], code=1),
        "malicious/tflite/flex_read_file.tflite": tflite(["FlexReadFile"], code=1),
        "malicious/tflite/flex_write_file.tflite": tflite(["FlexWriteFile"], code=1),
        "malicious/tflite/flex_py_func.tflite": tflite(["FlexPyFunc"], code=1),
        "malicious/tflite/flex_eager_py_func.tflite": tflite(["FlexAdd", "FlexEagerPyFunc"], code=2),
        "malicious/tflite/zip_of_python.tflite": tflite() + PYTHON_ZIP,
        "malformed/tflite/cut.tflite": tflite()[:60],
        "malformed/tflite/root_outside.tflite": b"\xff\xff\xff\x7fTFL3" + bytes(64),
        "malformed/tflite/buffer_outside.tflite": tflite(tensor_buffer=99),
        "malformed/tflite/operator_outside.tflite": tflite(code=7),
        "malformed/tflite/zeros.tflite": b"\x10\0\0\0TFL3" + bytes(64),
    }


def keras_cases():
    lam = layer("Lambda", function={"class_name": "__lambda__", "config": {"code": LAMBDA, "defaults": None, "closure": None}})
    named = layer("Lambda", function={"module": "builtins", "class_name": "function", "config": "double", "registered_name": "function"})
    old = layer("Lambda", function=[LAMBDA, None, None], function_type="lambda", module="__main__")
    function = lambda module, name: {"module": module, "class_name": "function", "config": name, "registered_name": name}
    wrap = lambda inner, kind="TimeDistributed": layer(kind, layer=inner)
    functional = lambda inner: {**layer("Functional", "keras.src.models.functional", layers=[INPUT, inner], input_layers=[["x", 0, 0]]), "inbound_nodes": []}
    custom = layer("Gate", None, "acme>Gate", units=3)
    bad = {
        "lambda": keras_config(INPUT, lam),
        "lambda_old": keras_config(INPUT, old),
        "lambda_named": keras_config(INPUT, named),
        "lambda_time_distributed": keras_config(INPUT, wrap(lam)),
        "lambda_bidirectional": keras_config(INPUT, wrap(lam, "Bidirectional")),
        "lambda_functional": keras_config(functional(functional(lam)), kind="Functional"),
        "lambda_registered": keras_config(INPUT, {**lam, "class_name": "Gate", "registered_name": "Lambda"}),
        "lambda_in_activation": keras_config(INPUT, layer("Dense", units=2, activation={"class_name": "__lambda__", "config": {"code": LAMBDA}})),
        "lambda_in_initializer": keras_config(layer("Dense", kernel_initializer={"class_name": "__lambda__", "config": {"value": LAMBDA}})),
        "lambda_in_compile": {**keras_config(INPUT, DENSE), "compile_config": {"loss": {"class_name": "__lambda__", "config": {"code": LAMBDA}}}},
        "module_os": keras_config(INPUT, {"module": "os", "class_name": "system", "config": {"command": "echo hi"}, "registered_name": "system"}),
        "module_subprocess": keras_config(layer("Popen", "subprocess", args=["echo", "hi"])),
        "module_in_build": {**keras_config(INPUT), "build_config": {"module": "os", "class_name": "system", "config": "echo"}},
        "module_builtins_eval": keras_config(layer("Dense", activation=function("builtins", "eval"))),
        "module_builtins_exec_class": keras_config({"module": "builtins", "class_name": "exec", "config": {"x": "1"}}),
        "module_runpy": keras_config(layer("Activation", activation=function("runpy", "run_path"))),
        "module_foreign": keras_config(layer("Layer", "evil_package.layers")),
        "registered_module": keras_config({"class_name": "os>system", "module": "os", "config": {}, "registered_name": "os>system"}),
        "get_file": keras_config(layer("Lambda2", activation=function("keras.utils", "get_file"))),
        "get_file_layer": keras_config({"module": "keras.utils", "class_name": "get_file", "config": {"origin": "http://127.0.0.1/x", "fname": "x"}}),
        "get_file_src": keras_config(layer("Dense", activation=function("keras.src.utils.file_utils", "get_file"))),
        "extract_archive": keras_config(layer("Dense", activation=function("keras.src.utils.file_utils", "extract_archive"))),
        "load_model": keras_config(layer("Dense", activation=function("keras.models", "load_model"))),
        "unsafe_config": keras_config(layer("Dense", activation=function("keras.config", "enable_unsafe_deserialization"))),
        "unsafe_src": keras_config({"module": "keras.src.saving.serialization_lib", "class_name": "enable_unsafe_deserialization", "config": {}}),
        "torch_module": keras_config(INPUT, layer("TorchModuleWrapper", "keras.src.utils.torch_utils", module={"class_name": "__bytes__", "config": {"value": b64("x")}})),
        "tfsm": keras_config(INPUT, layer("TFSMLayer", filepath="/tmp/evil", call_endpoint="serve")),
        "vocabulary_absolute": keras_config(layer("StringLookup", vocabulary="/etc/passwd")),
        "vocabulary_parent": keras_config(layer("IntegerLookup", vocabulary="../../secret.txt")),
        "vocabulary_url": keras_config(layer("TextVectorization", vocabulary="file:///etc/passwd")),
        "vocabulary_bucket": keras_config(layer("StringLookup", vocabulary="gs://bucket/x")),
        "vocabulary_home": keras_config(layer("StringLookup", vocabulary="~/.ssh/id_rsa")),
    }
    cases = {f"malicious/keras/{name}.keras": keras(config) for name, config in bad.items()}
    h5 = [n for n in bad if n.startswith(("lambda", "module", "get_file", "vocabulary_absolute", "torch"))]
    cases |= {f"malicious/h5/{name}.h5": h5_keras(bad[name], new=index % 2 == 1) for index, name in enumerate(h5)}
    ordinary = keras_config(
        INPUT, DENSE, layer("Dropout", rate=0.5), layer("BatchNormalization"), wrap(DENSE), layer("LSTM", units=3),
        layer("Embedding", input_dim=9, embeddings_initializer={"module": "keras.initializers", "class_name": "RandomUniform", "config": {"minval": -1}, "registered_name": None}),
        layer("TextVectorization", vocabulary=["a", "b", "/etc/passwd"], standardize="lower_and_strip_punctuation"),
        layer("StringLookup", vocabulary=None), layer("Rescaling", scale=0.1), layer("Add", "keras.src.layers.merging.add"),
        layer("Activation", activation="gelu"), layer("Dense", activation=function("keras.activations", "relu")),
        layer("Conv2D", "keras.src.layers.convolutional.conv2d", kernel_regularizer={"module": "keras.regularizers", "class_name": "L2", "config": {"l2": 0.01}, "registered_name": None}),
        layer("MultiHeadAttention", num_heads=2), layer("Operation", "keras.src.ops.numpy"),
    )
    resnet = {"class_name": "Functional", "config": {"name": "resnet", "layers": [{"class_name": "InputLayer", "config": {"name": "x"}, "name": "x", "inbound_nodes": []}, {"class_name": "ZeroPadding2D", "config": {"name": "p", "padding": [[3, 3], [3, 3]]}, "name": "p", "inbound_nodes": [[["x", 0, 0, {}]]]}], "input_layers": [["x", 0, 0]]}}
    links = [h5_external("kernel", "/etc/passwd")]
    external = [(7, struct.pack("<B3xHHQ", 1, 1, 1, 0) + bytes(24))]
    virtual = struct.pack("<BBQI", 4, 3, 0, 0)
    virtual_file = H5()
    virtual_root = virtual_file.file(virtual_file.group([("x", virtual_file.dataset(4, layout=virtual))]))
    loop = H5()
    place = loop.header([(2, struct.pack("<BBQQ", 0, 0, NOWHERE, NOWHERE)), (6, struct.pack("<BBB", 1, 0, 1) + b"a" + struct.pack("<Q", 96))])
    looped = loop.file(place)
    names = {"../../../tmp/x.h5": b"x"}
    return cases | {
        "malicious/keras/config_twice.keras": twice(keras(keras_config(INPUT, DENSE)), keras(bad["lambda"])),
        "malicious/keras/deflated.keras": keras(bad["lambda"], deflated=True),
        "malicious/keras/slip.keras": keras(keras_config(INPUT, DENSE), extra=names),
        "malicious/keras/slip_absolute.keras": keras(keras_config(INPUT, DENSE), extra={"/etc/cron.d/x": b"x"}),
        "malicious/keras/slip_backslash.keras": keras(keras_config(INPUT, DENSE), extra={"assets\\..\\..\\x": b"x"}),
        "malicious/keras/weights_external_link.keras": keras(
            keras_config(INPUT, DENSE), h5_keras(None, links=[h5_external("layers", "../../secret.h5")])
        ),
        "malicious/keras/named_zip.zip": keras(bad["lambda"]),
        "malicious/keras/no_name": keras(bad["module_os"]),
        "malicious/h5/external_link.h5": h5_keras(keras_config(INPUT, DENSE), links=links),
        "malicious/h5/external_link_new.h5": h5_keras(keras_config(INPUT, DENSE), new=True, links=links),
        "malicious/h5/external_storage.h5": h5_keras(keras_config(INPUT, DENSE), extra=external),
        "malicious/h5/virtual.h5": virtual_root,
        "malicious/h5/training_config.h5": h5_keras({"loss": {"class_name": "__lambda__", "config": {"code": LAMBDA}}}, key="training_config"),
        "malicious/h5/named_bin.bin": h5_keras(bad["lambda_old"]),
        "malicious/h5/user_block.h5": bytes(512) + h5_keras(bad["lambda_old"]),
        "malicious/keras/json_beside": {
            "model.json": json.dumps(bad["lambda_old"]).encode(), "model.weights.h5": h5_weights(),
        },
        "malicious/keras/json_nan.json": json.dumps({**bad["lambda_old"], "rate": float("nan"), "top": -float("inf")}).encode(),
        "malicious/keras/config_alone": {
            "config.json": json.dumps(bad["module_os"]).encode(), "metadata.json": b'{"keras_version": "3.3.3"}',
            "model.weights.h5": h5_weights(),
        },
        "benign/keras/ordinary.keras": keras(ordinary),
        "benign/keras/deflated.keras": keras(ordinary, deflated=True),
        "benign/keras/resnet.keras": keras(resnet),
        "benign/keras/assets.keras": keras(ordinary, extra={"assets/vocabulary.txt": b"the\na\n", "assets/layers/string_lookup/vocabulary.txt": b"a\n"}),
        "benign/keras/plain_value_function.keras": keras(keras_config(layer("Dense", activation=function("keras.src.activations.activations", "gelu")))),
        "benign/keras/preset": {
            "config.json": json.dumps(layer("BertBackbone", "keras_hub.src.models.bert.bert_backbone", "keras_hub>BertBackbone", hidden_dim=8)).encode(),
            "metadata.json": b'{"keras_version": "3.8.0", "keras_hub_version": "0.20.0", "parameter_count": 10}',
            "task.json": json.dumps(layer("BertTextClassifier", "keras_hub.src.models.bert.bert_text_classifier", "keras_hub>BertTextClassifier")).encode(),
            "tokenizer.json": json.dumps(layer("BertTokenizer", "keras_hub.src.models.bert.bert_tokenizer", "keras_hub>BertTokenizer")).encode(),
            "assets/tokenizer/vocabulary.txt": b"[PAD]\n[UNK]\n",
            "model.weights.h5": h5_weights(),
        },
        "benign/h5/ordinary.h5": h5_keras(ordinary),
        "benign/h5/ordinary_new.h5": h5_keras(ordinary, new=True),
        "benign/h5/weights.h5": h5_weights(),
        "benign/h5/weights_new.h5": h5_weights(new=True),
        "benign/h5/tf_model.h5": h5_keras(None),
        "benign/h5/json_beside": {"model.json": json.dumps(resnet).encode(), "weights.h5": h5_keras(None)},
        "malformed/h5/cut.h5": h5_keras(ordinary)[:700],
        "malformed/h5/longer.h5": h5_keras(ordinary) + bytes(100),
        "malformed/h5/superblock_9.h5": b"\x89HDF\r\n\x1a\n\x09" + bytes(100),
        "malformed/h5/magic_alone.h5": b"\x89HDF\r\n\x1a\n",
        "malformed/h5/config_no_json.h5": h5_keras('{"class_name": "Sequential", '),
        "malformed/h5/root_outside.h5": H5(True).file(2**40),
        "malformed/h5/root_nowhere.h5": H5().file(96),
        "malformed/keras/config_no_json.keras": keras(b'{"class_name": "Sequential", '),
        "malformed/keras/config_deep.keras": keras(b'{"class_name": "Sequential", "config": ' + b"[" * 20000 + b"]" * 20000 + b"}"),
        "malformed/keras/cut.keras": keras(ordinary)[:-30],
        "benign/h5/loop.h5": looped,
    }


def twice(one, other):
    """Return one archive behind another: readers differ in which they take."""
    return one + other


def npy_cases():
    four = numbers(16)
    return {
        "benign/npy/scalar.npy": npy(four[:4], shape="()"),
        "benign/npy/big_endian.npy": npy(four, "'>f4'"),
        "benign/npy/fortran.npy": npy(four, header="{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }"),
        "benign/npy/texts.npy": npy(bytes(32), "'<U2'"),
        "benign/npy/bytes.npy": npy(bytes(20), "'|S5'"),
        "benign/npy/dates.npy": npy(bytes(32), "'<M8[ns]'"),
        "benign/npy/bools.npy": npy(bytes(4), "'|b1'"),
        "benign/npy/complex.npy": npy(bytes(32), "'<c8'"),
        "benign/npy/structured.npy": npy(bytes(4 * 28), "[('x', '<f4'), ('y', '<i8', (2,)), ('z', [('u', '|u1'), ('v', '|S7')])]"),
        "benign/npy/v2.npy": npy(four, version=2),
        "benign/npy/v3.npy": npy(four, "[('é', '<f4')]", version=3),
        "benign/npy/empty.npy": npy(b"", shape="(0, 4)"),
        "benign/npy/python2.npy": npy(four, shape="(4L,)"),
        "benign/npy/bfloat.npy": npy(bytes(8), "'<V2'"),
        "malformed/npy/cut.npy": npy(four)[:-3],
        "malformed/npy/longer.npy": npy(four) + b"more",
        "malformed/npy/call.npy": npy(four, "__import__('os').system('echo hi')"),
        "malformed/npy/lambda_shape.npy": npy(four, shape="(lambda: 4)()"),
        "malformed/npy/comprehension.npy": npy(four, shape="tuple(4 for _ in [1])"),
        "malformed/npy/deep.npy": npy(four, shape="(" * 3000 + ")" * 3000),
        "malformed/npy/negative.npy": npy(four, shape="(-4,)"),
        "malformed/npy/overflow.npy": npy(four, shape="(9223372036854775807, 9223372036854775807)"),
        "malformed/npy/version_7.npy": npy(four, version=7),
        "malformed/npy/no_header.npy": b"\x93NUMPY",
        "malformed/npy/keys.npy": npy(four, header="{'descr': '<f4', 'shape': (4,), }"),
        "malformed/npy/dtype.npy": npy(four, "'<q99'"),
    }


def polyglot_cases():
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQ", 2, 62, 1, 0x400000) + bytes(32)
    ape = b"MZqFpD='\n" + bytes(200) + gguf(gg_llama())
    gif = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01L\0;"
    pdf = b"%PDF-1.4\n1 0 obj<<>>endobj\nxref\n0 1\ntrailer<<>>\nstartxref\n9\n%%EOF\n"
    # Numbers of the size that weights have, then what an unpickler would not get to.
    late = numbers(8192) + b"cos\nsystem\n(S'echo hi'\ntR."
    scripted = b"".join(b"a=8;b=9;c=1;" for _ in range(400)) + b"\xff\0\xa1\xbe"
    return {
        "malicious/polyglot/llamafile.gguf": ape,
        "malicious/polyglot/llamafile_zip.llamafile": ape + zipped({"model.gguf": gguf(gg_llama()), ".args": b"-m\nmodel.gguf\n"}),
        "malicious/polyglot/elf.safetensors": elf,
        "malicious/polyglot/elf.gguf": elf + gguf(gg_llama()),
        "malicious/polyglot/png_zip.png": png() + PYTHON_ZIP,
        "malicious/polyglot/gif_zip.gif": gif + PYTHON_ZIP,
        "malicious/polyglot/pdf_zip.pdf": pdf + PYTHON_ZIP,
        "malicious/polyglot/numbers_zip.bin": numbers(8192) + PYTHON_ZIP,
        "malicious/polyglot/numbers_h5.bin": numbers(512) + h5_keras(keras_config(layer("Lambda", function=[LAMBDA, None, None]))),
        "malicious/polyglot/safetensors_pickle.safetensors": b"\x80\x02cos\nsystem\nX\x07\0\0\0echo hi\x85R.",
        "malformed/polyglot/gguf_prefix.gguf": b"\0\0\0\0" + elf + gguf(gg_llama()),
        "malformed/polyglot/numbers_late.bin": late,
        "malformed/polyglot/numbers_script.bin": scripted,
        "malformed/polyglot/unknown.bin": bytes((n * 37 + n // 7) % 256 for n in range(5000)),
        "malformed/polyglot/tensorrt.engine": b"ftrt" + bytes((n * 91 + n // 3) % 256 for n in range(3000)),
        "malformed/polyglot/rknn.rknn": b"RKNN\0\0\0\0" + bytes((n * 91 + n // 5) % 256 for n in range(3000)),
    }


def companion_cases():
    rows = lambda: sqlite_file()
    arrow = b"ARROW1\0\0" + b"\xff\xff\xff\xff" + struct.pack("<I", 8) + bytes(8) + struct.pack("<I", 8) + b"ARROW1"
    footer = b"\x15\x02\x19\x2c\x48\x06schema\x15\x02\0"
    parquet = b"PAR1" + bytes(40) + footer + struct.pack("<I", len(footer)) + b"PAR1"
    piece = lambda text, score: pb(1, pb(1, text) + pb(2, score))
    spm = b"".join([piece("<unk>", 0.0), piece("<s>", 0.0), piece("▁the", -3.5)]) + pb(2, pb(1, "in.txt") + pb(4, 3)) + pb(3, pb(1, "nmt_nfkc"))
    flax = msgpack({"params": {"kernel": (1, msgpack([[2, 2], "float32", numbers(16)]))}})
    wav = riff(b"WAVE", [(b"fmt ", struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)), (b"data", bytes(200))])
    webp = riff(b"WEBP", [(b"VP8L", b"\x2f\0\0\0\0\x07\x10\x11\x11\x88\x88\x08")])
    gif = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01L\0;"
    pdf = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\nxref\n0 1\ntrailer<<>>\nstartxref\n9\n%%EOF\n"
    coreml = pb(1, 7) + pb(2, pb(1, pb(1, "x") + pb(3, pb(5, pb(1, 4) + pb(2, 65568))))) + pb(500, pb(1, pb(1, "fc") + pb(2, "x") + pb(3, "y") + pb(140, pb(1, 4) + pb(2, 2))))
    mil = struct.pack("<II", 1, 2) + bytes(56) + struct.pack("<IIQQ", 0xDEADBEEF, 1, 64, 128) + bytes(40) + numbers(64)
    cbm = b"CBM1" + struct.pack("<I", 16) + bytes(16)
    big_json = b'{"model": {"vocab": {' + b", ".join(b'"\\u2581tok%d": %d' % (n, n) for n in range(700_000)) + b"}}}"
    onnx_model = onnx([onnx_node("MatMul")], [onnx_tensor("w", [2, 2], numbers(16))])
    weights = {"model.safetensors": tensors((8, 8))}
    half = b"".join(struct.pack("<e", ((n * 7919) % 1999 - 999) / 9973) for n in range(4096))
    brain = b"".join(struct.pack("<f", ((n * 7919) % 1999 - 999) / 9973)[2:] for n in range(4096))
    return {
        "benign/companions/pictures": {
            **weights, "a.png": png(png_chunk(b"tEXt", b"Comment\0import os")), "a.jpg": jpeg(), "a.gif": gif,
            "a.webp": webp, "a.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
            "favicon.ico": struct.pack("<HHHBBBBHHII", 0, 1, 1, 1, 1, 0, 0, 1, 32, len(png()), 22) + png(),
            "a.bmp": b"BM" + struct.pack("<IHHI", 58, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0) + b"\0\0\xff\0",
            "a.tif": b"II*\0" + struct.pack("<IH", 8, 1) + struct.pack("<HHII", 256, 3, 1, 1) + struct.pack("<I", 0),
        },
        "benign/companions/sounds": {**weights, "a.wav": wav, "a.flac": flac(), "a.mp3": mp3(), "a.ogg": ogg(), "a.mp4": mp4(), "a.m4a": mp4()},
        "benign/companions/film": {**weights, "a.webm": webm()},
        "benign/companions/documents": {**weights, "paper.pdf": pdf, "font.ttf": font(), "LICENSE": b"MIT License\n", ".gitattributes": b"*.bin filter=lfs diff=lfs merge=lfs -text\n"},
        "benign/companions/tables": {**weights, "a.parquet": parquet, "a.arrow": arrow, "a.csv": b"a,b\n1,2\n", "a.jsonl": b'{"a": 1}\n{"a": 2}\n', "a.tsv": b"a\tb\n"},
        "benign/companions/tokenizers": {
            **weights, "spiece.model": spm, "vocab.txt": b"[PAD]\n[UNK]\n__class__\n", "merges.txt": b"#version: 0.2\n\xc4\xa0 t\n",
            "tokenizer.tiktoken": b"IQ== 0\nIg== 1\n", "vocab.bpe": b"#version: 0.2\n", "tokenizer.json": b'{"version": "1.0", "added_tokens": [{"content": "<unk>"}]}',
            "special_tokens_map.json": b'{"bos_token": "<s>"}',
        },
        "benign/companions/flax_model.msgpack": flax,
        "benign/companions/coreml.mlmodel": coreml,
        "benign/companions/model.mlpackage": {
            "Manifest.json": b'{"fileFormatVersion": "1.0.0"}', "Data/com.apple.CoreML/model.mlmodel": coreml,
            "Data/com.apple.CoreML/weights/weight.bin": mil,
        },
        "benign/companions/openvino": {
            "openvino_model.xml": b'<?xml version="1.0"?>\n<net name="m" version="11"><layers><layer id="0" type="Parameter"/></layers></net>\n',
            "openvino_model.bin": numbers(16384),
        },
        "benign/companions/ncnn": {"m.param": b"7767517\n1 1\nInput in0 0 1 in0\n", "m.bin": numbers(8192)},
        "benign/companions/xgboost": {
            "model.json": b'{"learner": {"attributes": {}}, "version": [2, 0, 0]}',
            "model.ubj": b"{L\0\0\0\0\0\0\0\x07learner{L\0\0\0\0\0\0\0\x04nameSL\0\0\0\0\0\0\0\x05dmlc1L\0\0\0\0\0\0\0\x01n[$d#L\0\0\0\0\0\0\0\x02\x3f\x80\0\0\x40\0\0\0}}",
        },
        "benign/companions/lightgbm.txt": b"tree\nversion=v4\nnum_class=1\nfeature_names=a b\n\nTree=0\nnum_leaves=2\n",
        "benign/companions/sqlite": {**weights, "index.sqlite3": rows()},
        "benign/companions/pmml.pmml": b'<?xml version="1.0"?>\n<PMML version="4.4"><Header/><DataDictionary/></PMML>\n',
        "benign/companions/large_tokenizer": {**weights, "tokenizer.json": big_json},
        "benign/companions/events": {**weights, "runs/events.out.tfevents.1": tf_record(struct.pack("<Bd", 9, 1.0) + pb(3, "brain.Event:2"))},
        "benign/companions/numbers_16.bin": half,
        "benign/companions/numbers_brain.bin": brain,
        "benign/companions/numbers_32.bin": numbers(16384),
        "benign/companions/catboost.cbm": catboost(),
        "benign/companions/faiss": {**weights, "index.faiss": b"IxFI" + struct.pack("<iqqqBi", 8, 4, 1 << 20, 1 << 20, 1, 1) + struct.pack("<Q", 32) + numbers(128)},
        "benign/companions/spacy": {
            "config.cfg": b'[nlp]\nlang = "en"\npipeline = ["tok2vec","ner"]\n[components.ner]\nfactory = "ner"\n',
            "meta.json": b'{"lang": "en", "name": "tiny", "pipeline": ["ner"]}',
            "vocab/vectors": npy(b"", shape="(0, 0)"), "vocab/strings.json": b'["a", "b"]',
            "vocab/lookups.bin": msgpack({"lexeme_norm": {"a": "b"}}), "ner/cfg": b'{"moves": null}',
            "vocab/key2row": b"\x80", "ner/moves": msgpack({"moves": "{}"}), "tokenizer": msgpack({"prefix_search": "^x", "suffix_search": "x$"}),
        },
        "malicious/companions/parquet_pickle.parquet": b"PAR1" + bytes(8) + b"arrow.py_extension_type" + struct.pack("<I", 23) + b"PAR1",
        "malicious/companions/msgpack_objects.msgpack": msgpack({"nd": 1, "type": "O", "kind": "O", "data": b"cos\nsystem\n(S'echo hi'\ntR."}),
        "malicious/companions/rds_promise.rds": gzip.compress(rds(promise=True), mtime=0),
        "malicious/companions/rds_promise_plain.rds": rds(promise=True),
        "malicious/companions/pmml_entity.pmml": b'<?xml version="1.0"?>\n<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<PMML version="4.4">&x;</PMML>\n',
        "benign/companions/data.rds": gzip.compress(rds(), mtime=0),
        "malformed/companions/png_cut.png": png()[:-20],
        "malformed/companions/catboost_cut.cbm": cbm,
        "malformed/companions/parquet_cut.parquet": parquet[:-6],
        "malformed/companions/msgpack_long.msgpack": b"\xdf\xff\xff\xff\xff\xa1a",
        "malformed/companions/gif_zeros.gif": b"GIF89a" + bytes(40),
        "malformed/companions/spm_cut.model": spm[:-10],
        "malformed/archive/bomb.zip": zipped({"config.json": bytes(40_000_000)}, deflated=True),
        "malformed/archive/nested.zip": nested_zip(40),
        "benign/archive/models.zip": zipped({"a.onnx": onnx_model, "b.safetensors": tensors((4,)), "README.md": b"# Models\n", "labels.txt": b"a\n"}, deflated=True),
        "malicious/archive/onnx_inside.zip": zipped({"a.onnx": onnx([onnx_node("MatMul")], [onnx_tensor("w", [1], external=[("location", "../x")])])}),
        "malicious/archive/keras_inside.zip": zipped({"m/a.keras": keras(keras_config(layer("Lambda", function=[LAMBDA, None, None])))}),
    }


def nested_zip(depth):
    """Return zip archives within each other."""
    inner = b"{}"
    for _ in range(depth):
        inner = zipped({"a.zip": inner})
    return inner


def sqlite_file():
    """Return a database of one table."""
    database = sqlite3.connect(":memory:")
    database.execute("PRAGMA page_size = 512")
    database.execute("create table documents (id integer primary key, body text)")
    database.execute("insert into documents values (1, 'text')")
    database.commit()
    return database.serialize()


def webm():
    """Return the elements of a WebM film."""
    element = lambda sign, body: bytes.fromhex(sign) + (0x4000 | len(body)).to_bytes(2, "big") + body
    head = element("4286", b"\x01") + element("42f7", b"\x01") + element("4282", b"webm")
    return element("1a45dfa3", head) + element("18538067", element("1549a966", element("2ad7b1", b"\x0f\x42\x40")))


def catboost():
    """Return the head of a CatBoost model: its size, and a flatbuffer of that size."""
    flat = struct.pack("<I", 12) + bytes(4) + struct.pack("<HH", 4, 4) + struct.pack("<i", 4) + bytes(12)
    return b"CBM1" + struct.pack("<I", len(flat)) + flat


def rds(promise=False):
    """Return an R value: numbers, or a promise that calls `system` when it is used."""
    head = b"X\n" + struct.pack(">iii", 3, 0x040301, 0x030500) + struct.pack(">i", 5) + b"UTF-8"
    if not promise:
        return head + struct.pack(">iidd", 14, 2, 1.5, 2.5)
    text = lambda s: struct.pack(">ii", 0x00040009, len(s)) + s
    symbol = lambda s: struct.pack(">i", 1) + text(s)
    call = struct.pack(">i", 6) + symbol(b"system") + struct.pack(">i", 2) + struct.pack(">ii", 16, 1) + text(b"echo hi") + struct.pack(">i", 254)
    return head + struct.pack(">i", 5) + struct.pack(">i", 251) + call


def cases():
    """Return every case of this group: path -> bytes."""
    made = {}
    for part in (
        safetensors_cases, gguf_cases, onnx_cases, tensorflow_cases, tflite_cases, keras_cases,
        npy_cases, polyglot_cases, companion_cases,
    ):
        made |= part()
    return made
