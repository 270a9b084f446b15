"""Raw pickles: opcodes, names, states, arguments, what follows, gadgets, and the values of real frameworks."""

import argparse
import array
import collections
import datetime
import decimal
import fractions
import functools
import ipaddress
import operator
import pathlib
import pickle
import random
import re
import struct
import time
import types
import uuid

import archives as a
import pickled as p
from pickled import ECHO, New

PLAIN = {
    "lr": 0.1,
    "layers": [64, 10],
    "name": "café",
    "flags": (True, False, None),
    "raw": b"\x00\xff",
    "big": 1 << 80,
}
RECURSIVE = [1, {"a": "b"}]
RECURSIVE += [RECURSIVE[1], RECURSIVE]
LOGISTIC = New(
    "sklearn.linear_model._logistic",
    "LogisticRegression",
    {
        "C": 1.0,
        "penalty": "l2",
        "solver": "lbfgs",
        "coef_": p.array("<f8", (1, 2), p.numbers(2, "<d")),
        "classes_": p.array("<i8", (2,), bytes(16)),
        "n_iter_": p.array("<i4", (1,), bytes(4)),
        "_sklearn_version": "1.5.2",
    },
)
TFIDF = New(
    "sklearn.feature_extraction.text",
    "TfidfVectorizer",
    {
        "vocabulary_": {"os.system": p.scalar("<i8", bytes(8)), "eval": 1},
        "dtype": p.Name("numpy", "float64"),
        "tokenizer": None,
        "_tfidf": New("sklearn.feature_extraction.text", "TfidfTransformer", {"norm": "l2"}),
    },
)
TREE = New(
    "sklearn.tree._classes",
    "DecisionTreeClassifier",
    {
        "criterion": "gini",
        "tree_": p.Made(
            p.Name("sklearn.tree._tree", "Tree"),
            2,
            p.array("<i8", (1,), bytes(8)),
            1,
            state={
                "max_depth": 1,
                "node_count": 1,
                "nodes": p.array(
                    p.dtype(
                        "|V16",
                        (
                            3,
                            "|",
                            None,
                            ("left_child", "threshold"),
                            {"left_child": (p.dtype("<i8"), 0), "threshold": (p.dtype("<f8"), 8)},
                            16,
                            1,
                            16,
                        ),
                    ),
                    (1,),
                    bytes(16),
                ),
                "values": p.array("<f8", (1, 1, 2), bytes(16)),
            },
        ),
        "_sklearn_version": "1.5.2",
    },
)
INDEX = p.Made(
    p.Name("pandas.core.indexes.base", "_new_Index"),
    p.Name("pandas.core.indexes.base", "Index"),
    {"data": p.array("|O8", (1,), ["a"]), "name": None},
)
FRAME = New(
    "pandas.core.frame",
    "DataFrame",
    {
        "_mgr": p.Made(
            p.Name("pandas._libs.internals", "BlockManager"),
            (
                p.Made(
                    p.Name("pandas._libs.internals", "_unpickle_block"),
                    p.array("<f8", (1, 2), bytes(16)),
                    slice(0, 1, 1),
                    2,
                ),
            ),
            [INDEX, INDEX],
        ),
        "_typ": "dataframe",
        "_metadata": [],
        "attrs": {},
        "_flags": {"allows_duplicate_labels": True},
    },
)

TEMPLATE = """
def _parse_args(self,  loc=0, scale=1):
    return (), loc, scale

def _parse_args_rvs(self,  loc=0, scale=1, size=None):
    return self._argcheck_rvs( loc, scale, size=size)

def _parse_args_stats(self,  loc=0, scale=1, moments='mv'):
    return (), loc, scale, moments
"""

# Functions that run code, read or write files, or open connections: module, name.
GADGETS = """
os:system posix:popen nt:system subprocess:run subprocess:check_output builtins:exec builtins:compile builtins:getattr
builtins:open builtins:__import__ builtins:breakpoint builtins:map builtins:input importlib:import_module
importlib.util:spec_from_file_location importlib._bootstrap:_load_unlocked pkgutil:resolve_name pkgutil:extend_path
runpy:run_module runpy:_run_code pty:spawn code:InteractiveInterpreter codeop:compile_command pdb:run bdb:Bdb
cProfile:runctx profile:run trace:Trace timeit:timeit doctest:debug_script pydoc:pipepager
idlelib.autocomplete:AutoComplete idlelib.pyshell:ModifiedInterpreter lib2to3.pgen2.grammar:Grammar ctypes:CDLL
ctypes.util:find_library _ctypes:dlopen marshal:loads types:CodeType types:FunctionType types:DynamicClassAttribute
pickle:Unpickler _pickle:loads dill:load cloudpickle:loads functools:reduce functools:partialmethod
operator:attrgetter _operator:methodcaller _operator:call socket:socket ssl:create_default_context
ssl:get_server_certificate http.client:HTTPConnection urllib.request:urlretrieve ftplib:FTP smtplib:SMTP
imaplib:IMAP4_stream poplib:POP3 telnetlib:Telnet nntplib:NNTP xmlrpc.client:ServerProxy
xmlrpc.server:resolve_dotted_attribute requests:get requests.api:request aiohttp:ClientSession httpx:get
shutil:copyfile shutil:move _io:FileIO io:open_code io:FileIO logging:FileHandler logging.config:fileConfig
logging.config:listen distutils.file_util:write_file distutils.spawn:spawn setuptools.dist:Distribution
pip._internal.cli.main:main ensurepip:_run_pip venv:create site:main zipimport:zipimporter
multiprocessing.util:spawnv_passfds multiprocessing.pool:Pool asyncio.unix_events:_UnixSubprocessTransport
asyncio:create_subprocess_shell uuid:_get_command_stdout uuid:_find_mac _osx_support:_read_output
_osx_support:_find_build_tool _aix_support:_read_cmd_output _pyrepl.pager:pipe_pager
test.support.script_helper:assert_python_ok webbrowser:get antigravity:geohash yaml:unsafe_load yaml:load
jinja2:Template jinja2.sandbox:Environment sympy:sympify sympy.parsing.sympy_parser:parse_expr sqlite3:connect
sys:exit signal:raise_signal threading:Thread _thread:start_new_thread concurrent.futures:ProcessPoolExecutor
tempfile:NamedTemporaryFile zipfile:ZipFile tarfile:open shelve:open mmap:mmap fileinput:input linecache:getline
glob:glob codecs:open bz2:BZ2File gzip:open lzma:open platform:popen commands:getoutput cgitb:Hook
configparser:ConfigParser tkinter:Tcl unittest.mock:Mock unittest.mock:_importer unittest.util:safe_repr
xml.etree.ElementTree:parse wsgiref.simple_server:make_server py_compile:compile compileall:compile_dir
mailcap:findmatch mailbox:mbox netrc:netrc crypt:crypt optparse:OptionParser numpy:fromfile numpy:fromregex
numpy.f2py.crackfortran:getlincoef numpy.f2py.crackfortran:_eval_length numpy.f2py.diagnose:run_command
numpy.testing._private.utils:runstring numpy.testing:measure numpy.distutils.exec_command:exec_command
numpy.lib.npyio:load numpy.lib._npyio_impl:NpzFile numpy.ctypeslib:load_library numpy:memmap
numpy.core.records:fromfile pandas:eval pandas:read_csv pandas.io.pickle:read_pickle pandas.io.common:get_handle
pandas.core.computation.eval:eval pandas.compat.pickle_compat:load torch:load torch.serialization:load
torch.hub:load_state_dict_from_url torch._ops:_OpNamespace torch.ops:load_library torch.utils.collect_env:run
torch.utils.cpp_extension:load_inline torch.utils.bottleneck.__main__:run_cprofile
torch.utils._config_module:ConfigModule.load_config torch.utils.data.datapipes.utils.decoder:basichandlers
torch._inductor.codecache:compile_file torch._dynamo.guards:GuardBuilder.get
torch.fx.experimental.symbolic_shapes:ShapeEnv.evaluate_guards_expression torch.jit:load
torch.jit.unsupported_tensor_ops:execWrapper torch.distributed.rpc:rpc_sync torch.multiprocessing:spawn
torch.onnx.utils:export torch.cuda:_lazy_call torch._C:_jit_set_profiling_executor joblib:load joblib:Parallel
joblib.memory:Memory joblib.numpy_pickle:load tensorflow:io tensorflow.python.ops.script_ops:py_func
keras.models:load_model keras.utils:get_file tensorflow.keras.models:load_model mlflow.pyfunc:load_model
onnxruntime:InferenceSession transformers:pipeline transformers:AutoModel.from_pretrained
transformers.utils.hub:cached_file huggingface_hub:hf_hub_download datasets:load_dataset fsspec:open boto3:client
paramiko:SSHClient scipy.io:loadmat scipy.io.matlab:loadmat scipy.weave:inline statsmodels.iolib.smpickle:load_pickle
lightning.pytorch.core.saving:load_from_checkpoint spacy.util:load_model nltk.data:load nltk:download
gensim.utils:unpickle django.core.cache:caches flask:Flask IPython:start_ipython
ipykernel.kernelapp:launch_new_instance cffi:FFI numba:jit pexpect:run psutil:Popen invoke:run fabric:Connection
sh:Command ptyprocess:PtyProcess.spawn redis:Redis pymongo:MongoClient sqlalchemy:create_engine pickle5:loads
jsonpickle:decode hickle:load klepto.archives:file_archive numexpr:evaluate execnet:makegateway skops.io:load
omegaconf:OmegaConf.load hydra.utils:instantiate hydra.utils:call hydra._internal.utils:_locate
pydantic.utils:import_string werkzeug.utils:import_string celery.utils.imports:instantiate
twisted.python.reflect:namedAny zope.dottedname.resolve:resolve docutils.core:publish_string pyarrow:read_table
polars:read_ipc pkg_resources:load_entry_point torch.utils.model_zoo:load_url
torch.utils._import_utils:_check_module_exists torch.testing._internal.common_utils:shell
sklearn.datasets:fetch_openml sklearn.utils._testing:raises sklearn.utils.fixes:parse_version
sklearn.datasets._base:load_files profile:Profile.run cProfile:Profile.run asyncio:run ast:parse trace:Trace.run
""".split()


