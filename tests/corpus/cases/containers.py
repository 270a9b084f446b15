"""What carries pickles: archives, arrays, compressed streams, and the formats that frameworks make of them."""

import bz2
import gzip
import lzma
import struct
import zlib

import archives as a
import pickled as p
from pickled import ECHO, New

WEIGHTS = p.numbers(4)
# The lines that a TorchScript archive says its code came from.
LINES = p.Made(p.Name("torch.jit._pickle", "build_intlist"), [0, 14, 27])
STATE_DICT = p.ordered(
    [("weight", p.tensor(0, (2, 2))), ("bias", p.parameter(1, (2,)))], {"_metadata": p.ordered([("", {"version": 1})])}
)
STATE = p.dumps(STATE_DICT, 2)
STATE_LEGACY = p.ordered(
    [
        (
            "weight",
            p.Made(
                p.Name("torch._utils", "_rebuild_tensor_v2"),
                p.Persistent("storage", p.Name("torch", "FloatStorage"), "0", "cpu", 2, None),
                0,
                (2,),
                (1,),
                False,
                p.ordered(),
            ),
        )
    ]
)
MODULE = New(
    "torch.nn.modules.container",
    "Sequential",
    {
        "training": False,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_backward_hooks": p.ordered(),
        "_modules": {
            "0": New(
                "torch.nn.modules.linear",
                "Linear",
                {"in_features": 2, "_parameters": {"weight": p.parameter(0, (2, 2)), "bias": p.parameter(1, (2,))}},
            ),
            "1": New("torch.nn.modules.activation", "ReLU", {"inplace": False}),
        },
    },
)
NPY = p.npy("'<f4'", "(2,)", bytes(8))
SKOPS = b"""{"__class__": "%b", "__module__": "%b", "__loader__": "ObjectNode", "content": {"__class__": "dict",
 "__module__": "builtins", "__loader__": "DictNode", "content": {"coef_": {"__class__": "ndarray", "__module__": "numpy",
 "__loader__": "NdArrayNode", "type": "numpy", "file": "1.npy"}}, "key_types": {}}, "protocol": 2, "_skops_version": "0.11"}"""


def nested(levels, data):
    """Archives within archives."""
    for n in range(levels):
        data = a.zipped({f"{n}.zip" if n else "a.pkl": data})
    return data


