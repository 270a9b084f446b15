"""Repositories of models: what has loaders run code, and what ordinary ones hold."""

import json
import struct
import zlib

from structures import *

# ------------------------------------------------------------------ templates as publishers ship them

LLAMA_3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LLAMA_31 = """{{- bos_token }}
{%- if custom_tools is defined %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{#- This block extracts the system message, so we can slot it into the right place. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{%- if builtin_tools is defined or tools is not none %}
    {{- "Environment: ipython\\n" }}
{%- endif %}
{%- if builtin_tools is defined %}
    {{- "Tools: " + builtin_tools | reject('equalto', 'code_interpreter') | join(", ") + "\\n\\n"}}
{%- endif %}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{%- if tools is not none and not tools_in_user_message %}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("This model only supports single tool-calls at once!") }}
        {%- endif %}
        {%- set tool_call = message.tool_calls[0].function %}
        {%- if builtin_tools is defined and tool_call.name in builtin_tools %}
            {{- "<|python_tag|>" + tool_call.name + ".call(" }}
            {%- for arg_name, arg_val in tool_call.arguments | items %}
                {{- arg_name + '="' + arg_val + '"' }}
                {%- if not loop.last %}
                    {{- ", " }}
                {%- endif %}
            {%- endfor %}
            {{- ")" }}
        {%- else  %}
            {{- '{"name": "' + tool_call.name + '", ' }}
            {{- '"parameters": ' }}
            {{- tool_call.arguments | tojson }}
            {{- "}" }}
        {%- endif %}
    {%- elif message.role == "tool" or message.role == "ipython" %}
        {%- if message.content is mapping or message.content is iterable %}
            {{- message.content | tojson }}
        {%- else %}
            {{- message.content }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
"""
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
MISTRAL = """{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = none %}
{%- endif %}
{%- set user_messages = loop_messages | selectattr("role", "equalto", "user") | list %}
{%- set ns = namespace() %}
{%- set ns.index = 0 %}
{%- for message in loop_messages %}
    {%- if not (message.role == "tool" or message.role == "tool_results" or (message.tool_calls is defined and message.tool_calls is not none)) %}
        {%- if (message["role"] == "user") != (ns.index % 2 == 0) %}
            {{- raise_exception("After the optional system message, conversation roles must alternate user/assistant/user/assistant/...") }}
        {%- endif %}
        {%- set ns.index = ns.index + 1 %}
    {%- endif %}
{%- endfor %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message["role"] == "user" %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- "[AVAILABLE_TOOLS] [" }}
            {%- for tool in tools %}
                {%- set tool = tool.function %}
                {{- '{"type": "function", "function": {' }}
                {%- for key, val in tool.items() if key != "return" %}
                    {%- if val is string %}
                        {{- '"' + key + '": "' + val + '"' }}
                    {%- else %}
                        {{- '"' + key + '": ' + val|tojson }}
                    {%- endif %}
                    {%- if not loop.last %}
                        {{- ", " }}
                    {%- endif %}
                {%- endfor %}
                {{- "}}" }}
            {%- endfor %}
            {{- "[/AVAILABLE_TOOLS]" }}
        {%- endif %}
        {{- "[INST] " + message["content"] + "[/INST]" }}
    {%- elif message.tool_calls is defined and message.tool_calls is not none %}
        {{- "[TOOL_CALLS] [" }}
        {%- for tool_call in message.tool_calls %}
            {%- set out = tool_call.function|tojson %}
            {{- out[:-1] }}
            {%- if not tool_call.id is defined or tool_call.id|length != 9 %}
                {{- raise_exception("Tool call IDs should be alphanumeric strings with length 9!") }}
            {%- endif %}
            {{- ', "id": "' + tool_call.id + '"}' }}
        {%- endfor %}
    {%- elif message["role"] == "assistant" %}
        {{- " " + message["content"]|trim + eos_token}}
    {%- endif %}
{%- endfor %}
"""
QWEN = """{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}
        {{- messages[0].content + '\\n\\n' }}
    {%- endif %}
    {{- "# Tools\\n\\nYou are provided with function signatures within <tools></tools> XML tags:\\n<tools>" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- "\\n</tools><|im_end|>\\n" }}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
            {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index and (loop.last or (not loop.last and reasoning_content)) %}
            {{- '<|im_start|>' + message.role + '\\n<think>\\n' + reasoning_content.strip('\\n') + '\\n</think>\\n\\n' + content.lstrip('\\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\\n' + content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls or [] %}
            {%- if (loop.first and content) or (not loop.first) %}{{- '\\n' }}{%- endif %}
            {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
            {{- '<tool_call>\\n{"name": "' + tool_call.name + '", "arguments": ' }}
            {%- if tool_call.arguments is string %}{{- tool_call.arguments }}{%- else %}{{- tool_call.arguments | tojson }}{%- endif %}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|im_start|>user' }}{%- endif %}
        {{- '\\n<tool_response>\\n' + content + '\\n</tool_response>' }}
    {%- endif %}
{%- endfor %}
{%- if enable_thinking is defined and enable_thinking is false %}{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}
"""
GEMMA = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '\n\n' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'image' -%}{{ '<start_of_image>' }}{%- elif item['type'] == 'text' -%}{{ item['text'] | trim }}{%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>\n' }}
{%- endfor -%}
"""
DEEPSEEK = (
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% set ns = namespace(is_first=false, "
    "is_tool=false, is_output_first=true, system_prompt='', is_first_sp=true) %}{%- for message in messages %}{%- if message['role'] == 'system' %}"
    "{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}"
    "{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}{{ bos_token }}{{ ns.system_prompt }}"
    "{%- for message in messages %}{%- if message['role'] == 'assistant' and 'tool_calls' in message %}{%- set ns.is_tool = false -%}"
    "{%- for tool in message['tool_calls'] %}{%- if not ns.is_first %}{{'<｜tool▁calls▁begin｜>' + tool['type'] + '<｜tool▁sep｜>' + tool['function']['name'] + "
    "'\\n' + '```json' + '\\n' + tool['function']['arguments'] + '\\n' + '```' + '<｜tool▁call▁end｜>'}}{%- set ns.is_first = true -%}{%- endif %}{%- endfor %}{%- endif %}"
    "{%- if message['role'] == 'assistant' and message['content'] is not none %}{% set content = message['content'] %}{% if '</think>' in content %}"
    "{% set content = content.split('</think>')[-1] %}{% endif %}{{'<｜Assistant｜>' + content + '<｜end▁of▁sentence｜>'}}{%- endif %}{%- endfor -%}"
)
COMMAND_R = """{%- macro json_to_python_type(json_spec) %}
{%- set basic_type_map = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
{%- if basic_type_map[json_spec.type] is defined %}
{{- basic_type_map[json_spec.type] }}
{%- elif json_spec.type == "array" %}
{{- "List[" +  json_to_python_type(json_spec.items) + "]"}}
{%- elif json_spec.type is iterable %}
{{- "Union[" }}
{%- for t in json_spec.type %}{{- json_to_python_type({"type": t}) }}{%- if not loop.last %}{{- "," }}{%- endif %}{%- endfor %}
{{- "]" }}
{%- else %}{{- "Any" }}{%- endif %}
{%- endmacro %}
{%- macro old_tool_parser(tools) %}
{%- for tool in tools %}
{{- '```python\\ndef ' + tool.name + '(' }}
{%- for param_name, param_fields in (tool.parameter_definitions or tool.parameters.properties)|items %}
{%- if loop.index0 != 0 %}{{ ', '}}{%- endif -%}
{{- param_name + ": " }}{{- json_to_python_type(param_fields) }}
{%- endfor %}
{{- ') -> List[Dict]:\\n    """' + tool.description + '"""\\n    pass\\n```' }}
{%- endfor %}
{%- endmacro %}
{%- if documents %}{%- for document in documents %}{{- "\\nDocument: " ~ loop.index0 ~ "\\n" }}{%- for key, value in document.items() %}{{- key ~ ": " ~ value }}{%- endfor %}{%- endfor %}{%- endif %}
{{- old_tool_parser(tools) }}
{% generation %}{{ messages[-1].content }}{% endgeneration %}
"""
HERMES = """{%- macro render_extra_keys(json_dict, handled_keys) %}
    {%- if json_dict is mapping %}
        {%- for json_key in json_dict if json_key not in handled_keys %}
            {%- if json_dict[json_key] is mapping or (json_dict[json_key] is sequence and json_dict[json_key] is not string) %}
                {{- '\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | tojson | safe) ~ '</' ~ json_key ~ '>' }}
            {%- else %}
                {{-'\\n<' ~ json_key ~ '>' ~ (json_dict[json_key] | string) ~ '</' ~ json_key ~ '>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
{%- for tool in tools %}{{ render_extra_keys(tool.function.parameters, ['type', 'properties']) }}{%- endfor %}
{%- for message in messages | rejectattr('role', 'in', ['system']) %}{{ loop.cycle('<|a|>', '<|b|>') }}{{ message.content | replace('__', '_') | upper }}{{ '%s: %d' | format(message.role, loop.index) }}{%- endfor %}
{{ 'as __class__ and __init__ in text' }}{# {{ x.__class__ }} #}{% raw %}{{ ''.__class__ }}{% endraw %}
"""
GPT_OSS = """{%- macro render_typescript_type(param_spec, required_params, is_nullable=false) -%}
    {%- if param_spec.type == "array" -%}
        {%- if param_spec['items'] -%}
            {%- set inner_type = render_typescript_type(param_spec['items'], required_params) -%}
            {%- if inner_type == "object | object" or inner_type|length > 50 -%}{{- "any[]" }}{%- else -%}{{- inner_type + "[]" }}{%- endif -%}
        {%- endif -%}
    {%- elif param_spec.type is defined and param_spec.type is iterable and param_spec.type is not string and param_spec.type is not mapping and param_spec.type[0] is defined -%}
        {{- param_spec.type | join(" | ") }}
    {%- elif param_spec.oneOf -%}
        {%- for variant in param_spec.oneOf -%}{{- render_typescript_type(variant, required_params) -}}{%- if not loop.last %}{{- " | " }}{%- endif %}{%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{{- "Current date: " + strftime_now("%Y-%m-%d") + "\\n\\n" }}
{%- for tool in tools %}{{- "type " + tool.function.name + " = (_: {\\n" }}{%- for param_name, param_spec in tool.function.parameters.properties.items() %}{{- param_name }}{%- if param_name not in (tool.function.parameters.required or []) %}{{- "?" }}{%- endif %}{{- ": " + render_typescript_type(param_spec, tool.function.parameters.required or []) }}{%- endfor %}{%- endfor %}
{%- set last_tool_call = namespace(name=none) %}
{%- for message in messages -%}{%- if message.thinking is defined and "tool_calls" in message %}{%- set last_tool_call.name = message.tool_calls[0].function.name %}{%- endif -%}{%- endfor -%}
{%- set content = messages|map(attribute='content')|select('string')|list|first|default('', true) %}{{ dict(a=1).a }}{{ [1,2]|sum }}{{ range(3)|list|length }}
"""
TEMPLATES = {
    "llama3": LLAMA_3, "llama31": LLAMA_31, "chatml": CHATML, "mistral": MISTRAL, "qwen3": QWEN, "gemma3": GEMMA,
    "deepseek": DEEPSEEK, "command_r": COMMAND_R, "hermes": HERMES, "gpt_oss": GPT_OSS,
    "alpaca": "{{ (messages|selectattr('role', 'equalto', 'system')|list|last).content|trim if (messages|selectattr('role', 'equalto', 'system')|list) else '' }}\n\n",
    "empty": "", "static": "{{ messages[0]['content'] }}",
}

# ------------------------------------------------------------------ templates that lead out

ESCAPES = {
    "class": "{{ ''.__class__.__mro__[1].__subclasses__()[100]('echo hi') }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('echo hi').read() }}",
    "joiner": "{{ joiner.__init__.__globals__['os'].popen('echo hi').read() }}",
    "namespace": "{{ namespace.__init__.__globals__.os.system('echo hi') }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('echo hi').read() }}",
    "self": "{{ self.__init__.__globals__.__builtins__.__import__('os').popen('echo hi').read() }}",
    "self_context": "{{ self._TemplateReference__context.cycler.__init__.__globals__.os.popen('echo hi') }}",
    "raise_exception": "{{ raise_exception.__globals__['__builtins__']['exec']('1') }}",
    "strftime": "{{ strftime_now.__globals__.datetime.sys.modules['os'].system('echo hi') }}",
    "subscript": "{{ ''['__class__']['__base__']['__subclasses__']() }}",
    "attr_filter": "{{ ''|attr('__class__')|attr('__base__') }}",
    "tilde": "{{ ''['__cla' ~ 'ss__'] }}",
    "plus": "{{ ''['__cla' + 'ss__'] }}",
    "hex": "{{ ''['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "octal": "{{ ''['\\137\\137class\\137\\137'] }}",
    "unicode": "{{ ''['\\u005f\\u005fclass\\u005f\\u005f'] }}",
    "join": "{{ ''[['__','class','__']|join] }}",
    "reverse": "{{ ''['__ssalc__'|reverse] }}",
    "slice": "{{ ''['__ssalc__'[::-1]] }}",
    "lower": "{{ ''['__CLASS__'|lower] }}",
    "replace": "{{ ''['XXclassXX'|replace('X','_')] }}",
    "format_filter": "{{ ''['%s%s'|format('__cla','ss__')] }}",
    "format_method": "{{ '{0.__class__.__init__.__globals__}'.format(cycler) }}",
    "format_map": "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "percent": "{{ ''['%c%cclass%c%c' % (95,95,95,95)] }}",
    "chr_map": "{{ ''[[95,95,99,108,97,115,115,95,95]|map('string')|join] }}{{ ''|attr(dict(__class__=x)|join) }}",
    "dict_join": "{{ ''|attr(dict(__cla=a,ss__=b)|join) }}",
    "set_parts": "{% set a='__cla' %}{% set b='ss__' %}{{ ''[a~b] }}",
    "set_block": "{% set a %}__class__{% endset %}{{ ''[a] }}",
    "loop": "{% for a in ['__class__'] %}{{ ''[a] }}{% endfor %}",
    "macro": "{% macro f(a) %}{{ ''[a] }}{% endmacro %}{{ f('__class__') }}",
    "macro_default": "{% macro f(a='__class__') %}{{ ''[a] }}{% endmacro %}{{ f() }}",
    "call_block": "{% call(x) f('__class__') %}{{ ''|attr(x) }}{% endcall %}",
    "map_attribute": "{{ [cycler]|map(attribute='__init__')|list }}",
    "map_attr": "{{ [cycler]|map('attr','__init__')|list }}",
    "selectattr": "{{ messages|selectattr('__class__')|list }}",
    "groupby": "{{ messages|groupby('__class__') }}",
    "sort_attribute": "{{ messages|sort(attribute='__class__.__name__') }}",
    "unknown_attr": "{{ x|attr(messages[0].role) }}",
    "unknown_call": "{{ x[messages[0].role][messages[0].name]('echo hi') }}",
    "request": "{{ request|attr('application')|attr('\\x5f\\x5fglobals\\x5f\\x5f') }}",
    "url_for": "{{ url_for.__globals__ }}",
    "get_flashed": "{{ get_flashed_messages.__globals__['os'] }}",
    "config": "{{ config.__class__.__init__.__globals__['os'].popen('echo hi').read() }}",
    "whitespace": "{{ '' . __class__ }}{{ ''\n|\nattr\n(\n'__class__'\n) }}",
    "getitem_method": "{{ ''.__getitem__ }}",
    "gi_frame": "{% set g = messages|map('upper') %}{{ g.gi_frame.f_globals }}",
    "mro": "{{ x.mro() }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'x' as y %}{{ y.z }}",
    "extends": "{% extends '/etc/passwd' %}",
    "in_condition": "{% if ''.__class__.__mro__ %}{% endif %}",
    "in_test": "{{ x is sameas y.__class__ }}",
    "in_default": "{{ x|default(y.__class__) }}",
    "filter_block": "{% filter attr('__class__') %}{% endfilter %}",
    "concatenated": "{{ ''['__cla' 'ss__'] }}",
    "trim_marks": "{%- if true -%}{{- cycler.__init__ -}}{%- endif -%}",
    "get_method": "{{ x.get('__class__') }}{{ {}.__class__.__base__ }}",
    "pop_chr": "{% set s = namespace(v='') %}{% for c in ['_','_','class','_','_'] %}{% set s.v = s.v ~ c %}{% endfor %}{{ ''[s.v] }}",
    "batch": "{{ ''['__class__xx'[:9]] }}{{ ''|attr('__class__ '|trim) }}",
    "line_statement": "# for x in ().__class__\n{{ ().__class__ }}",
    "nested_attr": "{{ ((cycler|attr('__init__'))|attr('__globals__'))['os'] }}",
    "tuple_index": "{{ ''[('a','__class__')[1]] }}",
    "title_case": "{{ ''['__cLASS__'|swapcase] }}{{ ''['__Class__'.casefold()] }}",
    "urlencode": "{{ ''['__class__'|urlencode] }}{{ ''['__class__'|string|safe|e] }}",
    "regex": "{{ ''['__c.l.a.s.s__'|replace('.','')] }}",
}


def repo(files, weights=True):
    """Return a folder of texts, with weights unless told otherwise."""
    folder = {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    if weights:
        folder.setdefault("model.safetensors", tensors((8, 8)))
    folder.setdefault("config.json", b'{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    return folder


def notebook(source, output="<div>ok</div>"):
    """Return a notebook of one cell."""
    cell = {"cell_type": "code", "source": [source], "outputs": [{"output_type": "display_data", "data": {"text/html": [output]}, "metadata": {}}], "metadata": {}, "execution_count": 1}
    return json.dumps({"cells": [cell], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5})


def template_cases():
    made = {}
    for name, template in TEMPLATES.items():
        made[f"benign/templates/{name}"] = repo({"tokenizer_config.json": json.dumps({"bos_token": "<s>", "chat_template": template})})
        made[f"benign/templates/{name}.gguf"] = gguf(gg_llama(template))
    for number, (name, template) in enumerate(ESCAPES.items()):
        inside = f"{{% for message in messages %}}{{{{ message.content }}}}{{% endfor %}}{template}"
        where = number % 6
        if where == 0:
            case = repo({"tokenizer_config.json": json.dumps({"chat_template": inside})})
        elif where == 1:
            case = repo({"chat_template.jinja": inside})
        elif where == 2:
            case = repo({"tokenizer_config.json": json.dumps({"chat_template": [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": inside}]})})
        elif where == 3:
            case = gguf(gg_llama(inside))
        elif where == 4:
            case = repo({"processor_config.json": json.dumps({"chat_template": inside})})
        else:
            case = repo({"chat_template.json": json.dumps({"chat_template": inside})})
        made[f"malicious/templates/{name}" + (".gguf" if where == 3 else "")] = case
    bad = ESCAPES["cycler"]
    made |= {
        "malicious/templates/gguf_named.gguf": gguf(gg_llama(CHATML, extra=[("tokenizer.chat_template.tool_use", STR, bad)])),
        "malicious/templates/gguf_twice.gguf": gguf(gg_llama(CHATML, extra=[("tokenizer.chat_template", STR, bad)])),
        "malicious/templates/gguf_big_endian.gguf": gguf(gg_llama(bad), end=">"),
        "malicious/templates/gguf_v1.gguf": gguf_v1(bad),
        "malicious/templates/gguf_other_key.gguf": gguf(gg_llama(CHATML, extra=[("general.prompt_template", STR, bad)])),
        "malicious/templates/gguf_in_array.gguf": gguf(gg_llama(extra=[("tokenizer.chat_template", ARR, (STR, [CHATML, bad]))])),
        "malicious/templates/additional": repo({"additional_chat_templates/rag.jinja": bad}),
        "malicious/templates/key_escaped": repo({"tokenizer_config.json": '{"chat\\u005ftemplate": ' + json.dumps(bad) + "}"}),
        "malicious/templates/key_twice": repo({"tokenizer_config.json": '{"chat_template": ' + json.dumps(bad) + ', "chat_template": "{{ messages }}"}'}),
        "malicious/templates/added_token": repo({"tokenizer_config.json": json.dumps({"added_tokens_decoder": {"0": {"content": bad}}})}),
        "malicious/templates/generation_config": repo({"generation_config.json": json.dumps({"chat_template": bad})}),
        "malicious/templates/nested_folder": repo({"text_encoder/tokenizer_config.json": json.dumps({"chat_template": bad})}),
        "malformed/templates/utf16": repo({"chat_template.jinja": bad.encode("utf-16")}),
        "malicious/templates/bom": repo({"chat_template.jinja": b"\xef\xbb\xbf" + bad.encode()}),
        "malicious/templates/broken_tail": repo({"chat_template.jinja": bad + "{% if %}"}),
        "malicious/templates/ollama_modelfile": repo({"template.jinja2": bad}),
        "malformed/templates/unclosed": repo({"chat_template.jinja": "{{ messages"}),
        "malformed/templates/deep": repo({"chat_template.jinja": "{{ " + "(" * 9000 + "x" + ")" * 9000 + " }}"}),
        "malformed/templates/long": repo({"chat_template.jinja": "{{ '" + "x" * (2 << 20) + "' }}"}),
        "malformed/templates/doubling": repo({"chat_template.jinja": "{% set a = ['x', 'y'] %}" + "{% set a = [a, a, a] %}" * 3000 + "{{ a }}"}),
        "benign/templates/list_form": repo({"tokenizer_config.json": json.dumps({"chat_template": [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": QWEN}]})}),
        "benign/templates/jinja_file": repo({"chat_template.jinja": QWEN}),
        "benign/templates/additional": repo({"additional_chat_templates/tool.jinja": MISTRAL, "chat_template.jinja": CHATML}),
        "benign/templates/processor": repo({"processor_config.json": json.dumps({"chat_template": GEMMA}), "chat_template.json": json.dumps({"chat_template": GEMMA})}),
    }
    return made


def gguf_v1(template):
    """Return a GGUF file of version 1, whose lengths have 32 bits."""
    key = b"tokenizer.chat_template"
    text = template.encode()
    return b"GGUF" + struct.pack("<III", 1, 0, 1) + struct.pack("<I", len(key)) + key + struct.pack("<II", STR, len(text)) + text


def config_cases():
    mapped = lambda value, key="AutoModelForCausalLM", **more: json.dumps({"model_type": "x", "auto_map": {key: value}, **more})
    code = "import torch\n\nclass Model(torch.nn.Module):\n    pass\n"
    adapter = lambda **more: json.dumps({"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.1-8B", "r": 8, "target_modules": ["q_proj"], **more})
    index = lambda **more: json.dumps({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0", "unet": ["diffusers", "UNet2DConditionModel"], **more})
    modules = lambda *types: json.dumps([{"idx": n, "name": str(n), "path": f"{n}_X", "type": t} for n, t in enumerate(types)])
    return {
        "malicious/remote/auto_map_local": repo({"config.json": mapped("modeling_x.Model"), "modeling_x.py": code}),
        "malicious/remote/auto_map_other_repo": repo({"config.json": mapped("evil/repo--modeling_x.Model")}),
        "malicious/remote/auto_map_missing_file": repo({"config.json": mapped("modeling_x.Model")}),
        "malicious/remote/auto_map_tokenizer": repo({"tokenizer_config.json": json.dumps({"auto_map": {"AutoTokenizer": ["tokenization_x.Slow", None]}}), "tokenization_x.py": code}),
        "malicious/remote/auto_map_processor": repo({"processor_config.json": json.dumps({"auto_map": {"AutoProcessor": "processing_x.P"}}), "processing_x.py": code}),
        "malicious/remote/auto_map_preprocessor": repo({"preprocessor_config.json": json.dumps({"auto_map": {"AutoImageProcessor": "image_x.P"}}), "image_x.py": code}),
        "malicious/remote/auto_map_generation": repo({"generation_config.json": json.dumps({"auto_map": {"GenerationConfig": "generation_x.G"}}), "generation_x.py": code}),
        "malicious/remote/auto_map_video": repo({"video_preprocessor_config.json": json.dumps({"auto_map": {"AutoVideoProcessor": "video_x.P"}})}),
        "malicious/remote/auto_map_escaped": repo({"config.json": '{"auto\\u005fmap": {"AutoModel": "modeling_x.Model"}}'}),
        "malicious/remote/auto_map_twice": repo({"config.json": '{"auto_map": {"AutoModel": "modeling_x.Model"}, "auto_map": {}}'}),
        "malicious/remote/auto_map_nested": repo({"config.json": json.dumps({"text_config": {"auto_map": {"AutoModel": "modeling_x.Model"}}})}),
        "malicious/remote/auto_map_subfolder": repo({"text_encoder/config.json": mapped("modeling_x.Model"), "text_encoder/modeling_x.py": code}),
        "malicious/remote/trust_remote_code": repo({"config.json": json.dumps({"model_type": "x", "trust_remote_code": True})}),
        "malicious/remote/trust_remote_code_text": repo({"config.json": json.dumps({"model_type": "x", "trust_remote_code": "true"})}),
        "malicious/remote/custom_pipelines": repo({"config.json": json.dumps({"custom_pipelines": {"t": {"impl": "pipe.P", "pt": ["AutoModel"]}}}), "pipe.py": code}),
        "malicious/remote/custom_generate": repo({"custom_generate/generate.py": "def generate(model, **kwargs):\n    pass\n"}),
        "malicious/remote/custom_generate_key": repo({"generation_config.json": json.dumps({"custom_generate": "evil/repo"})}),
        "malicious/remote/model_index_custom": repo({"model_index.json": index(unet=["my_unet", "Net"]), "unet/my_unet.py": code}),
        "malicious/remote/model_index_pipeline": repo({"model_index.json": json.dumps({"_class_name": ["pipeline", "P"], "unet": ["diffusers", "UNet2DConditionModel"]}), "pipeline.py": code}),
        "malicious/remote/model_index_system": repo({"model_index.json": index(unet=["subprocess", "Popen"])}),
        "malicious/remote/model_index_os": repo({"model_index.json": index(scheduler=["os", "system"])}),
        "malicious/remote/model_index_unknown": repo({"model_index.json": index(unet=["evil_package", "Net"])}),
        "malicious/remote/model_index_modular": repo({"modular_model_index.json": json.dumps({"_blocks_class_name": "X", "auto_map": {"ModularPipelineBlocks": "block.Block"}}), "block.py": code}),
        "malicious/remote/modules_local": repo({"modules.json": modules("custom_st.Transformer"), "custom_st.py": code}),
        "malicious/remote/modules_os": repo({"modules.json": modules("sentence_transformers.models.Transformer", "os.system")}),
        "malicious/remote/modules_repo": repo({"modules.json": modules("evil/repo--custom_st.Transformer")}),
        "malicious/remote/dense_activation": repo({"modules.json": modules("sentence_transformers.models.Transformer", "sentence_transformers.models.Dense"), "1_X/config.json": json.dumps({"in_features": 8, "activation_function": "os.system"})}),
        "malicious/remote/cross_encoder_activation": repo({"config.json": json.dumps({"model_type": "bert", "sentence_transformers": {"activation_fn": "subprocess.Popen"}})}),
        "malicious/remote/router_modules": repo({"modules.json": modules("sentence_transformers.models.Router"), "router_config.json": json.dumps({"types": {"query_0_X": "custom_st.X"}})}),
        "malicious/remote/adapter_parent": repo({"adapter_config.json": adapter(auto_mapping={"base_model_class": "X", "parent_library": "evil_package"})}),
        "malicious/remote/adapter_parent_os": repo({"adapter_config.json": adapter(auto_mapping={"base_model_class": "system", "parent_library": "os"})}),
        "malicious/remote/adapter_code": repo({"adapter_config.json": adapter(auto_mapping={"base_model_class": "M", "parent_library": "transformers_modules.o.r.modeling_x"})}),
        "malicious/remote/custom_ops_library": repo({"genai_config.json": json.dumps({"model": {"decoder": {"session_options": {"custom_ops_library": "libops.so"}}}})}),
        "malicious/remote/custom_ops_path": repo({"ort_config.json": json.dumps({"custom_ops": ["./libcustom.so"]})}),
        "malicious/remote/hydra_system": repo({"config.yaml": "model:\n  _target_: os.system\n  command: echo hi\n"}),
        "malicious/remote/hydra_flow": repo({"config.yaml": "{model: {_target_: subprocess.run, args: [echo]}}\n"}),
        "malicious/remote/hydra_quoted": repo({"config.yaml": 'model:\n  "_target_": "builtins.exec"\n  _args_: ["1"]\n'}),
        "malicious/remote/hydra_escaped": repo({"config.yaml": 'model:\n  "_tar\\x67et_": builtins.eval\n'}),
        "malicious/remote/hydra_json": repo({"model_config.json": json.dumps({"encoder": {"_target_": "subprocess.Popen", "args": "echo"}})}),
        "malicious/remote/hydra_dotted": repo({"config.yaml": "a:\n  _target_: torch.nn.modules.linear.os.system\n"}),
        "malicious/remote/hydra_hub": repo({"config.yaml": "a:\n  _target_: torch.hub.load\n  repo_or_dir: evil/repo\n"}),
        "malicious/remote/hydra_load": repo({"config.yaml": "a:\n  _target_: torch.load\n  f: x.pt\n"}),
        "malicious/remote/hydra_get_method": repo({"config.yaml": "a:\n  _target_: hydra.utils.get_method\n  path: os.system\n"}),
        "malicious/remote/hydra_unlisted": repo({"config.yaml": "a:\n  _target_: acme.hooks.Load\n"}),
        "malicious/remote/hydra_numpy": repo({"config.yaml": "a:\n  _target_: numpy.testing._private.utils.runstring\n"}),
        "malicious/remote/hydra_multiline": repo({"config.yaml": "a:\n  ? _target_\n  : os.system\n"}),
        "malicious/remote/hydra_block_text": repo({"config.yaml": "a:\n  _target_: >-\n    os.system\n"}),
        "malicious/remote/yaml_apply": repo({"hparams.yaml": "a: !!python/object/apply:os.system ['echo hi']\n"}),
        "malicious/remote/yaml_new": repo({"hparams.yaml": "a: !!python/object/new:subprocess.Popen [echo]\n"}),
        "malicious/remote/yaml_name": repo({"config.yml": "a: !!python/name:os.system\n"}),
        "malicious/remote/yaml_module": repo({"config.yml": "a: !!python/module:os\n"}),
        "malicious/remote/yaml_verbatim": repo({"config.yml": "a: !<tag:yaml.org,2002:python/object/apply:os.system> [echo]\n"}),
        "malicious/remote/yaml_handle": repo({"config.yml": "%TAG !p! tag:yaml.org,2002:python/\n---\na: !p!object/apply:os.system [echo]\n"}),
        "malicious/remote/yaml_percent": repo({"config.yml": "a: !!python/object%2fapply:os.system [echo]\n"}),
        "malicious/remote/mlflow_loader": repo({"MLmodel": "flavors:\n  python_function:\n    loader_module: evil_module\n    data: data\n"}),
        "malicious/remote/mlflow_code": repo({"MLmodel": "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    code: code\n", "code/helper.py": code}),
        "malicious/remote/mlflow_model_code": repo({"MLmodel": "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n    model_code_path: agent.py\n", "agent.py": code}),
        "malicious/remote/triton_python": repo({"config.pbtxt": 'name: "m"\nbackend: "python"\n', "1/model.py": code}),
        "malicious/remote/triton_library": repo({"config.pbtxt": 'model_operations { op_library_filename: "libx.so" }\n'}),
        "malicious/remote/handler": repo({"handler.py": "class EndpointHandler:\n    pass\n"}),
        "malicious/remote/hubconf": repo({"hubconf.py": "dependencies = ['torch']\n"}),
        "malicious/remote/inference_script": repo({"code/inference.py": "def model_fn(model_dir):\n    pass\n", "code/requirements.txt": "torch\n"}),
        "malicious/remote/pth_file": repo({"evil.pth": "import os; os.system('echo hi')\n"}),
        "malicious/remote/pth_tab": repo({"x-nspkg.pth": "import\tsys, os\n"}),
        "malicious/remote/sitecustomize": repo({"sitecustomize.py": "import os\n"}),
        "malicious/remote/elf_library": repo({"libops.so": b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HH", 3, 62) + bytes(44)}),
        "malicious/remote/windows": repo({"setup.exe": windows()}),
        "malicious/remote/windows_named_bin": repo({"pytorch_model.bin": windows()}),
        "malicious/remote/macho": repo({"tool.dylib": b"\xcf\xfa\xed\xfe" + struct.pack("<III", 0x0100000C, 0, 6) + bytes(48)}),
        "malicious/remote/macho_fat": repo({"tool": b"\xca\xfe\xba\xbe" + struct.pack(">I", 2) + bytes(60)}),
        "malicious/remote/java_class": repo({"Main.class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(40)}),
        "malicious/remote/wasm": repo({"plugin.wasm": b"\0asm\1\0\0\0\x01\x04\x01\x60\0\0"}),
        "malicious/remote/bytecode": repo({"config.json": mapped("modeling_x.Model"), "__pycache__/modeling_x.cpython-311.pyc": b"\xa7\r\r\n" + bytes(12) + b"\xe3" + bytes(20)}),
        "malicious/remote/requirements_index": repo({"requirements.txt": "torch\n--extra-index-url http://127.0.0.1/simple\n"}),
        "malicious/remote/requirements_index_short": repo({"requirements.txt": "-ihttp://127.0.0.1/simple\ntorch\n"}),
        "malicious/remote/requirements_url": repo({"requirements.txt": "torch @ https://example.com/torch-2.0-py3-none-any.whl\n"}),
        "malicious/remote/requirements_git": repo({"requirements.txt": "git+https://example.com/evil/repo.git#egg=x\n"}),
        "malicious/remote/requirements_editable": repo({"requirements.txt": "-e git+ssh://git@example.com/x.git#egg=x\n"}),
        "malicious/remote/requirements_continued": repo({"requirements.txt": "torch \\\n  --index-url \\\n  http://127.0.0.1/x\n"}),
        "malicious/remote/conda_pip": repo({"conda.yaml": "channels:\n- conda-forge\ndependencies:\n- python=3.10\n- pip:\n  - --extra-index-url http://127.0.0.1/simple\n  - torch\n"}),
        "malicious/remote/pyproject_url": repo({"pyproject.toml": '[project]\nname = "x"\ndependencies = ["torch @ http://127.0.0.1/torch.whl"]\n'}),
        "malicious/remote/config_broken": repo({"config.json": '{"auto_map": {"AutoModel": "evil/repo--x.M"},'}),
        "malformed/remote/config_empty": repo({"config.json": ""}),
        "malformed/remote/config_cut": repo({"config.json": '{"model_type": "x", "a": ['}),
        "malformed/remote/config_deep": repo({"config.json": "[" * 50_000 + "]" * 50_000}),
        "malformed/remote/index_cut": repo({"model_index.json": '{"_class_name": "X",'}),
    }


def windows():
    """Return the head of a Windows program."""
    return b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(64) + b"PE\0\0" + struct.pack("<HH", 0x8664, 1) + bytes(100)


def benign_cases():
    code = "import torch\n\nprint(torch.__version__)\n"
    card = (
        "---\nlicense: apache-2.0\ntags:\n- text-generation\n---\n# Model\n\n```python\nimport os\nfrom transformers import AutoModel\n"
        'model = AutoModel.from_pretrained("x", trust_remote_code=True)\nos.system("nvidia-smi")\n```\n\n```yaml\n_target_: os.system\n```\n{{ x.__class__ }}\n'
    )
    llama = {
        "README.md": card, "config.json": json.dumps({"_name_or_path": "/home/user/llama", "model_type": "llama", "torch_dtype": "bfloat16", "rope_scaling": None, "auto_map": {}, "trust_remote_code": False}),
        "generation_config.json": json.dumps({"do_sample": True, "eos_token_id": [1, 2], "temperature": 0.6}),
        "tokenizer_config.json": json.dumps({"added_tokens_decoder": {"0": {"content": "<unk>"}}, "chat_template": LLAMA_31, "tokenizer_class": "PreTrainedTokenizerFast"}),
        "tokenizer.json": json.dumps({"version": "1.0", "model": {"type": "BPE", "vocab": {"{{": 0, "__class__": 1, "{%": 2, "{{ x.__class__ }}": 3}, "merges": ["{ {"]}}),
        "special_tokens_map.json": json.dumps({"bos_token": {"content": "<s>", "lstrip": False}}),
        ".gitattributes": "*.safetensors filter=lfs diff=lfs merge=lfs -text\n", "LICENSE": "Apache License\n",
        "USE_POLICY.md": "# Policy\n",
    }
    gptq = {"config.json": json.dumps({"model_type": "llama", "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "modules_in_block_to_quantize": [["q_proj"]]}}), "quantize_config.json": json.dumps({"bits": 4, "desc_act": True, "model_file_base_name": "model"})}
    awq = {"config.json": json.dumps({"model_type": "qwen2", "quantization_config": {"quant_method": "awq", "version": "gemm", "modules_to_not_convert": None}})}
    diffusers = {
        "model_index.json": json.dumps({"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": "0.19.0", "force_zeros_for_empty_prompt": True, "scheduler": ["diffusers", "EulerDiscreteScheduler"], "text_encoder": ["transformers", "CLIPTextModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"], "feature_extractor": [None, None], "image_encoder": [None, None]}),
        "scheduler/scheduler_config.json": '{"_class_name": "EulerDiscreteScheduler", "num_train_timesteps": 1000}',
        "unet/config.json": '{"_class_name": "UNet2DConditionModel"}', "unet/diffusion_pytorch_model.safetensors": tensors((8, 8)),
        "vae/config.json": '{"_class_name": "AutoencoderKL"}', "vae/diffusion_pytorch_model.fp16.safetensors": tensors((8, 8), dtype="F16", width=2),
        "text_encoder/config.json": '{"model_type": "clip_text_model"}', "tokenizer/merges.txt": "#version: 0.2\n", "tokenizer/vocab.json": '{"a": 0}',
    }
    sentence = {
        "modules.json": json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}, {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}]),
        "config_sentence_transformers.json": json.dumps({"__version__": {"sentence_transformers": "3.0.0"}, "prompts": {"query": "query: "}, "similarity_fn_name": "cosine"}),
        "sentence_bert_config.json": '{"max_seq_length": 256, "do_lower_case": false}', "1_Pooling/config.json": '{"word_embedding_dimension": 384, "pooling_mode_mean_tokens": true}',
        "vocab.txt": "[PAD]\n[UNK]\n", "data_config.json": '[{"name": "reddit", "lines": 100}]', "train_script.py": code,
    }
    new_sentence = {
        "modules.json": json.dumps([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"}, {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]),
        "2_Dense/config.json": '{"in_features": 768, "out_features": 128, "bias": false, "activation_function": "torch.nn.modules.linear.Identity"}',
    }
    peft = {"adapter_config.json": json.dumps({"auto_mapping": None, "base_model_name_or_path": "meta-llama/Llama-3.1-8B", "peft_type": "LORA", "r": 16, "task_type": "CAUSAL_LM", "revision": None}), "adapter_model.safetensors": tensors((8, 4), (4, 8))}
    peft_mapped = {"adapter_config.json": json.dumps({"auto_mapping": {"base_model_class": "WhisperForConditionalGeneration", "parent_library": "transformers.models.whisper.modeling_whisper"}, "peft_type": "LORA"}), "adapter_model.safetensors": tensors((8, 4))}
    trainer = {"trainer_state.json": json.dumps({"epoch": 3.0, "log_history": [{"loss": 0.5}]}), "all_results.json": '{"eval_loss": NaN}', "train_results.json": "{}", "training_args.json": "{}"}
    hydra = {"config.yaml": "defaults:\n  - _self_\nmodel:\n  _target_: torch.nn.Linear\n  in_features: 8\noptimizer:\n  _target_: torch.optim.AdamW\n  lr: 1e-3\nscheduler:\n  _target_: torch.optim.lr_scheduler.CosineAnnealingLR\n  T_max: ${trainer.max_epochs}\ntrainer:\n  _target_: pytorch_lightning.Trainer\n"}
    nemo = {"model_config.yaml": "target: nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE\nnormalizer:\n  _target_: nemo_text_processing.text_normalization.normalize.Normalizer\nsched:\n  _target_: apex.optimizers.FusedAdam\npreprocessor:\n  _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor\nencoder:\n  _target_: nemo.collections.asr.modules.ConformerEncoder\n"}
    mlflow = {
        "MLmodel": "artifact_path: model\nflavors:\n  python_function:\n    env:\n      conda: conda.yaml\n      virtualenv: python_env.yaml\n    loader_module: mlflow.sklearn\n    model_path: model.pkl\n    predict_fn: predict\n    python_version: 3.10.12\n  sklearn:\n    code: null\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\nmlflow_version: 2.9.2\n",
        "conda.yaml": "channels:\n- conda-forge\ndependencies:\n- python=3.10.12\n- pip<=23.0\n- pip:\n  - mlflow==2.9.2\n  - scikit-learn==1.3.2\nname: mlflow-env\n",
        "python_env.yaml": "python: 3.10.12\nbuild_dependencies:\n- pip==23.0\n", "requirements.txt": "mlflow==2.9.2\nscikit-learn==1.3.2\n",
    }
    space = {
        "requirements.txt": "# with CUDA, see https://pytorch.org\n--extra-index-url https://download.pytorch.org/whl/cu121\ntorch==2.1.0\ntransformers>=4.40; python_version >= '3.9'\nnumpy<2 --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\n-r requirements-dev.txt\n",
        "requirements-dev.txt": "pytest\n", "Dockerfile": "FROM python:3.11\nRUN pip install torch\nCMD [\"python\", \"app.py\"]\n", "app.py": code,
        "setup.py": "from setuptools import setup\nsetup(name='x')\n", "pyproject.toml": "[project]\nname = \"x\"\ndependencies = [\"torch\"]\n", "Makefile": "all:\n\tpython train.py\n",
        ".github/workflows/ci.yml": "on: push\njobs:\n  t:\n    runs-on: ubuntu-latest\n    steps:\n    - uses: actions/checkout@v4\n    - run: pytest ${{ matrix.args }}\n", ".gitignore": "*.pyc\n", ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/psf/black\n  rev: 24.1.0\n  hooks:\n  - id: black\n",
    }
    whisper = {"config.json": json.dumps({"model_type": "whisper", "forced_decoder_ids": [[1, None]]}), "preprocessor_config.json": json.dumps({"feature_extractor_type": "WhisperFeatureExtractor", "chunk_length": 30}), "normalizer.json": '{"accessorise": "accessorize"}', "added_tokens.json": '{"<|en|>": 1}'}
    onnx_folder = {"config.json": '{"model_type": "bert"}', "onnx/model.onnx": onnx([onnx_node("MatMul")], [onnx_tensor("w", [2, 2], numbers(16))]), "tokenizer.json": "{}", "ort_config.json": json.dumps({"one_external_file": True, "optimization": {}, "custom_ops": None}), "genai_config.json": json.dumps({"model": {"decoder": {"session_options": {"log_id": "x", "custom_ops_library": ""}}}})}
    gguf_folder = {"model-Q4_K_M.gguf": gguf(gg_llama(QWEN)), "README.md": card, "config.json": '{"model_type": "qwen2"}', "params": '{"stop": ["<|im_end|>"]}', "template": "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n{{ end }}{{ .Response }}", "Modelfile": 'FROM ./model-Q4_K_M.gguf\nTEMPLATE """{{ .Prompt }}"""\nPARAMETER temperature 0.7\n'}
    timm = {"config.json": json.dumps({"architecture": "resnet50", "num_classes": 1000, "pretrained_cfg": {"url": "https://example.com/x.pth", "custom_load": False, "fixed_input_size": True}})}
    yolo = {"args.yaml": "task: detect\nmode: train\nmodel: yolov8n.pt\nsave_dir: runs/detect\n", "data.yaml": "names:\n  0: cat\nnc: 1\n"}
    lightning = {"hparams.yaml": "lr: 0.001\ncfg: !!python/object:argparse.Namespace\n  a: 1\nshape: !!python/tuple\n- 1\n- 2\npath: !!python/object/apply:pathlib.PosixPath\n- data\n"}
    triton = {"config.pbtxt": 'name: "m"\nplatform: "onnxruntime_onnx"\nmax_batch_size: 8\ninput [\n  { name: "x" data_type: TYPE_FP32 dims: [ 4 ] }\n]\n', "1/model.onnx": onnx([onnx_node("MatMul")])}
    model_code = {"config.json": '{"model_type": "llama"}', "modeling_llama.py": code, "inference.py": code, "convert.py": code, "demo.ipynb": notebook("print(1)"), "scripts/download.sh": "#!/bin/bash\nwget https://example.com/x\n", "run.bat": "python app.py\r\n"}
    keras_hub = {"config.json": json.dumps({"module": "keras_hub.src.models.gemma.gemma_backbone", "class_name": "GemmaBackbone", "config": {"name": "x"}, "registered_name": "keras_hub>GemmaBackbone"}), "tokenizer.json": "{}"}
    made = {
        "llama": llama, "gptq": gptq, "awq": awq, "diffusers": diffusers, "sentence_transformers": sentence, "sentence_transformers_5": new_sentence,
        "peft": peft, "peft_mapped": peft_mapped, "trainer": trainer, "hydra": hydra, "nemo_config": nemo, "mlflow": mlflow, "space": space, "whisper": whisper,
        "onnx": onnx_folder, "gguf": gguf_folder, "timm": timm, "yolo": yolo, "lightning": lightning, "triton": triton, "with_code": model_code, "keras_hub": keras_hub,
        "lora": {"adapter_config.json": json.dumps({"peft_type": "LORA", "base_model_name_or_path": "x/y", "target_modules": "all-linear", "modules_to_save": None, "layers_pattern": None}), "adapter_model.safetensors": tensors((4, 8)), "config.json": '{"model_type": "mistral"}'},
        "notebook": {"example.ipynb": notebook("!pip install torch\nimport os", "<script>console.log(1)</script>"), "README.md": card},
        "prompts": {"prompts.json": json.dumps({"qa": "Answer {{ question }} with {{ context }}", "go": "{{ .Prompt }}"}), "config.json": json.dumps({"task_specific_params": {"t": {"prefix": "translate {{x}}: "}}, "model_type": "t5"})},
        "dataset_card": {"data/train.jsonl": '{"text": "{{ x.__class__ }} os.system"}\n{"text": "eval(1)"}\n', "dataset_infos.json": '{"default": {"features": {}}}'},
        "modelscope": {"configuration.json": json.dumps({"framework": "pytorch", "task": "text-generation", "model": {"type": "llama"}, "pipeline": {"type": "llama-text-generation"}})},
        "paddle": {"inference.yml": "Global:\n  model_name: PP-OCRv5\nPreProcess:\n  transform_ops:\n  - DecodeImage:\n      channel_first: false\n", "inference.json": '{"base_code": {"magic": "pir", "version": 1}, "program": {}}'},
        "transformers_js": {"config.json": '{"model_type": "bert", "transformers.js_config": {"dtype": "q8"}}', "onnx/model_quantized.onnx": onnx([onnx_node("DynamicQuantizeMatMul", "com.microsoft")], (), ("", "com.microsoft")), "quantize_config.json": '{"per_channel": false}'},
        "open_clip": {"open_clip_config.json": json.dumps({"model_cfg": {"embed_dim": 512, "vision_cfg": {"layers": 12}}, "preprocess_cfg": {"mean": [0.4, 0.4, 0.4]}})},
        "fairseq": {"dict.txt": "the 100\na 50\n", "bpe.codes": "#version: 0.2\nt h\n"},
        "moe_index": {"model.safetensors.index.json": json.dumps({"metadata": {"total_size": 256}, "weight_map": {"layer.0.weight": "model.safetensors"}})},
    }
    return {f"benign/repositories/{name}": repo(files) for name, files in made.items()}


def cases():
    """Return every case of this group: path -> bytes."""
    return {**template_cases(), **config_cases(), **benign_cases()}