def cases():
    """Return every case of this group: path -> bytes."""
    made = {}
    for gadget in GADGETS:
        module, name = gadget.split(":")
        made[f"pickle/gadgets/{module}.{name}.pkl"] = p.call(module, name, ECHO)
    made |= {
        "pickle/stop_only_none.pkl": b"\x80\x04N.",
        # opcodes and protocols
        "pickle/calls/protocol0.pkl": p.system(0),
        "pickle/calls/protocol1.pkl": p.system(1),
        "pickle/calls/protocol2.pkl": p.system(2),
        "pickle/calls/protocol3.pkl": p.system(3),
        "pickle/calls/protocol5.pkl": p.system(5),
        "pickle/calls/framed.pkl": b"\x80\x04\x95" + struct.pack("<Q", len(p.system(4)) - 2) + p.system(4)[2:],
        "pickle/calls/inst.pkl": b"(S'" + ECHO.encode() + b"'\niposix\nsystem\n.",
        "pickle/calls/obj.pkl": p.Asm(2).raw(b"(").glob("subprocess", "Popen").text(ECHO).raw(b"o").stop(),
        "pickle/calls/newobj.pkl": p.Asm(2).glob("subprocess", "Popen").value((["echo", "hi"],)).raw(b"\x81").stop(),
        "pickle/calls/newobj_ex.pkl": p.Asm(4)
        .stack_global("subprocess", "Popen")
        .value((ECHO,))
        .value({"shell": True})
        .raw(b"\x92")
        .stop(),
        "pickle/calls/every_opcode_first.pkl": p.Asm(5)
        .raw(
            b"\x96\3\0\0\0\0\0\0\0abc\x98"
            + b"0F1.5\n0L5L\n0\x8b\1\0\0\0\7"
            + b"0G"
            + bytes(8)
            + b"0\x8f(K\1\x90"
            + b"0(K\1\x91"
            + b"0I01\n0U\1a0T\1\0\0\0b0"
        )
        .call("posix", "system", ECHO)
        .stop(),
        "pickle/calls/arguments_from_memo.pkl": p.Asm(2)
        .value((ECHO,))
        .raw(b"q\x050")
        .glob("posix", "system")
        .raw(b"h\x05R")
        .stop(),
        "pickle/calls/dup_of_global.pkl": p.Asm(2)
        .glob("posix", "system")
        .raw(b"2")
        .value((ECHO,))
        .raw(b"R")
        .raw(b"0")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/calls/not_called.pkl": p.Asm(4).raw(b"}").text("hook").stack_global("os", "system").raw(b"s").stop(),
        "pickle/calls/as_default_factory.pkl": p.Asm(4)
        .stack_global("collections", "defaultdict")
        .stack_global("os", "getcwd")
        .raw(b"\x85R")
        .stop(),
        "pickle/calls/call_of_a_call.pkl": p.Asm(4)
        .stack_global("some_package", "Maker")
        .raw(b")R")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/calls/list_operand.pkl": p.Asm(2)
        .raw(b"(")
        .glob("posix", "system")
        .text(ECHO)
        .raw(b"o0")
        .value([])
        .stop(),
        # stack and memo
        "pickle/memo/sparse_index.pkl": p.Asm(4)
        .text("posix")
        .raw(b"r\x40\x42\x0f\x000")
        .text("system")
        .raw(b"r\x41\x42\x0f\x000j\x40\x42\x0f\x00j\x41\x42\x0f\x00\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/text_numbers.pkl": p.Asm(4)
        .text("posix")
        .raw(b"p77\n0")
        .text("system")
        .raw(b"p78\n0g77\ng78\n\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/overwritten.pkl": p.Asm(4)
        .text("math")
        .raw(b"q\0000")
        .text("posix")
        .raw(b"q\0000h\0")
        .text("system")
        .raw(b"\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/memoize_after_put.pkl": p.Asm(4)
        .text("math")
        .raw(b"q\x050")
        .text("posix")
        .raw(b"\x940h\x01")
        .text("system")
        .raw(b"\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/popmark_decoy.pkl": p.Asm(4)
        .text("posix")
        .text("system")
        .raw(b"(")
        .text("math")
        .text("floor")
        .raw(b"1\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/pop_of_a_mark.pkl": p.Asm(4)
        .text("posix")
        .raw(b"(0")
        .text("system")
        .raw(b"\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/global_kept.pkl": p.Asm(2)
        .glob("posix", "system")
        .raw(b"q\x070N0h\x07")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/memo/operand_is_no_string.pkl": p.Asm(4).text("posix").raw(b"}\x93)R").stop(),
        "pickle/memo/missing_key_then_call.pkl": p.Asm(4).raw(b"h\x630").call("posix", "system", ECHO).stop(),
        "pickle/memo/missing_key_behind_a_call.pkl": p.Asm(4).call("posix", "system", ECHO).raw(b"0h\x63").stop(),
        # names
        "pickle/names/unicode_escape.pkl": b"\x80\x04V\\u0070osix\nVsys\\u0074em\n\x93"
        + p.part(4).value((ECHO,)).data
        + b"R.",
        "pickle/names/long_unicode_escape.pkl": b"\x80\x04V\\U00000070osix\nVsystem\n\x93"
        + p.part(4).value((ECHO,)).data
        + b"R.",
        "pickle/names/string_hex_escape.pkl": b"\x80\x04S'\\x70osix'\nS'sys\\164em'\n\x93"
        + p.part(4).value((ECHO,)).data
        + b"R.",
        "pickle/names/python2_strings.pkl": b"\x80\x04U\5posixT\6\0\0\0system\x93"
        + p.part(4).value((ECHO,)).data
        + b"R.",
        "pickle/names/python2_commands.pkl": p.call("commands", "getoutput", ECHO, proto=2),
        "pickle/names/python2_builtin.pkl": p.call("__builtin__", "eval", "print('modelhost-corpus')", proto=0),
        "pickle/names/python2_reduce.pkl": p.Asm(2)
        .glob("__builtin__", "reduce")
        .raw(b"(")
        .glob("os", "system")
        .value([ECHO])
        .raw(b"tR")
        .stop(),
        "pickle/names/python2_cpickle.pkl": p.call("cPickle", "loads", p.system(2), proto=2),
        "pickle/names/python2_copy_reg.pkl": p.call("copy_reg", "add_extension", "posix", "system", 7, proto=2),
        "pickle/names/python2_urllib.pkl": p.call("urllib2", "urlopen", "http://127.0.0.1:9/", proto=2),
        "pickle/names/python2_name_in_protocol4.pkl": p.call("__builtin__", "eval", "1", proto=4),
        "pickle/names/dotted_modules.pkl": p.call("collections", "_sys.modules.get", "os"),
        "pickle/names/dotted_private_alias.pkl": p.call("random", "_os.system", ECHO),
        "pickle/names/dotted_by_global.pkl": p.Asm(4).glob("logging", "os.system").value((ECHO,)).raw(b"R").stop(),
        "pickle/names/dotted_torch.pkl": p.call("torch", "serialization.os.system", ECHO),
        "pickle/names/dotted_numpy.pkl": p.call("numpy", "f2py.os.system", ECHO),
        "pickle/names/dotted_subclasses.pkl": p.call("builtins", "object.__subclasses__"),
        "pickle/names/dotted_below_4.pkl": p.call("logging", "os.system", ECHO, proto=2),
        "pickle/names/dotted_class_attribute.pkl": p.call("collections", "OrderedDict.__init__.__globals__"),
        "pickle/names/module_as_global.pkl": p.Asm(4)
        .stack_global("torch", "_utils")
        .raw(b"}")
        .text("_rebuild_tensor")
        .stack_global("os", "getcwd")
        .raw(b"sb")
        .stop(),
        "pickle/names/computed_by_decode.pkl": p.Asm(4)
        .call("_codecs", "decode", "cbfvk", "rot13")
        .text("system")
        .raw(b"\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/names/computed_by_str.pkl": p.Asm(4)
        .call("builtins", "str", "posix")
        .text("system")
        .raw(b"\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/names/computed_by_scalar.pkl": p.Asm(4)
        .raw(p.dumps(p.Made(p.Name("numpy.core.multiarray", "scalar"), p.dtype("|O8"), "posix"), 2)[2:-1])
        .text("system")
        .raw(b"\x93")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/names/trailing_space.pkl": p.call("os ", "system", ECHO, proto=2),
        "pickle/names/nul_in_name.pkl": p.call("collections\0os", "OrderedDict"),
        "pickle/names/carriage_return.pkl": b"\x80\x02ccollections\r\nOrderedDict\n)R.",
        "pickle/names/compatibility_letters.pkl": p.call("o\uff53", "system", ECHO),
        "pickle/names/empty_module.pkl": p.call("", "system", ECHO),
        "pickle/names/unknown_package.pkl": p.call("acme_models.hooks", "on_load", ECHO),
        "pickle/names/package_that_sounds_known.pkl": p.call("sklearn.linear_model._logistic_", "LogisticRegression"),
        "pickle/names/unlisted_function_of_known_package.pkl": p.call("sklearn.utils.extmath", "safe_sparse_dot", 1, 2),
        "pickle/names/main_class.pkl": p.dumps(p.New("__main__", "Net", {"a": 1})),
        # extension codes
        "pickle/extension/ext1.pkl": b"\x80\x02\x82\x07)R.",
        "pickle/extension/ext2.pkl": b"\x80\x02\x83\x07\x01)R.",
        "pickle/extension/ext4.pkl": b"\x80\x02\x84\x07\x01\0\0)R.",
        "pickle/extension/registered_first.pkl": p.Asm(2)
        .call("copyreg", "add_extension", "posix", "system", 240)
        .raw(b"0\x82\xf0")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/extension/zero.pkl": b"\x80\x02\x82\0.",
        # states
        "pickle/build/setstate_planted.pkl": p.Asm(4)
        .stack_global("argparse", "Namespace")
        .raw(b")\x81}")
        .text("__setstate__")
        .stack_global("os", "system")
        .raw(b"sb")
        .text(ECHO)
        .raw(b"b")
        .stop(),
        "pickle/build/setstate_of_allowed.pkl": p.Asm(4)
        .stack_global("argparse", "Namespace")
        .raw(b")\x81}")
        .text("__setstate__")
        .stack_global("numpy", "asarray")
        .raw(b"sb")
        .text(ECHO)
        .raw(b"b")
        .stop(),
        "pickle/build/slot_state.pkl": p.Asm(4)
        .stack_global("argparse", "Namespace")
        .raw(b")\x81N}")
        .text("__class__")
        .stack_global("collections", "OrderedDict")
        .raw(b"s\x86b")
        .stop(),
        "pickle/build/dict_within_slots.pkl": p.Asm(4)
        .stack_global("argparse", "Namespace")
        .raw(b")\x81N}")
        .text("__dict__")
        .raw(b"}")
        .text("__setstate__")
        .stack_global("numpy", "asarray")
        .raw(b"ss\x86b")
        .text(ECHO)
        .raw(b"b")
        .stop(),
        "pickle/build/key_made_later.pkl": p.Asm(4)
        .stack_global("argparse", "Namespace")
        .raw(b")\x81}\x94")
        .text("a")
        .raw(b"Ns")
        .text("__reduce_ex__")
        .raw(b"Nsb")
        .stop(),
        "pickle/build/key_by_call.pkl": p.Asm(4)
        .stack_global("argparse", "Namespace")
        .raw(b")\x81}")
        .call("builtins", "str", "__setstate__")
        .stack_global("numpy", "asarray")
        .raw(b"sb")
        .text(ECHO)
        .raw(b"b")
        .stop(),
        "pickle/build/of_a_class.pkl": p.Asm(4)
        .stack_global("collections", "OrderedDict")
        .raw(b"}")
        .text("update")
        .stack_global("numpy", "asarray")
        .raw(b"sb")
        .stop(),
        "pickle/build/of_a_function.pkl": p.Asm(4)
        .stack_global("torch._utils", "_rebuild_tensor_v2")
        .raw(b"N}")
        .text("__defaults__")
        .raw(b")s\x86b")
        .stop(),
        "pickle/build/of_a_call_result.pkl": p.Asm(4)
        .stack_global("acme", "registry")
        .raw(b")R}")
        .text("loader")
        .stack_global("numpy", "asarray")
        .raw(b"sb")
        .stop(),
        "pickle/build/items_into_a_class.pkl": p.Asm(4).stack_global("torch", "Tensor").text("a").raw(b"Ns").stop(),
        "pickle/build/append_to_a_function.pkl": p.Asm(4).stack_global("numpy", "asarray").text("a").raw(b"a").stop(),
        "pickle/build/items_into_a_tensor.pkl": p.dumps(p.tensor(0, (2,)), 2)[:-1] + b"K\0K\1s.",
        # allowed names, impossible uses
        "pickle/arguments/ordered_dict_of_text.pkl": p.call(
            "collections", "OrderedDict", "import os; os.system('" + ECHO + "')"
        ),
        "pickle/arguments/counter_of_text.pkl": p.call(
            "collections", "Counter", "__import__('os').system('" + ECHO + "')"
        ),
        "pickle/arguments/tensor_rebuilt_from_text.pkl": p.call(
            "torch._utils", "_rebuild_tensor_v2", "import os", proto=2
        ),
        "pickle/arguments/size_of_text.pkl": p.call("torch", "Size", "import os", proto=2),
        "pickle/arguments/estimator_called.pkl": p.call("sklearn.linear_model._logistic", "LogisticRegression", ECHO),
        "pickle/arguments/value_called.pkl": p.call("numpy", "asarray", ECHO),
        "pickle/arguments/dtype_called.pkl": p.call("torch", "float32", ECHO, proto=2),
        "pickle/arguments/encode_by_codec.pkl": p.call("_codecs", "encode", "cbfvk", "rot13", proto=2),
        "pickle/arguments/encode_idna.pkl": p.call("_codecs", "encode", "a", "acme_codec", proto=2),
        "pickle/arguments/partial_of_system.pkl": p.Asm(4)
        .stack_global("functools", "partial")
        .stack_global("os", "system")
        .raw(b"\x85R")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/arguments/partial_of_partial.pkl": p.Asm(4)
        .stack_global("functools", "partial")
        .stack_global("functools", "partial")
        .stack_global("builtins", "print")
        .raw(b"\x86R)R)R")
        .stop(),
        "pickle/arguments/partial_called.pkl": p.Asm(4)
        .stack_global("functools", "partial")
        .stack_global("numpy", "asarray")
        .raw(b"\x85R")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/arguments/attrgetter.pkl": p.Asm(4)
        .stack_global("operator", "attrgetter")
        .value(("__globals__",))
        .raw(b"R")
        .stack_global("torch._utils", "_rebuild_tensor_v2")
        .raw(b"\x85R")
        .stop(),
        "pickle/arguments/methodcaller.pkl": p.Asm(4)
        .stack_global("operator", "methodcaller")
        .value(("system", ECHO))
        .raw(b"R")
        .stack_global("os", "getcwd")
        .raw(b"\x85R")
        .stop(),
        "pickle/arguments/getattr_of_instance.pkl": p.Asm(4)
        .stack_global("builtins", "getattr")
        .stack_global("argparse", "Namespace")
        .raw(b")\x81")
        .text("__init__")
        .raw(b"\x86R")
        .stop(),
        "pickle/arguments/getattr_of_allowed_function.pkl": p.Asm(4)
        .stack_global("builtins", "getattr")
        .stack_global("numpy", "asarray")
        .text("__globals__")
        .raw(b"\x86R")
        .stop(),
        "pickle/arguments/getattr_called.pkl": p.Asm(4)
        .stack_global("builtins", "getattr")
        .stack_global("sklearn.linear_model._logistic", "LogisticRegression")
        .raw(b")\x81")
        .text("fit")
        .raw(b"\x86R)R")
        .stop(),
        "pickle/arguments/reconstructor_of_function.pkl": p.Asm(2)
        .glob("copyreg", "_reconstructor")
        .raw(b"(")
        .glob("os", "system")
        .glob("builtins", "str")
        .text(ECHO)
        .raw(b"tR")
        .stop(),
        "pickle/arguments/reconstructor_on_function.pkl": p.Asm(2)
        .glob("copyreg", "_reconstructor")
        .raw(b"(")
        .glob("collections", "OrderedDict")
        .glob("numpy", "asarray")
        .text(ECHO)
        .raw(b"tR")
        .stop(),
        "pickle/arguments/reconstructor_on_exception.pkl": p.Asm(2)
        .glob("copyreg", "_reconstructor")
        .raw(b"(")
        .glob("argparse", "Namespace")
        .glob("builtins", "Exception")
        .text(ECHO)
        .raw(b"tR")
        .stop(),
        "pickle/arguments/newobj_of_function.pkl": p.Asm(2)
        .glob("copyreg", "__newobj__")
        .raw(b"(")
        .glob("subprocess", "Popen")
        .text(ECHO)
        .raw(b"tR")
        .stop(),
        "pickle/arguments/rebuild_of_system.pkl": p.Asm(2)
        .glob("torch._tensor", "_rebuild_from_type_v2")
        .raw(b"(")
        .glob("posix", "system")
        .glob("torch", "Tensor")
        .value((ECHO,))
        .raw(b"}tR")
        .stop(),
        "pickle/arguments/rebuild_of_call.pkl": p.Asm(2)
        .glob("torch._tensor", "_rebuild_from_type_v2")
        .raw(b"(")
        .call("acme", "f")
        .glob("torch", "Tensor")
        .raw(b")}tR")
        .stop(),
        "pickle/arguments/wrapper_subclass.pkl": p.Asm(2)
        .glob("torch._utils", "_rebuild_wrapper_subclass")
        .raw(b"(")
        .glob("acme", "Sub")
        .raw(b"NNNNNNNtR")
        .stop(),
        "pickle/arguments/hooks_by_call.pkl": p.Asm(2)
        .raw(p.dumps(p.tensor(0, (2,), hooks=p.Made(p.Name("os", "getcwd"))), 2)[2:])
        .data,
        "pickle/arguments/factory_by_call.pkl": p.Asm(4)
        .stack_global("collections", "defaultdict")
        .call("acme", "factory")
        .raw(b"\x85R")
        .stop(),
        "pickle/arguments/ufunc_by_name.pkl": p.Asm(2)
        .glob("numpy.core", "_ufunc_reconstruct")
        .value(("os", "system"))
        .raw(b"R")
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/arguments/ufunc_by_computed_name.pkl": p.Asm(2)
        .glob("numpy.core", "_ufunc_reconstruct")
        .raw(b"(")
        .call("builtins", "str", "os")
        .text("system")
        .raw(b"tR")
        .stop(),
        "pickle/arguments/scalar_as_identity.pkl": p.Asm(2)
        .raw(
            p.dumps(p.Made(p.Name("numpy.core.multiarray", "scalar"), p.dtype("|O8"), p.Name("os", "system")), 2)[2:-1]
        )
        .value((ECHO,))
        .raw(b"R")
        .stop(),
        "pickle/arguments/load_from_bytes.pkl": p.call(
            "torch.storage", "_load_from_bytes", p.torch_legacy(p.system(2)), proto=2
        ),
        "pickle/arguments/load_from_bytes_zip.pkl": p.call(
            "torch.storage", "_load_from_bytes", a.torch_zip(p.system(2)), proto=2
        ),
        "pickle/arguments/load_from_bytes_twice.pkl": p.call(
            "torch.storage",
            "_load_from_bytes",
            p.torch_legacy(p.call("torch.storage", "_load_from_bytes", p.torch_legacy(p.system(2)), proto=2)),
            proto=2,
        ),
        "pickle/arguments/load_from_computed_bytes.pkl": p.Asm(2)
        .glob("torch.storage", "_load_from_bytes")
        .raw(b"(")
        .call("_codecs", "encode", "abc", "latin1")
        .raw(b"tR")
        .stop(),
        "pickle/arguments/getitem_of_typing.pkl": p.Asm(4)
        .stack_global("_operator", "getitem")
        .raw(b"}")
        .text("a")
        .raw(b"\x86R")
        .stop(),
        "pickle/arguments/estimator_with_hook.pkl": p.dumps(
            p.New(
                "sklearn.preprocessing._function_transformer",
                "FunctionTransformer",
                {"func": p.Name("os", "system"), "_sklearn_version": "1.5.2"},
            )
        ),
        "pickle/arguments/module_with_hook.pkl": p.dumps(
            p.New(
                "torch.nn.modules.linear",
                "Identity",
                {"training": False, "_forward_hooks": p.ordered([(0, p.Name("os", "system"))])},
            ),
            2,
        ),
        # helpers that reach further than their names
        "pickle/arguments/constructor_calls_its_argument.pkl": p.Asm(2)
        .glob("numpy.random._pickle", "__randomstate_ctor")
        .raw(b"(")
        .value(p.torch_legacy(p.system(2)))
        .glob("torch.storage", "_load_from_bytes")
        .raw(b"tR")
        .stop(),
        "pickle/arguments/generator_calls_its_argument.pkl": p.Asm(2)
        .glob("numpy.random._pickle", "__generator_ctor")
        .raw(b"(")
        .text("os")
        .glob("logging", "getLogger")
        .raw(b"tR")
        .stop(),
        "pickle/arguments/helper_as_factory.pkl": p.Asm(4)
        .stack_global("collections", "defaultdict")
        .stack_global("torch.storage", "_load_from_bytes")
        .raw(b"\x85R")
        .stop(),
        "pickle/arguments/index_of_any_class.pkl": p.call(
            "pandas.core.indexes.base",
            "_new_Index",
            p.part(4).stack_global("numpy", "memmap"),
            {"filename": "modelhost-corpus.bin", "mode": "w+", "shape": 1},
        ),
        "pickle/arguments/range_made_a_list.pkl": p.Asm(4)
        .stack_global("builtins", "list")
        .call("builtins", "range", 0, 2000000000)
        .raw(b"\x85R")
        .stop(),
        "pickle/arguments/huge_bytearray.pkl": p.call("builtins", "bytearray", 2000000000),
        "pickle/arguments/getattr_save.pkl": p.Asm(4)
        .stack_global("builtins", "getattr")
        .stack_global("gensim.models.keyedvectors", "KeyedVectors")
        .raw(b")\x81")
        .text("save")
        .raw(b"\x86R")
        .stop(),
        "pickle/build/scipy_template.pkl": p.dumps(
            New(
                "scipy.stats._continuous_distns",
                "norm_gen",
                {"_parse_arg_template": "import os\nos.system('" + ECHO + "')", "numargs": 0},
            )
        ),
        "pickle/build/scipy_template_nearly.pkl": p.dumps(
            New(
                "scipy.stats._continuous_distns",
                "norm_gen",
                {"_parse_arg_template": TEMPLATE.replace("loc=0", "loc=exec('1')"), "numargs": 0},
            )
        ),
        "pickle/build/items_are_attributes.pkl": p.Asm(4)
        .stack_global("scipy.optimize._optimize", "OptimizeResult")
        .raw(b")\x81")
        .text("__setstate__")
        .stack_global("numpy", "asarray")
        .raw(b"s")
        .text(ECHO)
        .raw(b"b")
        .stop(),
        "pickle/build/opens_a_listener.pkl": p.dumps(
            New("sklearn.callback._scoring_monitor", "ScoringMonitor", {"_listener_handle": None, "_log": []})
        ),
        "pickle/scipy/distribution_with_template.pkl": p.dumps(
            New(
                "scipy.stats._continuous_distns",
                "norm_gen",
                {"_parse_arg_template": TEMPLATE, "numargs": 0, "shapes": None},
            )
        ),
        "pickle/numpy/mapped_array.pkl": p.dumps(p.array("<f8", (2,), bytes(16), cls=("numpy", "memmap"))),
        "pickle/sklearn/tokenizer_is_a_method.pkl": p.dumps(
            New(
                "sklearn.feature_extraction.text",
                "CountVectorizer",
                {
                    "tokenizer": p.Made(p.Name("builtins", "getattr"), p.Name("builtins", "str"), "split"),
                    "vocabulary_": {"a": 0},
                },
            )
        ),
        # broken
        "pickle/broken/no_stop.pkl": p.system(4)[:-1],
        "pickle/broken/first_byte.pkl": b"\x80",
        "pickle/broken/bad_opcode.pkl": p.system(2)[:-1] + b"\xff\xff\xff.",
        "pickle/broken/underflow.pkl": p.system(2)[:-1] + b"000.",
        "pickle/broken/bad_utf8.pkl": p.system(4)[:-1] + b"\x8c\x02\xff\xfe.",
        "pickle/broken/bad_number.pkl": p.system(2)[:-1] + b"Inonsense\n.",
        "pickle/broken/cut_argument.pkl": p.system(2)[:-1] + b"X\xff\xff\0\0abc",
        "pickle/broken/huge_frame_behind.pkl": p.system(4)[:-1] + b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        "pickle/broken/unknown_protocol_behind.pkl": p.system(2)[:-1] + b"\x80\x63.",
        "pickle/broken/cut_in_a_name.pkl": b"\x80\x02cnumpy.core.multiarray\n_recon",
        "pickle/broken/cut_in_weights.pkl": p.dumps({"w": p.array("<f8", (8,), p.numbers(8, "<d"))})[:-30],
        "pickle/broken/cut_in_protocol0.pkl": b"(dp0\nS'weights'\np1\n(lp2\nF1.5\naF2.5\na",
        "pickle/broken/huge_length.pkl": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fabc.",
        "pickle/broken/negative_length.pkl": b"\x80\x02T\xff\xff\xff\xffabc.",
        "pickle/broken/huge_memo_number.pkl": b"\x80\x02Nr\xff\xff\xff\x7f.",
        "pickle/broken/huge_text_memo_number.pkl": b"\x80\x02Np99999999999999999999\n.",
        "pickle/broken/setitem_on_number.pkl": b"\x80\x04K\1K\2K\3s.",
        "pickle/broken/odd_dict.pkl": b"\x80\x04(K\1K\2K\3d.",
        "pickle/broken/reduce_of_number.pkl": b"\x80\x04K\1)R.",
        "pickle/broken/two_protocols.pkl": b"\x80\x09N.",
        "pickle/broken/deep_lists.pkl": b"\x80\x02" + b"]" * 60000 + b"a" * 59999 + b".",
        "pickle/broken/deep_marks.pkl": b"\x80\x02" + b"(" * 60000 + b"N" + b"t" * 60000 + b".",
        "pickle/broken/doubling.pkl": b"\x80\x02]q\0" + b"](h\0h\0h\0h\0eq\0" * 64 + b".",
        "pickle/broken/many_globals.pkl": b"\x80\x02" + b"".join(b"cm\nn%d\n0" % n for n in range(20000)) + b"N.",
        # several pickles
        "pickle/several/second.pkl": p.dumps({"epoch": 3}) + p.system(4),
        "pickle/several/after_padding.pkl": p.dumps({"epoch": 3}) + bytes(4096) + p.system(4),
        "pickle/several/after_junk.pkl": p.dumps({"epoch": 3}) + b"\xfe\xfd" * 100 + p.system(4),
        "pickle/several/hundredth.pkl": p.dumps({"epoch": 3}) * 100 + p.system(2),
        "pickle/several/protocol0_behind.pkl": p.dumps([1, 2]) + p.system(0),
        "pickle/several/behind_padding_opcodes.pkl": b"\x80\x02" + b"N0" * 200000 + p.system(2)[2:],
        "pickle/several/behind_a_memo_flood.pkl": b"\x80\x04N" + b"\x94" * 200000 + b"0" + p.system(4)[2:],
        "pickle/several/behind_many_strings.pkl": p.Asm(4)
        .raw(b"](" + b"\x8c\x05posix\x94" * 60000 + b"e0")
        .call("posix", "system", ECHO)
        .stop(),
        "pickle/several/within_a_list.pkl": p.dumps([p.Made(p.Name("posix", "system"), ECHO)] + list(range(5000))),
        "pickle/nested/loads.pkl": p.call("pickle", "loads", p.system(4)),
        "pickle/nested/loads_base64.pkl": p.Asm(4)
        .stack_global("_pickle", "loads")
        .call("binascii", "a2b_base64", "gASVAAAA")
        .raw(b"\x85R")
        .stop(),
        "pickle/nested/loads_zlib.pkl": p.Asm(4)
        .stack_global("pickle", "loads")
        .call("zlib", "decompress", __import__("zlib").compress(p.system(4)))
        .raw(b"\x85R")
        .stop(),
        "pickle/nested/dill.pkl": p.call("dill", "loads", p.system(4)),
        # code objects
        "pickle/code/function_type.pkl": p.Asm(4)
        .stack_global("types", "FunctionType")
        .raw(b"(")
        .call("marshal", "loads", b"\xe3")
        .raw(b"}tR)R")
        .stop(),
        "pickle/code/cloudpickle_function.pkl": p.Asm(5)
        .stack_global("cloudpickle.cloudpickle", "_make_function")
        .raw(b"(")
        .call("cloudpickle.cloudpickle", "_builtin_type", "CodeType")
        .raw(b"}NNNtR")
        .stop(),
        "pickle/code/cloudpickle_by_value_class.pkl": p.Asm(5)
        .stack_global("cloudpickle.cloudpickle", "_make_skeleton_class")
        .raw(b"(")
        .stack_global("builtins", "type")
        .text("Net")
        .raw(b")}")
        .text("id")
        .raw(b"NtR")
        .stop(),
        "pickle/code/cloudpickle_import.pkl": p.call("cloudpickle.cloudpickle", "subimport", "os"),
        "pickle/code/dill_create_function.pkl": p.Asm(4)
        .stack_global("dill._dill", "_create_function")
        .raw(b"(")
        .call("dill._dill", "_create_code", 1)
        .raw(b"}tR")
        .stop(),
        "pickle/code/dill_load_type.pkl": p.call("dill._dill", "_load_type", "FunctionType"),
        "pickle/code/joblib_externals.pkl": p.call("joblib.externals.cloudpickle.cloudpickle", "subimport", "os"),
        "pickle/code/torch_package.pkl": p.call("torch.package.package_importer", "PackageImporter", "x.pt", proto=2),
        "pickle/code/fx_graph.pkl": p.call(
            "torch.fx.graph_module", "reduce_graph_module", {"_code": "def forward(self): pass"}, "import os", proto=2
        ),
        # benign values
        "pickle/data/protocol0.pkl": p.dumps(PLAIN, 0),
        "pickle/data/protocol1.pkl": p.dumps(PLAIN, 1),
        "pickle/data/protocol2.pkl": p.dumps(PLAIN, 2),
        "pickle/data/protocol3.pkl": p.dumps(PLAIN, 3),
        "pickle/data/protocol4.pkl": p.dumps(PLAIN, 4),
        "pickle/data/protocol5.pkl": p.dumps(PLAIN, 5),
        "pickle/data/keras_history.pkl": p.dumps(
            {"loss": [0.9, 0.5], "accuracy": [0.1, 0.6], "val_loss": [1.0, 0.8]}, 3
        ),
        "pickle/data/vocabulary_of_code_words.pkl": p.dumps(
            {
                "os.system": 0,
                "eval(": 1,
                "__import__": 2,
                "subprocess": 3,
                "builtins": 4,
                "exec": 5,
                "cos\nsystem\n": 6,
                "__reduce__": 7,
            }
        ),
        "pickle/data/doc_strings.pkl": p.dumps(
            ["def run():\n    os.system('rm -rf /')", "\x80\x04\x8c\x05posix", b"cposix\nsystem\n(S'x'\ntR."], 3
        ),
        "pickle/data/special_keys_in_plain_dict.pkl": p.dumps(
            {"__setstate__": 1, "__class__": "Net", "__reduce__": None, "__dict__": {}}
        ),
        "pickle/data/two_in_a_file.pkl": p.dumps({"epoch": 1}) + p.dumps({"epoch": 2}),
        "pickle/data/zero_padded.pkl": p.dumps({"epoch": 1}) + bytes(512),
        "pickle/data/out_of_band.pkl": b"\x80\x05"
        + p.dumps(p.Made(p.Name("numpy.core.numeric", "_frombuffer"), 1, p.dtype("<f8"), (2,), "C"), 5)[11:].replace(
            b"K\1\x8c\5numpy", b"\x97\x8c\5numpy"
        ),
        "pickle/data/many_small_numbers.pkl": p.dumps(list(range(256)) * 200, 2),
        "pickle/data/shared_and_recursive.pkl": p.dumps(RECURSIVE),
        "pickle/stdlib/collections.pkl": pickle.dumps(
            [
                collections.OrderedDict(a=1),
                collections.Counter("abca"),
                collections.deque([1, 2], 5),
                collections.deque([1]),
                collections.defaultdict(list, {"a": [1]}),
                collections.defaultdict(None),
                collections.ChainMap({1: 2}),
            ],
            4,
        ),
        "pickle/stdlib/collections_protocol0.pkl": pickle.dumps(
            [
                collections.OrderedDict(a=1),
                collections.Counter("abca"),
                collections.deque([1, 2], 5),
                collections.defaultdict(int, {"a": 1}),
            ],
            0,
        ),
        "pickle/stdlib/dates.pkl": pickle.dumps(
            [
                datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone(datetime.timedelta(hours=2), "X")),
                datetime.date(2026, 1, 2),
                datetime.time(1, 2),
                datetime.timedelta(1, 2, 3),
                datetime.timezone.utc,
            ],
            4,
        ),
        "pickle/stdlib/dates_protocol2.pkl": pickle.dumps(
            [
                datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),
                datetime.date(2026, 1, 2),
                datetime.timedelta(1),
            ],
            2,
        ),
        "pickle/stdlib/numbers.pkl": pickle.dumps(
            [decimal.Decimal("1.50"), fractions.Fraction(1, 3), 1 + 2j, 10**50, range(5), slice(1, 2), float("nan")], 4
        ),
        "pickle/stdlib/identifiers.pkl": pickle.dumps(
            [
                uuid.UUID(int=7),
                pathlib.PurePosixPath("a/b"),
                pathlib.PureWindowsPath("a"),
                ipaddress.ip_address("127.0.0.1"),
                ipaddress.ip_interface("127.0.0.1/8"),
            ],
            4,
        ),
        "pickle/stdlib/patterns.pkl": pickle.dumps([re.compile("(a+)+$"), re.compile(b"x", re.I), re.I | re.M], 4),
        "pickle/stdlib/namespaces.pkl": pickle.dumps(
            [
                argparse.Namespace(lr=0.1, model="x"),
                types.SimpleNamespace(a=1),
                collections.UserDict(a=1),
                collections.UserString("a"),
            ],
            4,
        ),
        "pickle/stdlib/arrays.pkl": pickle.dumps(
            [array.array("d", [1, 2]), bytearray(b"abc"), frozenset([1]), {1, 2}, b"\xff\0"], 4
        ),
        "pickle/stdlib/arrays_protocol1.pkl": pickle.dumps(
            [array.array("d", [1, 2]), bytearray(b"abc"), frozenset([1]), {1, 2}, b"\xff\0", complex(1, 2)], 1
        ),
        "pickle/stdlib/errors_and_types.pkl": pickle.dumps(
            [ValueError("x"), KeyError("a"), list, dict, int, float, str, type(None), len, max], 4
        ),
        "pickle/stdlib/getters.pkl": pickle.dumps(
            [operator.itemgetter(1), operator.itemgetter("text", "label"), functools.partial(sorted, reverse=True)], 4
        ),
        "pickle/stdlib/random_state.pkl": pickle.dumps(
            {"python_rng_state": random.Random(1).getstate(), "rng": random.Random(2)}, 4
        ),
        "pickle/stdlib/loggers_level_words.pkl": pickle.dumps(
            {"level": "INFO", "formatter": "%(asctime)s", "time": time.gmtime(0)}, 4
        ),
        # numpy
        "pickle/numpy/kinds.pkl": p.dumps(
            {
                k: p.array(k, (2,), p.numbers(2 * int(k[2:] or 1), "<B"))
                for k in ("<f2", "<f4", "<f8", "<c8", "<i2", "<i8", "<u4", "|b1", "|u1", "|S5", "|V8", ">f4")
            }
        ),
        "pickle/numpy/kinds_protocol0.pkl": p.dumps(
            {k: p.array(k, (2,), p.numbers(2 * int(k[2:]), "<B"), 0) for k in ("<f4", "<f8", "<i8", "|b1")}, 0
        ),
        "pickle/numpy/kinds_protocol5.pkl": p.dumps(
            {
                "a": p.array("<f8", (2, 3), p.numbers(6, "<d"), 5, fortran=True),
                "b": p.array("<f4", (4,), p.numbers(4), 5, new=True),
            },
            5,
        ),
        "pickle/numpy/numpy2.pkl": p.dumps(
            {"a": p.array("<f8", (2,), p.numbers(2, "<d"), new=True), "b": p.scalar("<f8", p.numbers(1, "<d"), True)}
        ),
        "pickle/numpy/scalars.pkl": p.dumps(
            [p.scalar("<f8", p.numbers(1, "<d")), p.scalar("<i8", bytes(8)), p.scalar("|b1", b"\1")], 2
        ),
        "pickle/numpy/dates.pkl": p.dumps(
            p.array(p.dtype("<M8", (4, "<", None, None, None, -1, -1, 0, (b"", (b"ns", 1, 1, 1)))), (2,), bytes(16))
        ),
        "pickle/numpy/structured.pkl": p.dumps(
            p.array(
                p.dtype(
                    "|V16", (3, "|", None, ("a", "b"), {"a": (p.dtype("<f8"), 0), "b": (p.dtype("<i4"), 8)}, 16, 1, 16)
                ),
                (2,),
                bytes(32),
            )
        ),
        "pickle/numpy/strings.pkl": p.dumps(
            p.array(p.dtype("<U3", (3, "<", None, None, None, 12, 4, 8)), (2,), "ab".encode("utf-32-le") + bytes(16))
        ),
        "pickle/numpy/objects.pkl": p.dumps(p.array("|O8", (3,), ["a", None, 1.5])),
        "pickle/numpy/objects_with_call.pkl": p.dumps(p.array("|O8", (1,), [p.Made(p.Name("posix", "system"), ECHO)])),
        "pickle/numpy/random_state.pkl": p.dumps(
            p.Made(
                p.Name("numpy.random._pickle", "__randomstate_ctor"),
                "MT19937",
                p.Name("numpy.random._pickle", "__bit_generator_ctor"),
                state={
                    "bit_generator": "MT19937",
                    "state": {"key": p.array("<u4", (4,), bytes(16)), "pos": 624},
                    "has_gauss": 0,
                    "gauss": 0.0,
                },
            )
        ),
        "pickle/numpy/generator.pkl": p.dumps(
            p.Made(
                p.Name("numpy.random._pickle", "__generator_ctor"),
                p.Made(
                    p.Name("numpy.random._pickle", "__bit_generator_ctor"),
                    p.Name("numpy.random._pcg64", "PCG64"),
                    state=(
                        {
                            "bit_generator": "PCG64",
                            "state": {"state": 1 << 100, "inc": 3},
                            "has_uint32": 0,
                            "uinteger": 0,
                        },
                        p.Made(
                            p.Name("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
                            p.Name("numpy.random.bit_generator", "SeedSequence"),
                            20104510,
                            None,
                            state=(3, 4, 0, p.array("<u4", (4,), bytes(16)), ()),
                        ),
                    ),
                ),
            ),
            4,
        ),
        "pickle/numpy/masked.pkl": p.dumps(
            p.Made(
                p.Name("numpy.ma.core", "_mareconstruct"),
                p.Name("numpy.ma.core", "MaskedArray"),
                p.Name("numpy", "ndarray"),
                (0,),
                b"b",
                state=(1, (2,), p.dtype("<f8"), False, bytes(16), bytes(2), None),
            )
        ),
        "pickle/numpy/ufuncs_and_types.pkl": p.dumps(
            [
                p.Name("numpy", "float32"),
                p.Name("numpy", "exp"),
                p.Name("numpy", "matmul"),
                p.Name("numpy.dtypes", "Float32DType"),
                p.Name("numpy.dtypes", "Int8DType"),
                p.Made(p.Name("numpy.core", "_ufunc_reconstruct"), "numpy", "log1p"),
            ],
            2,
        ),
        # frameworks
        "pickle/sklearn/logistic.pkl": p.dumps(LOGISTIC, 4),
        "pickle/sklearn/logistic_protocol0.pkl": p.dumps(
            New(
                "sklearn.linear_model.logistic",
                "LogisticRegression",
                {"C": 1.0, "penalty": "l2", "_sklearn_version": "0.19.2"},
            ),
            0,
        ),
        "pickle/sklearn/pipeline.pkl": p.dumps(
            New(
                "sklearn.pipeline",
                "Pipeline",
                {
                    "steps": [
                        ("tfidf", TFIDF),
                        (
                            "scale",
                            New(
                                "sklearn.preprocessing._data",
                                "StandardScaler",
                                {
                                    "mean_": p.array("<f8", (2,), bytes(16)),
                                    "n_samples_seen_": p.scalar("<i8", bytes(8)),
                                },
                            ),
                        ),
                        ("clf", LOGISTIC),
                    ],
                    "memory": None,
                    "verbose": False,
                    "_sklearn_version": "1.5.2",
                },
            )
        ),
        "pickle/sklearn/tree.pkl": p.dumps(TREE),
        "pickle/sklearn/forest.pkl": p.dumps(
            New(
                "sklearn.ensemble._forest",
                "RandomForestClassifier",
                {
                    "estimator": TREE,
                    "estimators_": [TREE, TREE],
                    "n_classes_": p.scalar("<i8", bytes(8)),
                    "_sklearn_version": "1.5.2",
                },
            ),
            3,
        ),
        "pickle/sklearn/boosting.pkl": p.dumps(
            New(
                "sklearn.ensemble._gb",
                "GradientBoostingClassifier",
                {
                    "estimators_": p.array("|O8", (1, 1), [TREE]),
                    "_loss": New(
                        "sklearn._loss.loss",
                        "HalfBinomialLoss",
                        {"closs": p.Made(p.Name("sklearn._loss._loss", "CyHalfBinomialLoss"))},
                    ),
                    "_rng": p.Made(p.Name("numpy.random._pickle", "__randomstate_ctor"), "MT19937"),
                },
            )
        ),
        "pickle/sklearn/kmeans.pkl": p.dumps(
            New(
                "sklearn.cluster._kmeans",
                "KMeans",
                {
                    "n_clusters": 2,
                    "cluster_centers_": p.array("<f8", (2, 1), bytes(16), 5),
                    "_sklearn_version": "1.5.2",
                },
            ),
            5,
        ),
        "pickle/sklearn/neighbours.pkl": p.dumps(
            New(
                "sklearn.neighbors._classification",
                "KNeighborsClassifier",
                {
                    "metric": "minkowski",
                    "_tree": p.Made(
                        p.Name("sklearn.neighbors._kd_tree", "newObj"),
                        p.Name("sklearn.neighbors._kd_tree", "KDTree"),
                        state=(
                            p.array("<f8", (2, 1), bytes(16)),
                            p.array("<i8", (2,), bytes(16)),
                            p.Made(
                                p.Name("sklearn.metrics._dist_metrics", "newObj"),
                                p.Name("sklearn.metrics._dist_metrics", "EuclideanDistance64"),
                                state=(2.0, p.array("<f8", (1,), bytes(8)), p.array("<f8", (1, 1), bytes(8))),
                            ),
                        ),
                    ),
                },
            )
        ),
        "pickle/scipy/sparse.pkl": p.dumps(
            [
                New(
                    "scipy.sparse._csr",
                    "csr_matrix",
                    {
                        "_shape": (2, 2),
                        "maxprint": 50,
                        "data": p.array("<f8", (1,), bytes(8)),
                        "indices": p.array("<i4", (1,), bytes(4)),
                        "indptr": p.array("<i4", (3,), bytes(12)),
                        "_has_sorted_indices": True,
                    },
                ),
                New("scipy.sparse.csr", "csr_matrix", {"_shape": (1, 1)}),
                New("scipy.sparse._coo", "coo_array", {"_shape": (1, 1)}),
            ]
        ),
        "pickle/scipy/distribution.pkl": p.dumps(
            New(
                "scipy.stats._distn_infrastructure",
                "rv_continuous_frozen",
                {
                    "args": (0, 1),
                    "kwds": {},
                    "dist": New(
                        "scipy.stats._continuous_distns", "weibull_min_gen", {"badvalue": 1.0, "name": "weibull_min"}
                    ),
                },
            )
        ),
        "pickle/pandas/frame.pkl": p.dumps(FRAME),
        "pickle/pandas/frame_version1.pkl": p.dumps(
            New(
                "pandas.core.frame",
                "DataFrame",
                {
                    "_data": New(
                        "pandas.core.internals.managers",
                        "BlockManager",
                        (
                            [INDEX],
                            [p.array("<f8", (1, 2), bytes(16))],
                            [INDEX],
                            {
                                "0.14.1": {
                                    "axes": [INDEX],
                                    "blocks": [
                                        {"values": p.array("<f8", (1, 2), bytes(16)), "mgr_locs": slice(0, 1, 1)}
                                    ],
                                }
                            },
                        ),
                    ),
                    "_typ": "dataframe",
                },
            ),
            2,
        ),
        "pickle/pandas/series_and_times.pkl": p.dumps(
            [
                New("pandas.core.series", "Series", {"_mgr": None, "_typ": "series", "_name": "a"}),
                p.Made(p.Name("pandas._libs.tslibs.timestamps", "_unpickle_timestamp"), 1, None, None, 10),
                p.Made(p.Name("pandas._libs.tslibs.nattype", "_nat_unpickle"), None),
                p.Made(
                    p.Name("pandas.core.indexes.timedeltas", "_new_TimedeltaIndex"),
                    p.Name("pandas", "TimedeltaIndex"),
                    {"data": p.array("<i8", (1,), bytes(8)), "name": None},
                ),
            ]
        ),
        "pickle/xgboost/classifier.pkl": p.dumps(
            New(
                "xgboost.sklearn",
                "XGBClassifier",
                {
                    "n_estimators": 100,
                    "objective": "binary:logistic",
                    "missing": float("nan"),
                    "_Booster": New(
                        "xgboost.core", "Booster", {"handle": bytearray(b"{L" + bytes(16)), "feature_names": None}
                    ),
                },
            ),
            5,
        ),
        "pickle/lightgbm/classifier.pkl": p.dumps(
            New(
                "lightgbm.sklearn",
                "LGBMClassifier",
                {
                    "boosting_type": "gbdt",
                    "_Booster": New("lightgbm.basic", "Booster", {"handle": "tree\nversion=v4\n", "params": {}}),
                    "_evals_result": p.Made(p.Name("collections", "defaultdict"), p.Name("collections", "OrderedDict")),
                    "_le": New("lightgbm.compat", "_LGBMLabelEncoder", {"classes_": p.array("<i8", (2,), bytes(16))}),
                },
            )
        ),
        "pickle/catboost/classifier.pkl": p.dumps(
            New("catboost.core", "CatBoostClassifier", {"_init_params": {}, "__model": b"CBM1" + bytes(8)}), 4
        ),
        "pickle/gensim/word2vec.model": p.dumps(
            New(
                "gensim.models.word2vec",
                "Word2Vec",
                {
                    "wv": New(
                        "gensim.models.keyedvectors",
                        "KeyedVectors",
                        {
                            "vector_size": 2,
                            "key_to_index": {"a": 0},
                            "vectors": p.array("<f4", (1, 2), bytes(8)),
                            "expandos": {},
                            "mapfile_path": None,
                        },
                    ),
                    "random": p.Made(p.Name("numpy.random._pickle", "__randomstate_ctor"), "MT19937"),
                    "layer1_size": 2,
                    "lifecycle_events": [{"datetime": "2026-01-01T00:00:00", "gensim": "4.4.0", "python": "3.11"}],
                },
            ),
            4,
        ),
        "pickle/nltk/punkt.pickle": p.dumps(
            New(
                "nltk.tokenize.punkt",
                "PunktSentenceTokenizer",
                {
                    "_params": New(
                        "nltk.tokenize.punkt",
                        "PunktParameters",
                        {
                            "abbrev_types": {"dr"},
                            "collocations": {("a", "b")},
                            "sent_starters": set(),
                            "ortho_context": p.Made(
                                p.Name("collections", "defaultdict"), p.Name("builtins", "int"), pairs=[("a", 1)]
                            ),
                        },
                    ),
                    "_lang_vars": New("nltk.tokenize.punkt", "PunktLanguageVars", {}),
                    "_Token": p.Name("nltk.tokenize.punkt", "PunktToken"),
                },
            ),
            3,
        ),
        "pickle/nltk/tagger.pickle": p.dumps(({"i-1 tag+i word": {"NN": 0.5}}, {"the": "DT"}, {"NN"}), 3),
        "pickle/spacy/cfg_strings.pkl": p.dumps(
            {"cfg": {"labels": ["PERSON"]}, "model": b"\x85\xa5nodes\x90", "vocab": b"", "moves": b"\x80"}, 4
        ),
        "pickle/transformers/tokenizer_like.pkl": p.dumps(
            {"special_tokens": ["<s>", "</s>"], "vocab": {"<unk>": 0, "import": 1, "exec": 2}, "merges": [("a", "b")]},
            4,
        ),
    }
    return made