def cases():
    """Return every case of this group: path -> bytes, or a folder."""
    return {
        # PyTorch archives
        "container/torch/state_dict.pt": a.torch_zip(STATE, [WEIGHTS, bytes(8)]),
        "container/torch/state_dict_unaligned.pth": a.torch_zip(
            STATE, [WEIGHTS, bytes(8)], root="model", aligned=False
        ),
        "container/torch/state_dict_protocol4.bin": a.torch_zip(p.dumps(STATE_DICT, 4), [WEIGHTS, bytes(8)]),
        "container/torch/state_dict_protocol5.bin": a.torch_zip(p.dumps(STATE_DICT, 5), [WEIGHTS, bytes(8)]),
        "container/torch/kinds.pt": a.torch_zip(
            p.dumps(p.ordered((kind, p.tensor(n, (2,), kind)) for n, kind in enumerate(p.SIZES)), 2),
            [bytes(2 * size) for size in p.SIZES.values()],
        ),
        "container/torch/untyped_storages.pt": a.torch_zip(
            p.dumps(
                {
                    "w": p.Made(
                        p.Name("torch._utils", "_rebuild_tensor_v3"),
                        p.Persistent("storage", p.Name("torch.storage", "UntypedStorage"), "0", "cpu", 8),
                        0,
                        (8,),
                        (1,),
                        False,
                        p.ordered(),
                        p.Name("torch", "uint16"),
                    )
                },
                2,
            ),
            [bytes(16)],
        ),
        "container/torch/quantized.pt": a.torch_zip(
            p.dumps(
                {
                    "w": p.Made(
                        p.Name("torch._utils", "_rebuild_qtensor"),
                        p.storage(0, 4, "QInt8"),
                        0,
                        (2, 2),
                        (2, 1),
                        (p.Name("torch", "per_tensor_affine"), 0.1, 0),
                        False,
                        p.ordered(),
                    )
                },
                2,
            ),
            [bytes(4)],
        ),
        "container/torch/sparse.pt": a.torch_zip(
            p.dumps(
                {
                    "w": p.Made(
                        p.Name("torch._utils", "_rebuild_sparse_tensor"),
                        p.Made(p.Name("torch.serialization", "_get_layout"), "torch.sparse_coo"),
                        (p.tensor(0, (1, 1), "Long"), p.tensor(1, (1,)), p.Made(p.Name("torch", "Size"), (3,)), True),
                    )
                },
                2,
            ),
            [bytes(8), bytes(4)],
        ),
        "container/torch/subclass.pt": a.torch_zip(
            p.dumps(
                {
                    "w": p.Made(
                        p.Name("torch._tensor", "_rebuild_from_type_v2"),
                        p.Name("torch._utils", "_rebuild_parameter"),
                        p.Name("torch.nn.parameter", "Parameter"),
                        (p.tensor(0, (2,)), True, p.ordered()),
                        {"tag": "x"},
                    )
                },
                2,
            ),
            [bytes(8)],
        ),
        "container/torch/checkpoint.ckpt": a.torch_zip(
            p.dumps(
                {
                    "epoch": 3,
                    "global_step": 100,
                    "pytorch-lightning_version": "2.5.0",
                    "state_dict": STATE_DICT,
                    "optimizer_states": [
                        {
                            "state": {0: {"step": p.tensor(0, (2,)), "exp_avg": p.tensor(0, (2,))}},
                            "param_groups": [
                                {"lr": 0.001, "betas": (0.9, 0.999), "eps": 1e-8, "params": [0, 1], "foreach": None}
                            ],
                        }
                    ],
                    "lr_schedulers": [{"base_lrs": [0.1], "last_epoch": 3, "_last_lr": [0.01]}],
                    "hparams_name": "kwargs",
                    "hyper_parameters": p.Made(
                        p.Name("lightning.fabric.utilities.data", "AttributeDict"), pairs=[("lr", 0.1)]
                    ),
                },
                2,
            ),
            [WEIGHTS, bytes(8)],
        ),
        "container/torch/module.pt": a.torch_zip(p.dumps(MODULE, 2), [WEIGHTS, bytes(8)]),
        "container/torch/rng_state.pth": a.torch_zip(
            p.dumps(
                {
                    "python": __import__("random").Random(1).getstate(),
                    "numpy": ("MT19937", p.array("<u4", (4,), bytes(16)), 624, 0, 0.0),
                    "cpu": p.tensor(0, (16,), "Byte"),
                },
                2,
            ),
            [bytes(16)],
        ),
        "container/torch/training_args.bin": a.torch_zip(
            p.dumps(
                New(
                    "transformers.training_args",
                    "TrainingArguments",
                    {
                        "output_dir": "out",
                        "eval_strategy": p.Made(p.Name("transformers.trainer_utils", "IntervalStrategy"), "no"),
                        "optim": p.Made(p.Name("transformers.training_args", "OptimizerNames"), "adamw_torch"),
                        "lr_scheduler_type": p.Made(p.Name("transformers.trainer_utils", "SchedulerType"), "linear"),
                        "hub_strategy": p.Made(p.Name("transformers.trainer_utils", "HubStrategy"), "every_save"),
                        "accelerator_config": New(
                            "transformers.trainer_pt_utils", "AcceleratorConfig", {"split_batches": False}
                        ),
                        "distributed_state": New(
                            "accelerate.state",
                            "PartialState",
                            {
                                "_cpu": False,
                                "backend": None,
                                "device": p.Made(p.Name("torch", "device"), "cuda", 0),
                                "distributed_type": p.Made(
                                    p.Name("accelerate.utils.dataclasses", "DistributedType"), "NO"
                                ),
                            },
                        ),
                        "deepspeed_plugin": None,
                    },
                ),
                2,
            )
        ),
        "container/torch/optimizer.pt": a.torch_zip(
            p.dumps(
                {
                    "state": {},
                    "param_groups": [{"lr": 0.1, "initial_lr": 0.1, "params": [0]}],
                    "scheduler": p.Made(p.Name("collections", "defaultdict"), p.Name("builtins", "dict")),
                },
                2,
            )
        ),
        "container/torch/legacy.pth": p.torch_legacy(p.dumps(STATE_LEGACY, 2), ["0"], [(2, bytes(8))]),
        "container/torch/legacy_module.pth": p.torch_legacy(
            p.dumps(
                p.Made(
                    p.Name("copy_reg", "_reconstructor"),
                    p.Name("torch.nn.modules.linear", "Identity"),
                    p.Name("__builtin__", "object"),
                    None,
                    state={"training": False},
                ),
                2,
            )
        ),
        "container/torch/legacy_two_storages.pth": p.torch_legacy(
            p.dumps(
                p.ordered(
                    [
                        (
                            "a",
                            p.Made(
                                p.Name("torch._utils", "_rebuild_tensor_v2"),
                                p.Persistent("storage", p.Name("torch", "FloatStorage"), "7", "cpu", 2, None),
                                0,
                                (2,),
                                (1,),
                                False,
                                p.ordered(),
                            ),
                        ),
                        (
                            "b",
                            p.Made(
                                p.Name("torch._utils", "_rebuild_tensor_v2"),
                                p.Persistent("storage", p.Name("torch", "LongStorage"), "8", "cpu", 3, None),
                                0,
                                (3,),
                                (1,),
                                False,
                                p.ordered(),
                            ),
                        ),
                    ]
                ),
                2,
            ),
            ["7", "8"],
            [(2, bytes(8)), (3, bytes(24))],
        ),
        "container/torch/torchscript.pt": a.zipped(
            {
                "net/data.pkl": p.dumps(New("__torch__", "Net", {"training": False, "weight": p.tensor(0, (2,))}), 2),
                "net/code/__torch__.py": b"class Net(Module):\n  __parameters__ = []\n",
                "net/code/__torch__.py.debug_pkl": p.dumps((("FORMAT_WITH_STRING_TABLE", ()),), 2),
                "net/constants.pkl": p.dumps((), 2),
                "net/data/0": bytes(8),
                "net/version": b"3\n",
            }
        ),
        "container/torch/torchscript_lists.pt": a.zipped(
            {
                "net/data.pkl": p.dumps(New("__torch__", "Net", {"training": False}), 2),
                "net/code/__torch__.py": b"class Net(Module):\n  __parameters__ = []\n",
                "net/code/__torch__.py.debug_pkl": p.dumps(
                    p.Made(p.Name("torch.jit._pickle", "restore_type_tag"), LINES, "List[int]"), 2
                ),
                "net/constants.pkl": p.dumps((LINES,), 2),
                "net/version": b"3\n",
            }
        ),
        "container/torch/torchscript_list_of_a_call.pt": a.zipped(
            {
                "net/data.pkl": p.dumps(New("__torch__", "Net", {"training": False}), 2),
                "net/constants.pkl": p.dumps(
                    p.Made(p.Name("torch.jit._pickle", "build_intlist"), p.Made(p.Name("posix", "system"), p.ECHO)), 2
                ),
                "net/version": b"3\n",
            }
        ),
        "container/torch/data_pkl_calls.pt": a.torch_zip(p.system(2), [WEIGHTS]),
        "container/torch/call_among_weights.pt": a.torch_zip(
            p.dumps(p.ordered([("w", p.tensor(0, (2,))), ("x", p.Made(p.Name("posix", "system"), ECHO))]), 2),
            [bytes(8)],
        ),
        "container/torch/storage_is_a_pickle.pt": a.torch_zip(STATE, [p.system(2), bytes(8)]),
        "container/torch/constants_call.pt": a.torch_zip(
            STATE, [WEIGHTS, bytes(8)], more=[("constants.pkl", p.system(2))]
        ),
        "container/torch/debug_pkl_call.pt": a.torch_zip(
            STATE, [WEIGHTS, bytes(8)], more=[("code/__torch__.py.debug_pkl", p.system(2))]
        ),
        "container/torch/member_without_ending.pt": a.torch_zip(
            STATE, [WEIGHTS, bytes(8)], more=[("extra/readme", p.system(4))]
        ),
        "container/torch/member_of_another_ending.pt": a.torch_zip(
            STATE, [WEIGHTS, bytes(8)], more=[("extra/config.json", p.system(0))]
        ),
        "container/torch/deflated.pt": a.zipped({"archive/data.pkl": p.system(2), "archive/version": b"3\n"}, 8),
        "container/torch/data_pkl_twice.pt": a.archive(
            [
                a.entry("archive/data.pkl", STATE),
                a.entry("archive/data.pkl", p.system(2)),
                a.entry("archive/version", b"3\n"),
            ]
        ),
        "container/torch/case_twin.pt": a.archive(
            [
                a.entry("archive/data.pkl", STATE),
                a.entry("archive/DATA.PKL", p.system(2)),
                a.entry("archive/data/0", WEIGHTS),
                a.entry("archive/data/1", bytes(8)),
                a.entry("archive/version", b"3\n"),
            ]
        ),
        "container/torch/storage_class_is_a_gadget.pt": a.torch_zip(
            p.dumps(
                p.Made(
                    p.Name("torch._utils", "_rebuild_tensor_v2"),
                    p.Persistent("storage", p.Name("os", "system"), "0", "cpu", 2),
                    0,
                    (2,),
                    (1,),
                    False,
                    p.ordered(),
                ),
                2,
            ),
            [bytes(8)],
        ),
        "container/torch/storage_too_small.pt": a.torch_zip(p.dumps({"w": p.tensor(0, (1 << 20,))}, 2), [bytes(8)]),
        "container/torch/hooks_are_called.pt": a.torch_zip(
            p.dumps({"w": p.tensor(0, (2,), hooks=p.Made(p.Name("os", "getcwd")))}, 2), [bytes(8)]
        ),
        "container/torch/legacy_object.pth": p.torch_legacy(p.system(2)),
        "container/torch/legacy_computed_magic.pth": p.torch_legacy(
            p.system(2), magic=p.Asm(2).call("builtins", "int", str(p.MAGIC)).stop()
        ),
        "container/torch/legacy_magic_calls.pth": p.torch_legacy(
            STATE, magic=p.call("builtins", "eval", str(p.MAGIC), proto=2)
        ),
        "container/torch/legacy_decimal_magic.pth": p.torch_legacy(p.system(2), magic=b"L%dL\n." % p.MAGIC),
        "container/torch/legacy_keys_call.pth": p.dumps(p.MAGIC, 2)
        + p.dumps(1001, 2)
        + p.dumps({"little_endian": True}, 2)
        + p.dumps({}, 2)
        + p.system(2),
        "container/torch/legacy_sixth_pickle.pth": p.torch_legacy(p.dumps({}, 2), after=p.system(2)),
        "container/torch/legacy_behind_storages.pth": p.torch_legacy(
            p.dumps(STATE_LEGACY, 2), ["0"], [(2, bytes(8))], after=p.system(2)
        ),
        "container/torch/legacy_cut_storage.pth": p.torch_legacy(p.dumps(STATE_LEGACY, 2), ["0"], [(2, bytes(8))])[:-5],
        "container/torch/legacy_tar.tar": a.tarred(
            [
                ("sys_info", p.dumps({"little_endian": True}, 2)),
                ("pickle", p.system(2)),
                ("tensors", p.dumps(0, 2)),
                ("storages", p.dumps(0, 2)),
            ]
        ),
        "container/torch/legacy_tar_storages.tar": a.tarred(
            [
                ("sys_info", p.dumps({"little_endian": True}, 2)),
                ("pickle", p.dumps({}, 2)),
                ("tensors", p.dumps(0, 2)),
                ("storages", p.system(2)),
            ]
        ),
        "container/torch/package.pt": a.zipped(
            {"pkg/.data/version": b"6\n", "pkg/model/model.pkl": p.system(2), "pkg/acme/__init__.py": b"import os\n"}
        ),
        "container/torch/raw_pickle.bin": p.system(2),
        "container/torch/pickle_named.safetensors": p.system(4),
        "container/torch/pickle_named.png": p.system(4),
        "container/torch/pickle_named.json": p.system(0),
        "container/torch/no_extension": a.torch_zip(p.system(2)),
        "container/torch/cut.pt": a.torch_zip(STATE, [WEIGHTS, bytes(8)])[:900],
        # zip
        "container/zip/flag_encrypted.pt": a.archive(
            [a.entry("archive/data.pkl", p.system(2), flags=1), a.entry("archive/version", b"3\n")]
        ),
        "container/zip/flag_strong_encryption.pt": a.archive(
            [a.entry("archive/data.pkl", p.system(2), flags=0x41), a.entry("archive/version", b"3\n")]
        ),
        "container/zip/flag_in_local_header.pt": a.archive(
            [a.entry("archive/data.pkl", p.system(2), local_flags=0x20), a.entry("archive/version", b"3\n")]
        ),
        "container/zip/local_name.pt": a.archive(
            [
                a.entry("archive/data.pkl", p.system(2), local_name="archive/data.txt"),
                a.entry("archive/version", b"3\n"),
            ]
        ),
        "container/zip/crc.pt": a.archive(
            [a.entry("archive/data.pkl", p.system(2), crc=0x12345678), a.entry("archive/version", b"3\n")]
        ),
        "container/zip/crc_of_harmless.pt": a.archive(
            [a.entry("archive/data.pkl", STATE, crc=1), a.entry("archive/version", b"3\n")]
        ),
        "container/zip/bad_member_first.zip": a.archive(
            [a.entry("a.pkl", b"abc", local_method=99, method=99), a.entry("b.pkl", p.system(4))]
        ),
        "container/zip/cut_deflate_first.zip": a.archive(
            [a.entry("a.pkl", b"\xff\xfe\xfd", method=0) | {"method": 8}, a.entry("b.pkl", p.system(4))]
        ),
        "container/zip/local_method.zip": a.archive([a.entry("a.pkl", p.system(4), method=8) | {"local_method": 0}]),
        "container/zip/hidden_member.zip": a.archive(
            [a.entry("notes.txt", b"notes"), a.entry("a.pkl", p.system(4), hidden=True)]
        ),
        "container/zip/hidden_in_front.zip": a.archive(
            [a.entry("notes.txt", b"notes")], prefix=a.archive([a.entry("a.pkl", p.system(4))])
        ),
        "container/zip/before_directory.zip": a.archive(
            [a.entry("notes.txt", b"notes")], between=a.archive([a.entry("a.pkl", p.system(4))])[:-60]
        ),
        "container/zip/two_ends.zip": a.archive(
            [a.entry("a.pkl", p.system(4))], comment=a.zipped({"b.txt": b"notes"})[-22:]
        ),
        "container/zip/archive_in_comment.zip": a.archive(
            [a.entry("notes.txt", b"notes")], comment=a.zipped({"a.pkl": p.system(4)})
        ),
        "container/zip/pickle_in_comment.zip": a.archive([a.entry("notes.txt", b"notes")], comment=p.system(4)),
        "container/zip/trailing_pickle.zip": a.zipped({"notes.txt": b"notes"}) + p.system(4),
        "container/zip/pickle_then_zip": p.system(4) + a.zipped({"notes.txt": b"notes"}),
        "container/zip/pickle_then_zip_shifted": a.archive(
            [a.entry("notes.txt", b"notes")], prefix=p.system(4), shift=len(p.system(4))
        ),
        "container/zip/picture_then_zip.gif": b"GIF89a\1\0\1\0\0\0\0;" + a.zipped({"a.pkl": p.system(4)}),
        "container/zip/script_then_zip": b"#!/bin/sh\nexit 0\n" + a.torch_zip(p.system(2)),
        "container/zip/wide_fields.zip": a.zipped({"a.pkl": p.system(4)}, zip64=True),
        "container/zip/wide_fields_benign.zip": a.zipped({"a.pkl": p.dumps({"a": 1})}, zip64=True),
        "container/zip/sizes_behind_data.zip": a.archive([a.entry("a.pkl", p.system(4), 8, later=True)]),
        "container/zip/sizes_behind_data_benign.npz": a.archive(
            [a.entry("a.npy", NPY, 8, later=True), a.entry("b.npy", NPY, 8, later=True)]
        ),
        "container/zip/stored_archive_behind_descriptor.zip": a.archive(
            [a.entry("inner.zip", a.zipped({"a.pkl": p.system(4)}), later=True)]
        ),
        "container/zip/unknown_method.zip": a.archive([a.entry("a.pkl", b"abc", method=93)]),
        "container/zip/encrypted_by_aes.zip": a.archive([a.entry("a.pkl", b"abc", method=99, flags=1)]),
        "container/zip/bzip2.zip": a.zipped({"a.pkl": p.system(4)}, 12),
        "container/zip/lzma.zip": a.zipped({"a.pkl": p.system(4)}, 14),
        "container/zip/offset_into_nowhere.zip": a.archive([a.entry("a.pkl", p.dumps(1), offset=5)]),
        "container/zip/counts_more.zip": a.archive([a.entry("a.pkl", p.dumps(1))], count=9),
        "container/zip/counts_less.zip": a.archive(
            [a.entry("a.txt", b"notes"), a.entry("b.pkl", p.system(4))], count=1
        ),
        "container/zip/overlap.zip": a.archive(
            [a.entry("a", bytes(100)), a.entry("b", bytes(100)) | {"offset": 0}, a.entry("c.pkl", p.dumps(1))]
        ),
        "container/zip/quine_like.zip": a.archive(
            [a.entry("0", bytes(1 << 16), 8)]
            + [a.entry(str(n), bytes(1 << 16), 8, offset=0) for n in range(1, 200)]
            + [a.entry("z.pkl", p.dumps(1))]
        ),
        "container/zip/bomb.zip": a.zipped({"a.pkl": b"\x80\2" + b"N0" * (5 << 20) + b"N."}, 8),
        "container/zip/slip.zip": a.zipped({"../../outside.pkl": p.dumps(1)}),
        "container/zip/slip_by_backslash.zip": a.zipped({"..\\..\\outside.pkl": p.dumps(1)}),
        "container/zip/absolute.zip": a.zipped({"/etc/outside.pkl": p.dumps(1)}),
        "container/zip/drive.zip": a.zipped({"C:\\outside.pkl": p.dumps(1)}),
        "container/zip/link.zip": a.archive(
            [a.entry("a.pkl", b"/etc/passwd", mode=0o120777), a.entry("b.pkl", p.dumps(1))]
        ),
        "container/zip/nul_in_name.zip": a.archive([a.entry("a.pkl\0.txt", p.system(4))]),
        "container/zip/twins_by_unicode_path.zip": a.archive(
            [a.entry("a.txt", p.system(4), extra=b"up" + struct.pack("<HBI", 10, 1, 0) + b"a.pkl")]
        ),
        "container/zip/deep.zip": nested(12, p.dumps(1)),
        "container/zip/twice_nested.zip": nested(2, p.system(4)),
        "container/zip/models.zip": a.zipped(
            {
                "a.pkl": p.dumps({"a": 1}),
                "b.pt": a.torch_zip(STATE, [WEIGHTS, bytes(8)]),
                "README.md": b"# Two models\n",
                "c.npy": NPY,
            },
            8,
        ),
        "container/zip/empty_members.zip": a.zipped({"folder/": b"", "folder/a.pkl": p.dumps(1), "empty.txt": b""}),
        "container/zip/opaque_member.zip": a.zipped({"a.pkl": p.dumps(1), "b.rar": b"Rar!\x1a\7\1\0" + bytes(40)}),
        "container/zip/npz_odd_name.npz": a.zipped({"a.npy": NPY, "weights": p.npy("'|O'", "(1,)", p.system(4))}),
        "container/zip/npz_object_member.npz": a.zipped({"a.npy": p.npy("'|O'", "(1,)", p.system(4))}, 8),
        "container/zip/npz_raw_pickle.npz": a.zipped({"a.npy": NPY, "b.npy": p.system(4)}),
        "container/zip/arrays.npz": a.zipped(
            {
                "a.npy": NPY,
                "b.npy": p.npy("'<i8'", "()", bytes(8)),
                "names.npy": p.npy("'|O'", "(2,)", p.dumps(p.array("|O8", (2,), ["a", "b"]))),
            }
        ),
        # npy
        "container/npy/versions_1.npy": p.npy("'<f4'", "(2, 2)", bytes(16), fortran=True),
        "container/npy/versions_2.npy": p.npy("'<f8'", "(2,)", bytes(16), 2),
        "container/npy/versions_3.npy": p.npy("[('größe', '<f4')]", "(2,)", bytes(8), 3),
        "container/npy/dates.npy": p.npy("'<M8[ns]'", "(2,)", bytes(16)),
        "container/npy/structured.npy": p.npy(
            "[('a', '<f8'), ('b', '<i4', (2,)), (('title', 'c'), '|S3')]", "(2,)", bytes(38)
        ),
        "container/npy/empty.npy": p.npy("'<f8'", "(0, 3)", b""),
        "container/npy/objects.npy": p.npy("'|O'", "(2,)", p.dumps(p.array("|O8", (2,), ["a", None]))),
        "container/npy/two_arrays.npy": NPY + NPY,
        "container/npy/object_call.npy": p.npy("'|O'", "(1,)", p.system(4)),
        "container/npy/object_in_structure.npy": p.npy("[('a', '<f4'), ('b', [('c', '|O')])]", "(1,)", p.system(4)),
        "container/npy/object_version_2.npy": p.npy("'O'", "(1,)", p.system(2), 2),
        "container/npy/object_version_3.npy": p.npy("'|O8'", "(1,)", p.system(2), 3),
        "container/npy/behind_array.npy": NPY + p.system(4),
        "container/npy/second_array.npy": NPY + p.npy("'|O'", "(1,)", p.system(4)),
        "container/npy/header_expression.npy": p.npy(
            "", "", b"", header=b"{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (1,)}"
        ),
        "container/npy/header_deep.npy": p.npy("", "", b"", 2, header=b"(" * 20000),
        "container/npy/shape_overflow.npy": p.npy("'<f8'", "(4294967296, 4294967296, 4294967296)", b""),
        "container/npy/cut.npy": p.npy("'<f8'", "(100,)", bytes(8)),
        "container/npy/objects_cut.npy": p.npy("'|O'", "(2,)", p.dumps(p.array("|O8", (2,), ["a", None]))[:-9]),
        # joblib
        "container/joblib/array.joblib": p.Asm(3)
        .raw(b"}")
        .text("coef")
        .value(p.joblib_array("<f8", (4,), bytes(32)))
        .raw(b"s")
        .stop(),
        "container/joblib/unaligned.joblib": p.Asm(3)
        .value(p.joblib_array("<f4", (4,), bytes(16), aligned=False))
        .stop(),
        "container/joblib/two_arrays.joblib": p.Asm(3)
        .raw(b"(")
        .value(p.joblib_array("<f8", (2,), b"\x80\2." * 5 + b"\0"))
        .value(p.joblib_array("<i8", (2,), b"cos\nsystem\n)R.."))
        .raw(b"t")
        .stop(),
        "container/joblib/objects.joblib": p.Asm(3)
        .value(p.joblib_array("|O8", (2,), p.dumps(p.array("|O8", (2,), ["a", "b"]), 4), aligned=False))
        .stop(),
        "container/joblib/estimator.pkl.z": zlib.compress(
            p.Asm(3).value(p.joblib_array("<f8", (4,), bytes(32))).stop()
        ),
        "container/joblib/estimator.pkl.gz": gzip.compress(
            p.Asm(3).value(p.joblib_array("<f8", (4,), bytes(32))).stop(), mtime=0
        ),
        "container/joblib/estimator.pkl.bz2": bz2.compress(
            p.Asm(3).value(p.joblib_array("<f8", (4,), bytes(32))).stop()
        ),
        "container/joblib/estimator.pkl.xz": lzma.compress(
            p.Asm(3).value(p.joblib_array("<f8", (4,), bytes(32))).stop()
        ),
        "container/joblib/estimator.pkl.lzma": lzma.compress(
            p.Asm(3).value(p.joblib_array("<f8", (4,), bytes(32))).stop(), format=lzma.FORMAT_ALONE
        ),
        "container/joblib/estimator.pkl.lz4": a.lz4(p.Asm(3).value(p.joblib_array("<f8", (4,), bytes(32))).stop()),
        "container/joblib/old.pkl": p.old_joblib(p.dumps({"a": 1})),
        "container/joblib/behind_array.joblib": p.Asm(3)
        .raw(b"(")
        .value(p.joblib_array("<f8", (4,), bytes(32)))
        .call("posix", "system", ECHO)
        .raw(b"t")
        .stop(),
        "container/joblib/behind_two_arrays.joblib": p.Asm(3)
        .raw(b"(")
        .value(p.joblib_array("<f8", (4,), b"\xff" * 32))
        .value(p.joblib_array("<f4", (2,), b"\xff" * 8, aligned=False))
        .call("posix", "system", ECHO)
        .raw(b"t")
        .stop(),
        "container/joblib/within_array.joblib": p.Asm(3)
        .value(p.joblib_array("<i1", (len(p.system(3)),), p.system(3), aligned=False))
        .stop(),
        "container/joblib/objects_call.joblib": p.Asm(3)
        .value(p.joblib_array("|O8", (1,), p.system(4), aligned=False))
        .stop(),
        "container/joblib/behind_objects.joblib": p.Asm(3)
        .raw(b"(")
        .value(p.joblib_array("|O8", (1,), p.dumps(p.array("|O8", (1,), ["a"])), aligned=False))
        .call("posix", "system", ECHO)
        .raw(b"t")
        .stop(),
        "container/joblib/zlib.joblib": zlib.compress(p.system(4)),
        "container/joblib/gzip.joblib": gzip.compress(p.system(4), mtime=0),
        "container/joblib/bz2.joblib": bz2.compress(p.system(4)),
        "container/joblib/xz.joblib": lzma.compress(p.system(4)),
        "container/joblib/lzma.joblib": lzma.compress(p.system(4), format=lzma.FORMAT_ALONE),
        "container/joblib/lz4.joblib": a.lz4(p.system(4)),
        "container/joblib/old_zlib.pkl": p.old_joblib(p.system(2)),
        "container/joblib/array_past_end.joblib": p.Asm(3).value(p.joblib_array("<f8", (1 << 40,), bytes(32))).stop(),
        "container/joblib/file_elsewhere.joblib": p.dumps(
            New(
                "joblib.numpy_pickle",
                "NDArrayWrapper",
                {"filename": "../../other/secret.npy", "subclass": p.Name("numpy", "ndarray"), "allow_mmap": True},
            ),
            2,
        ),
        # compressed streams
        "container/packed/second_gzip_member.gz": gzip.compress(p.dumps({"a": 1}), mtime=0)
        + gzip.compress(p.system(4), mtime=0),
        "container/packed/split_over_gzip_members.gz": gzip.compress(p.system(4)[:20], mtime=0)
        + gzip.compress(p.system(4)[20:], mtime=0),
        "container/packed/padded_gzip_members.gz": gzip.compress(p.dumps({"a": 1}), mtime=0)
        + bytes(64)
        + gzip.compress(p.system(4), mtime=0),
        "container/packed/second_xz_stream.xz": lzma.compress(p.dumps({"a": 1})) + lzma.compress(p.system(4)),
        "container/packed/padded_xz_streams.xz": lzma.compress(p.dumps({"a": 1}))
        + bytes(8)
        + lzma.compress(p.system(4)),
        "container/packed/xz_several_blocks.xz": lzma.compress(p.system(4), check=lzma.CHECK_SHA256),
        "container/packed/xz_with_filter.xz": lzma.compress(
            p.system(4), filters=[{"id": lzma.FILTER_DELTA, "dist": 1}, {"id": lzma.FILTER_LZMA2}]
        ),
        "container/packed/second_bz2_stream.bz2": bz2.compress(p.dumps({"a": 1})) + bz2.compress(p.system(4)),
        "container/packed/second_lz4_frame.lz4": a.lz4(p.dumps({"a": 1})) + a.lz4(p.system(4)),
        "container/packed/behind_zlib.z": zlib.compress(p.dumps({"a": 1})) + p.system(4),
        "container/packed/behind_gzip.gz": gzip.compress(p.dumps({"a": 1}), mtime=0) + p.system(4),
        "container/packed/cut.gz": gzip.compress(p.dumps({"a": list(range(500))}), mtime=0)[:-200],
        "container/packed/cut_behind_call.gz": gzip.compress(p.system(4) + p.numbers(400), 0, mtime=0)[:-300],
        "container/packed/broken_bz2.bz2": bz2.compress(p.dumps({"a": 1}))[:20] + b"\xff" * 20,
        "container/packed/broken_xz.xz": lzma.compress(p.dumps({"a": 1}))[:30],
        "container/packed/bomb.gz": gzip.compress(b"\x80\2" + b"N0" * (6 << 20) + b"N.", mtime=0),
        "container/packed/gzip_in_gzip.gz": gzip.compress(gzip.compress(p.system(4), mtime=0), mtime=0),
        "container/packed/pickle.zst": a.zstd(p.system(4)),
        "container/packed/member.zst.zip": a.zipped({"a.pkl": p.dumps(1), "b.zst": a.zstd(p.system(4))}),
        "container/packed/compress.Z": b"\x1f\x9d\x90" + bytes(40),
        "container/packed/archive.rar": b"Rar!\x1a\7\1\0" + bytes(40),
        "container/packed/archive.cab": b"MSCF\0\0\0\0" + bytes(40),
        # tar
        "container/tar/pickle.tar": a.tarred([("model/a.pkl", p.system(4))]),
        "container/tar/pickle.tar.gz": gzip.compress(a.tarred([("model/a.pkl", p.system(4))]), mtime=0),
        "container/tar/pickle.tar.bz2": bz2.compress(a.tarred([("model/a.pkl", p.system(4))])),
        "container/tar/pickle.tar.xz": lzma.compress(a.tarred([("model/a.pkl", p.system(4))])),
        "container/tar/pickle.tar.lz4": a.lz4(a.tarred([("model/a.pkl", p.system(4))])),
        "container/tar/zip_in_tar.tar.gz": gzip.compress(a.tarred([("model.pt", a.torch_zip(p.system(2)))]), mtime=0),
        "container/tar/old_format.tar": a.tarred([("a.pkl", p.system(4), b"\0", "", {"magic": bytes(8)})]),
        "container/tar/gnu_format.tar": a.tarred([("a.pkl", p.system(4), b"0", "", {"magic": b"ustar  \0"})]),
        "container/tar/behind_the_end.tar": a.tarred([("notes.txt", b"notes")]) + a.tarred([("a.pkl", p.system(4))]),
        "container/tar/pickle_behind_the_end.tar": a.tarred([("notes.txt", b"notes")]) + p.system(4),
        "container/tar/size_by_pax.tar": a.tarred(
            [("x", a.pax(size=str(len(p.system(4)))), b"x"), ("a.pkl", p.system(4), b"0", "", {"size": 0})]
        ),
        "container/tar/long_name.tar": a.tarred([("././@LongLink", b"a" * 200 + b".pkl\0", b"L"), ("a", p.system(4))]),
        "container/tar/contiguous.tar": a.tarred([("a.pkl", p.system(4), b"7")]),
        "container/tar/unknown_type.tar": a.tarred([("a.pkl", p.system(4), b"Z")]),
        "container/tar/sparse.tar": a.tarred([("a.pkl", p.dumps(1), b"S")]),
        "container/tar/slip.tar": a.tarred([("../../outside.pkl", p.dumps(1))]),
        "container/tar/slip_by_pax.tar": a.tarred([("x", a.pax(path="../outside.pkl"), b"x"), ("a.pkl", p.dumps(1))]),
        "container/tar/slip_by_long_name.tar": a.tarred(
            [("././@LongLink", b"../" * 40 + b"outside.pkl\0", b"L"), ("a", p.dumps(1))]
        ),
        "container/tar/absolute.tar": a.tarred([("/etc/outside.pkl", p.dumps(1))]),
        "container/tar/link_outside.tar": a.tarred([("a", b"", b"2", "../../etc"), ("b.pkl", p.dumps(1))]),
        "container/tar/link_then_through.tar": a.tarred([("a", b"", b"2", "/tmp"), ("a/b.pkl", p.dumps(1))]),
        "container/tar/hard_link_outside.tar": a.tarred([("a", b"", b"1", "/etc/passwd"), ("b.pkl", p.dumps(1))]),
        "container/tar/device.tar": a.tarred([("a", b"", b"3"), ("b.pkl", p.dumps(1))]),
        "container/tar/checksum.tar": a.tarred([("a.pkl", p.dumps(1)), ("b.pkl", p.dumps(1), b"0", "", {"sum": 7})]),
        "container/tar/cut.tar": a.tarred([("a.pkl", p.dumps(list(range(400))))], end=False)[:700],
        "container/tar/huge_size.tar": a.tarred([("a.pkl", p.dumps(1), b"0", "", {"size": 1 << 30})]),
        "container/tar/models.tar.gz": gzip.compress(
            a.tarred(
                [
                    ("model/", b"", b"5"),
                    ("model/a.pkl", p.dumps({"a": 1})),
                    ("model/b.pt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
                    ("model/README.md", b"# A model\n"),
                    ("model/latest.pkl", b"", b"2", "a.pkl"),
                ]
            ),
            mtime=0,
        ),
        # 7z
        "container/seven_zip/copy.7z": a.seven_zip([("a.pkl", p.system(4))], "copy"),
        "container/seven_zip/lzma.7z": a.seven_zip([("a.pkl", p.system(4))], "lzma", "packed"),
        "container/seven_zip/lzma2.7z": a.seven_zip(
            [("notes.txt", b"notes"), ("a.pkl", p.system(4))], "lzma2", "packed"
        ),
        "container/seven_zip/bcj.7z": a.seven_zip([("notes.txt", b"notes"), ("a.pkl", p.system(4))], "bcj", "packed"),
        "container/seven_zip/bzip2.7z": a.seven_zip([("a.pkl", p.system(4))], "bzip2"),
        "container/seven_zip/deflate.7z": a.seven_zip([("a.pkl", p.system(4))], "deflate"),
        "container/seven_zip/in_zip.zip": a.zipped(
            {"a.pkl": p.dumps(1), "b.7z": a.seven_zip([("a.pkl", p.system(4))], "lzma2")}
        ),
        "container/seven_zip/zip_within.7z": a.seven_zip([("m.pt", a.torch_zip(p.system(2)))], "lzma2"),
        "container/seven_zip/encrypted.7z": a.seven_zip([("a.pkl", p.dumps(1))], "aes"),
        "container/seven_zip/cut.7z": a.seven_zip([("a.pkl", p.dumps(1))], "lzma2")[:60],
        "container/seven_zip/wild_header.7z": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + b"\xff" * 20 + bytes(30),
        "container/seven_zip/models.7z": a.seven_zip(
            [("a.pkl", p.dumps({"a": 1})), ("README.md", b"# A model\n")], "lzma2", "packed"
        ),
        # frameworks' own archives
        "container/nemo/model.nemo": a.tarred(
            [
                (
                    "./model_config.yaml",
                    b"target: nemo.collections.asr.models.EncDecCTCModel\noptim:\n  _target_: torch.optim.AdamW\n  lr: 0.1\n",
                ),
                ("./model_weights.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/nemo/target.nemo": a.tarred(
            [
                ("./model_config.yaml", b"preprocessor:\n  _target_: os.system\n  command: echo modelhost-corpus\n"),
                ("./model_weights.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/nemo/target_quoted.nemo": a.tarred(
            [
                ("./model_config.yaml", b"a: {\"_target_\" : 'builtins.exec', _args_: ['print(1)']}\n"),
                ("./w.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/nemo/target_escaped.nemo": a.tarred(
            [
                ("./model_config.yaml", b'a: {"_tar\\u0067et_": "os.sys\\x74em"}\n'),
                ("./w.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/nemo/target_block.nemo": a.tarred(
            [
                ("./model_config.yaml", b"a:\n  _target_: >-\n    os.system\n"),
                ("./w.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/nemo/target_unlisted.nemo": a.tarred(
            [
                ("./model_config.yaml", b"a:\n  _target_: acme.hooks.Load\n"),
                ("./w.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/nemo/weights_call.nemo": a.tarred(
            [("./model_config.yaml", b"target: x\n"), ("./model_weights.ckpt", a.torch_zip(p.system(2)))]
        ),
        "container/mar/handler.mar": a.zipped(
            {
                "MAR-INF/MANIFEST.json": b'{"runtime": "python", "model": {"modelName": "m", "handler": "handler.py", "serializedFile": "m.pt"}}',
                "handler.py": b"import os\nos.system('echo modelhost-corpus')\n",
                "m.pt": a.torch_zip(STATE, [WEIGHTS, bytes(8)]),
            }
        ),
        "container/seven_zip/trailing.7z": a.seven_zip([("notes.txt", b"notes")], "copy") + p.system(4),
        "container/zip/prefixed_archive_within.zip": a.zipped(
            {"a.pkl": p.dumps(1), "weights.bin": b"some numbers" + a.zipped({"a.pkl": p.system(4)})}
        ),
        "container/nemo/yaml_tag.nemo": a.tarred(
            [
                ("./model_config.yaml", b"a: !!python/object/apply:os.system ['echo modelhost-corpus']\n"),
                ("./w.ckpt", a.torch_zip(STATE, [WEIGHTS, bytes(8)])),
            ]
        ),
        "container/skops/function_under_a_class.skops": a.zipped(
            {
                "schema.json": b'{"__class__": "Fine", "__module__": "sklearn.svm", "__loader__": "FunctionNode", "content": {"module_path": "builtins", "function": "eval"}, "protocol": 2}'
            }
        ),
        "container/mar/built_in_handler.mar": a.zipped(
            {
                "MAR-INF/MANIFEST.json": b'{"model": {"modelName": "m", "handler": "image_classifier", "serializedFile": "m.pt"}}',
                "m.pt": a.torch_zip(STATE, [WEIGHTS, bytes(8)]),
            }
        ),
        "container/mar/weights_call.mar": a.zipped(
            {"MAR-INF/MANIFEST.json": b'{"model": {"handler": "image_classifier"}}', "m.pt": a.torch_zip(p.system(2))}
        ),
        "container/skops/model.skops": a.zipped(
            {"schema.json": SKOPS % (b"LogisticRegression", b"sklearn.linear_model._logistic"), "1.npy": NPY}
        ),
        "container/skops/operator.skops": a.zipped(
            {
                "schema.json": b'{"__class__": "methodcaller", "__module__": "operator", "__loader__": "OperatorFuncNode", "attrs": {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": []}, "protocol": 2}'
            }
        ),
        "container/skops/method.skops": a.zipped(
            {
                "schema.json": b'{"__class__": "builtin_function_or_method", "__module__": "builtins", "__loader__": "MethodNode", "content": {"func": "system", "obj": {"__class__": "module", "__module__": "os", "__loader__": "ObjectNode"}}, "protocol": 2}'
            }
        ),
        "container/skops/pickle_named.skops": p.system(4),
        "container/skops/joblib_named.skops": zlib.compress(p.system(4)),
        "container/skops/class_escaped.skops": a.zipped(
            {
                "schema.json": b'{"__class__": "sys\\u0074em", "__module__": "\\u006fs", "__\\u006coader__": "FunctionNode", "protocol": 2}'
            }
        ),
        "container/skops/unlisted.skops": a.zipped({"schema.json": SKOPS % (b"Thing", b"acme.models"), "1.npy": NPY}),
        "container/skops/numpy_object.skops": a.zipped(
            {
                "schema.json": SKOPS % (b"LogisticRegression", b"sklearn.linear_model._logistic"),
                "1.npy": p.npy("'|O'", "(1,)", p.system(4)),
            }
        ),
        "container/skops/broken_schema.skops": a.zipped({"schema.json": b'{"__class__": "x", "__loader__": '}),
        "container/mlflow/model": {
            "MLmodel": b"flavors:\n  sklearn:\n    pickled_model: model.pkl\n",
            "model.pkl": p.system(4),
            "requirements.txt": b"scikit-learn==1.5.2\n",
        },
        "container/mlflow/loader": {
            "MLmodel": b"flavors:\n  python_function:\n    loader_module: os\n    data: model.pkl\n",
            "model.pkl": p.dumps({"a": 1}),
        },
        "container/mlflow/archive.tar.gz": gzip.compress(
            a.tarred(
                [
                    ("m/MLmodel", b"flavors:\n  python_function:\n    loader_module: os\n"),
                    ("m/model.pkl", p.dumps({"a": 1})),
                ]
            ),
            mtime=0,
        ),
        "container/mlflow/benign": {
            "MLmodel": b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n  sklearn:\n    pickled_model: model.pkl\n    sklearn_version: 1.5.2\n",
            "model.pkl": p.dumps(New("sklearn.linear_model._logistic", "LogisticRegression", {"C": 1.0})),
            "requirements.txt": b"mlflow==2.1\nscikit-learn==1.5.2\n",
        },
    }
