//! Owns templates: those that write chats, in the style of the known models, and
//! those that lead out of the sandbox.

use modelhost_plugin_code::jinja::{self, Kind};

/// Templates that do what templates for chats do.
const ORDINARY: &[&str] = &[
    // ChatML.
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ bos_token }}",
    // Llama 3.
    "{{- bos_token }}\n{%- if custom_tools is defined %}\n    {%- set tools = custom_tools %}\n{%- endif %}\n{%- if not date_string is defined %}\n    {%- if strftime_now is defined %}\n        {%- set date_string = strftime_now(\"%d %b %Y\") %}\n    {%- else %}\n        {%- set date_string = \"26 Jul 2024\" %}\n    {%- endif %}\n{%- endif %}\n{%- if messages[0]['role'] == 'system' %}\n    {%- set system_message = messages[0]['content']|trim %}\n    {%- set messages = messages[1:] %}\n{%- else %}\n    {%- set system_message = \"\" %}\n{%- endif %}\n{%- for message in messages %}\n    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}\n        {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}\n    {%- elif 'tool_calls' in message %}\n        {%- if not message.tool_calls|length == 1 %}\n            {{- raise_exception(\"This model only supports single tool-calls at once!\") }}\n        {%- endif %}\n        {%- set tool_call = message.tool_calls[0].function %}\n        {%- for arg_name, arg_val in tool_call.arguments | items %}\n            {{- arg_name + '=\"' + arg_val + '\"' }}\n            {%- if not loop.last %}{{- \", \" }}{%- endif %}\n        {%- endfor %}\n        {{- tool_call.arguments | tojson }}\n    {%- endif %}\n{%- endfor %}",
    // Llama 2 and Mistral.
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% endfor %}",
    "{%- set user_messages = loop_messages | selectattr(\"role\", \"equalto\", \"user\") | list %}\n{%- set ns = namespace() %}\n{%- set ns.index = 0 %}\n{%- for message in loop_messages %}\n{%- if not (message.role == \"tool\" or (message.tool_calls is defined and message.tool_calls is not none)) %}\n{%- if (message[\"role\"] == \"user\") != (ns.index % 2 == 0) %}{{- raise_exception(\"roles must alternate\") }}{%- endif %}\n{%- set ns.index = ns.index + 1 %}\n{%- endif %}{%- endfor %}\n{%- for key, val in tool.items() if key != \"return\" %}{{- '\"' + key + '\": ' + val|tojson }}{%- endfor %}{%- if not tool_call.id is defined or tool_call.id|length != 9 %}{%- endif %}",
    // Qwen.
    "{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}\n{%- for message in messages[::-1] %}\n    {%- set index = (messages|length - 1) - loop.index0 %}\n    {%- if ns.multi_step_tool and message.role == \"user\" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}\n        {%- set ns.multi_step_tool = false %}\n        {%- set ns.last_query_index = index %}\n    {%- endif %}\n{%- endfor %}\n{%- if '</think>' in content %}{%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}{%- set content = content.split('</think>')[-1].lstrip('\\n') %}{%- endif %}\n{%- if loop.first or (not loop.last and messages[loop.index0 - 1].role != \"tool\") %}{%- endif %}{%- if (loop.index0 == 0) or (messages[loop.index0 - 1].content.startswith('x')) %}{%- endif %}",
    "{% macro render_content(content, do_vision_count) %}{%- if content is string %}{{- content }}{%- else %}{%- for item in content %}{%- if 'image' in item or 'image_url' in item %}{{- '<|vision_start|>' }}{%- elif 'text' in item %}{{- item.text }}{%- endif %}{%- endfor %}{%- endif %}{% endmacro %}{{ render_content(message.content, true)|trim }}",
    "{% set image_count = namespace(value=0) %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}{% endif %}{% endfor %}",
    // Gemma.
    "{{ bos_token }}\n{%- if messages[0]['content'] is string -%}{%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}{%- else -%}{%- set first_user_prefix = messages[0]['content'][0]['text'] -%}{%- endif -%}{%- for message in messages -%}{%- if (message['role'] == 'assistant') -%}{%- set role = \"model\" -%}{%- else -%}{%- set role = message['role'] -%}{%- endif -%}{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else \"\") }}{%- endfor -%}",
    // Phi.
    "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}",
    // GPT-OSS and others with macros that call each other.
    "{%- macro render_type(param_spec, is_nullable=false) -%}{%- if param_spec.type == \"array\" -%}{%- if param_spec['items'] -%}{{- render_type(param_spec['items']) + '[]' }}{%- endif -%}{%- elif param_spec.type is defined and param_spec.type is iterable and param_spec.type is not string and param_spec.type is not mapping and param_spec.type[0] is defined -%}{%- if param_spec.type | length > 1 -%}{{- param_spec.type | join(\" | \") }}{%- endif -%}{%- elif param_spec.oneOf -%}{%- set has_object_variants = false -%}{%- for variant in param_spec.oneOf -%}{%- if variant.type == \"object\" -%}{%- set has_object_variants = true -%}{%- endif -%}{%- endfor -%}{%- endif -%}{%- endmacro -%}{{ '// ' + param_spec.description if param_spec.description else '' }}{{ param_spec.format }}",
    // Command R, with documents and dunder names in plain text.
    "{% for doc in documents %}Document: {{ loop.index0 }}\n{% for key, value in doc.items() %}{{ key|title }}: {{ value }}\n{% endfor %}{% endfor %}{{ 'Write `def __init__(self)` and never `__import__`.' }}Use __class__ here: {{ x }}",
    "{% set prompt = 'Call obj.__class__ to see the type' %}{{ prompt }}{% if '__metadata' in message %}{% endif %}",
    // Hugging Face's own extensions, and all that else stands in templates.
    "{% generation %}{{ message['content'] }}{% endgeneration %}{% for m in messages %}{% if m.role == 'x' %}{% continue %}{% endif %}{% break %}{% endfor %}",
    "{{ messages | map(attribute='role') | unique | join(', ') }}{{ tools | map('tojson') | join('\\n') }}{{ x | selectattr('type', 'eq', 'text') | map(attribute='text') | first }}{{ x|default('', true)|trim|replace('a', 'b')|upper|indent(4) }}",
    "{% set roles = {'user': 'USER', 'assistant': 'ASSISTANT'} %}{{ roles[message['role']] }}{{ roles.get(message.role, 'X').strip() }}{{ message[content_key].strip() }}",
    "{{ '%s: %s'|format(message.role, message.content) }}{{ '{}: {}'.format(a, b) }}{{ '%02d' % 5 }}",
    "{% for a, (b, c) in x %}{{ a }}{% else %}none{% endfor %}{% for i in range(0, n) if i is even %}{{ i }}{% endfor %}{% for node in tree recursive %}{{ loop(node.children) }}{% endfor %}",
    "{% call(item) list_of(items) %}{{ item }}{% endcall %}{% filter upper %}x{% endfilter %}{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{% set x %}text {{ y }}{% endset %}{% set z | upper %}t{% endset %}",
    "{{ not a and b or c ~ d ** 2 // 3 }}{{ a if b }}{{ a is not none and b is divisibleby 3 }}{{ (1, 2)[0] }}{{ [1, 2,][-1] }}{{ {'a': 1,}['a'] }}{{ x.0 }}{{ f(*args, **kwargs) }}{{ 'a' 'b' }}{{ x[1:2, 3] }}",
    "{% raw %}{{ x.__class__ }}{% endraw %}{# {{ x.__class__ }} #}",
    "{{ message.tool_calls[0]['function']['name'] }}{{ message._id }}{{ message['_private'] }}{{ _x }}{{ tool['mcp__' ~ name] }}{{ user__name }}",
    "{%- if x is in ['a', 'b'] %}{% elif x not in y and not z %}{% endif %}{% set a, b = b, a %}{% do items.append(1) %}",
    "{{ content.split('</think>')|last|trim }}{{ (messages|last).content.strip() }}{{ (tool.function or tool).name }}",
    "{% autoescape false %}{% block body scoped %}{{ self.title() }}{% endblock body %}{% endautoescape %}",
    "{% if x: %}{% else: %}{% endif %}{% for a in b: %}{% endfor %}{{ x[] }}{{ in }}",
    "no template at all",
    "",
];

#[test]
fn ordinary_templates_have_no_way_out() {
    for template in ORDINARY {
        let reading = jinja::read(template);
        assert_eq!(reading.broken, None, "{template}");
        assert_eq!(reading.escapes, [], "{template}");
    }
}

/// Templates that lead out, and how.
const ESCAPES: &[(Kind, &str)] = &[
    (Kind::Internals, "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
    (Kind::Internals, "{{ cycler.__init__.__globals__.os.popen('id').read() }}"),
    (Kind::Internals, "{{ joiner.__init__ }}"),
    (Kind::Internals, "{{ namespace.__init__ }}"),
    (Kind::Internals, "{{ lipsum.__globals__ }}"),
    (Kind::Internals, "{{ self.__init__ }}"),
    (Kind::Internals, "{{ self._TemplateReference__context }}"),
    (Kind::Internals, "{{ request.application.__globals__ }}"),
    (Kind::Internals, "{{ config.__class__ }}"),
    (Kind::Internals, "{{ raise_exception.__globals__ }}"),
    (Kind::Internals, "{{ __builtins__ }}"),
    (Kind::Internals, "{{ x . \n __class__ }}"),
    (Kind::Internals, "{% if ''.__class__ %}{% endif %}"),
    (Kind::Internals, "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}"),
    (Kind::Internals, "{% set x = y.__class__ %}"),
    (Kind::Internals, "{% set x | attr('__class__') %}{% endset %}"),
    (Kind::Internals, "{% filter attr('__class__') %}{% endfilter %}"),
    (Kind::Internals, "{% macro f(x=y.__class__) %}{% endmacro %}"),
    (Kind::Internals, "{% call f(x.__class__) %}{% endcall %}"),
    (Kind::Internals, "{% with x = y.__class__ %}{% endwith %}"),
    (Kind::Internals, "{{ f(a=[{'x': y.__class__}]) }}"),
    (Kind::Internals, "{{ x if y.__class__ else z }}"),
    (Kind::Internals, "{{ x is eq y.__class__ }}"),
    (Kind::Internals, "{{ x[y.__class__:] }}"),
    (Kind::Internals, "{{ ''['__class__'] }}"),
    (Kind::Internals, "{{ ''['__cla' 'ss__'] }}"),
    (Kind::Internals, "{{ ''['__cla' ~ 'ss__'] }}"),
    (Kind::Internals, "{{ ''['__cla' + 'ss__'] }}"),
    (Kind::Internals, r"{{ ''['\x5f\x5fclass\137\u005f'] }}"),
    (Kind::Internals, r"{{ ''['\N{LOW LINE}_class__'] }}"),
    (Kind::Internals, "{{ ''['__ssalc__'[::-1]] }}"),
    (Kind::Internals, "{{ ''['__ssalc__'|reverse] }}"),
    (Kind::Internals, "{{ ''['__CLASS__'|lower] }}"),
    (Kind::Internals, "{{ ''['__CLASS__'.lower()] }}"),
    (Kind::Internals, "{{ ''['xxclassxx'|replace('x', '_')] }}"),
    (Kind::Internals, "{{ ''['xxclassxx'.replace('xx', '__')] }}"),
    (Kind::Internals, "{{ ''['%s%s' % ('__cla', 'ss__')] }}"),
    (Kind::Internals, "{{ ''['%c%cclass__' % (95, 95)] }}"),
    (Kind::Internals, "{{ ''['%sclass%s'|format('__', '__')] }}"),
    (Kind::Internals, "{{ ''['{}class{}'.format('__', '__')] }}"),
    (Kind::Internals, "{{ ''['{0:c}{0:c}class__'.format(95)] }}"),
    (Kind::Internals, "{{ ''[['__', 'class', '__']|join] }}"),
    (Kind::Internals, "{{ ''['__'.join(['', 'class', ''])] }}"),
    (Kind::Internals, "{{ ''[('_' * 2) ~ 'class' ~ '_' * 2] }}"),
    (Kind::Internals, "{{ ''[dict(__class__=1)|join] }}"),
    (Kind::Internals, "{{ ''[{'__class__': 1}|first] }}"),
    (Kind::Internals, "{{ ''[['a', '__class__']|last] }}"),
    (Kind::Internals, "{{ ''[['__class__'][0]] }}"),
    (Kind::Internals, "{{ ''[{'a': '__class__'}['a']] }}"),
    (Kind::Internals, "{{ ''[{'a': '__class__'}.a] }}"),
    (Kind::Internals, "{{ ''['__class__ '|trim] }}"),
    (Kind::Internals, "{{ ''['x__class__'[1:]] }}"),
    (Kind::Internals, "{{ ''[(a or '__class__')] }}"),
    (Kind::Internals, "{{ ''['__class__' if a else 'b'] }}"),
    (Kind::Internals, "{{ ''[a|default('__class__')] }}"),
    (Kind::Internals, "{{ ''['__' ~ a ~ '__'] }}"),
    (Kind::Internals, "{% set a = '__class__' %}{{ ''[a] }}"),
    (Kind::Internals, "{% set a %}__class__{% endset %}{{ ''[a] }}"),
    (Kind::Internals, "{% set a %}__{{ 'class' }}__{% endset %}{{ ''[a] }}"),
    (Kind::Internals, "{% set u = '_' * 2 %}{% set a = u ~ 'class' ~ u %}{{ ''[a] }}"),
    (Kind::Internals, "{% set ns = namespace(a='__class__') %}{{ ''[ns.a] }}"),
    (Kind::Internals, "{% set ns.a = '__class__' %}{{ ''[ns.a] }}"),
    (Kind::Internals, "{% set a, b = 'x', '__class__' %}{{ ''[b] }}"),
    (Kind::Internals, "{% for a in ['x', '__class__'] %}{{ ''[a] }}{% endfor %}"),
    (Kind::Internals, "{% for k, v in {'x': '__class__'}.items() %}{{ ''[v] }}{% endfor %}"),
    (Kind::Internals, "{% for i in x %}{{ ''[ns.a] }}{% set ns.a = '__class__' %}{% endfor %}"),
    (Kind::Internals, "{% with a = '__class__' %}{{ ''[a] }}{% endwith %}"),
    (Kind::Internals, "{% macro f(a='__class__') %}{{ ''[a] }}{% endmacro %}"),
    (Kind::Internals, "{{ ''|attr('__class__') }}"),
    (Kind::Internals, "{{ ''|attr('__' ~ 'class__') }}"),
    (Kind::Internals, r"{{ ''|attr('\x5f\x5fclass\x5f\x5f')|attr('mro') }}"),
    (Kind::Internals, "{{ [x]|map(attribute='__class__')|list }}"),
    (Kind::Internals, "{{ [x]|map(attribute='a.__class__.b')|list }}"),
    (Kind::Internals, "{{ [x]|map('attr', '__class__')|list }}"),
    (Kind::Internals, "{{ [x]|selectattr('__class__')|list }}"),
    (Kind::Internals, "{{ [x]|rejectattr('x.__class__')|list }}"),
    (Kind::Internals, "{{ [x]|groupby('__class__') }}"),
    (Kind::Internals, "{{ [x]|sort(attribute='__class__') }}"),
    (Kind::Internals, "{{ [x]|sum('__class__') }}"),
    (Kind::Internals, "{{ [x]|unique(attribute='__class__') }}"),
    (Kind::Internals, "{{ x.gi_frame.f_globals }}"),
    (Kind::Internals, "{{ x['gi_frame']['f_builtins'] }}"),
    (Kind::Internals, "{{ x.mro() }}"),
    (Kind::Internals, "{%- raw -%}x{%- endraw -%}{{ x.__class__ }}"),
    (Kind::Internals, "{# a #}{{ x.__class__ }}{# b #}"),
    (Kind::Internals, "{{ {'a': {'b': x.__class__}} }}"),
    (Kind::Internals, "{% trans a=x.__class__ %}{{ a }}{% endtrans %}"),
    (Kind::Format, "{{ '{0.__class__}'.format(x) }}"),
    (Kind::Format, "{{ '{x.__init__.__globals__[os]}'.format(x=y) }}"),
    (Kind::Format, "{{ '{0.__class__}'.format_map(x) }}"),
    (Kind::Format, "{{ ('{0._' ~ '_class__}').format(x) }}"),
    (Kind::Format, "{{ ('{0.' ~ y ~ '}').format(x) }}"),
    (Kind::Format, "{% set s = '{0.__class__}' %}{{ s.format(x) }}"),
    (Kind::Format, "{% set f = '{0.__class__}'.format %}{{ f(x) }}"),
    (Kind::Format, "{{ '{0.__class__}'['format'](x) }}"),
    (Kind::Format, "{{ ('{0.__class__}'|attr('format'))(x) }}"),
    (Kind::Format, "{{ ['{0.__class__}'.format]|first }}"),
    (Kind::MadeUp, "{{ x|attr(y) }}"),
    (Kind::MadeUp, "{{ x|attr(y ~ 'z') }}"),
    (Kind::MadeUp, "{{ x|attr(*y) }}"),
    (Kind::MadeUp, "{{ x[y]() }}"),
    (Kind::MadeUp, "{{ x[y][z]('id') }}"),
    (Kind::MadeUp, "{{ x[y].popen('id') }}"),
    (Kind::MadeUp, "{{ x[y]['popen']('id') }}"),
    (Kind::MadeUp, "{% set f = x[y] %}{{ f('id') }}"),
    (Kind::MadeUp, "{% set ns.f = x[y] %}{{ ns.f('id') }}"),
    (Kind::MadeUp, "{% for f in [x[y]] %}{{ f('id') }}{% endfor %}"),
    (Kind::MadeUp, "{{ (x|first)('id') }}"),
    (Kind::MadeUp, "{{ x|first('a')('id') }}"),
    (Kind::MadeUp, "{{ x()('id') }}"),
    (Kind::MadeUp, "{{ x|map(y)|list }}"),
    (Kind::MadeUp, "{{ x|map('attr', y)|list }}"),
    (Kind::MadeUp, "{{ ([x]|map(attribute=y)|first)('id') }}"),
    (Kind::MadeUp, "{{ x[lipsum()[3] ~ lipsum()[9]]('id') }}"),
    (Kind::MadeUp, "{{ x.get(y)('id') }}"),
    (Kind::MadeUp, "{% set k = 'x' if a else b %}{{ x[k]('id') }}"),
    (Kind::MadeUp, "{{ x[{'k': y}.k]('id') }}"),
    (Kind::Other, "{% include 'x' %}"),
    (Kind::Other, "{% import x as y %}"),
    (Kind::Other, "{% from 'x' import y with context %}"),
    (Kind::Other, "{% extends x %}"),
];

#[test]
fn ways_out_are_seen() {
    for (kind, template) in ESCAPES {
        let reading = jinja::read(template);
        assert_eq!(reading.broken, None, "{template}");
        let kinds: Vec<_> = reading.escapes.iter().map(|escape| escape.kind).collect();
        assert!(kinds.contains(kind), "{template}: {kinds:?}");
        // And in the midst of an ordinary one, on its line.
        let inside = format!("{{% for m in messages %}}\n{template}\n{{% endfor %}}");
        let reading = jinja::read(&inside);
        assert!(
            reading.escapes.iter().any(|escape| escape.kind == *kind && escape.line >= 2),
            "{template}"
        );
    }
}

#[test]
fn what_is_no_template_is_broken() {
    for template in [
        "{{ x",
        "{{ }}",
        "{{ x y }}",
        "{{ x. }}",
        "{{ x| }}",
        "{{ (x }}",
        "{% frobnicate %}",
        "{% for x %}",
        "{% set = 1 %}",
        "{% %}",
        "{{ {a} }}",
        "{{ f(a b) }}",
    ] {
        let reading = jinja::read(template);
        assert!(reading.broken.is_some(), "{template}");
    }
    let deep = format!("{{{{ {}x{} }}}}", "(".repeat(5_000), ")".repeat(5_000));
    assert!(jinja::read(&deep).broken.unwrap().why.contains("deep"));
    // What stands before the break counts.
    let reading = jinja::read("{{ x.__class__ }}{{");
    assert_eq!(reading.escapes.len(), 1);
    assert!(reading.broken.is_some());
}
