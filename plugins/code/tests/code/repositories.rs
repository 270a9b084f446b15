//! Owns whole repositories: ordinary ones, and what makes one run code.

use modelhost_check::testing::{self, Model, json};
use modelhost_check::{Failure, Severity};
use modelhost_plugin_code::Code;

use crate::support::{check, of, short, worst};

const TEMPLATE: &str =
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] }}{% endfor %}";

#[test]
fn an_ordinary_repository_has_nothing_of_medium_or_above() {
    let tokenizer = json!({"bos_token": "<s>", "chat_template": TEMPLATE, "auto_map": {}, "x": "{{ not jinja", "y": "${{ x }}", "z": null, "extra": ["__init__", "{% y"]});
    let lists = json!({"chat_template": [{"name": "default", "template": TEMPLATE}, {"name": "{{ tool", "template": TEMPLATE}]});
    let index = json!({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"], "text_encoder": ["transformers", "CLIPTextModel"], "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"], "x": [null, null], "vocoder": ["audioldm2", "X"], "requires_safety_checker": true});
    let modules = json!([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]);
    let answer = of(&[
        (
            "README.md",
            "---\nlicense: mit\n---\n```python\nimport os\n_target_: os.system\n```\n{{ x.__class__ }}",
        ),
        (
            "config.json",
            r#"{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "trust_remote_code": false, "rope_theta": Infinity}"#,
        ),
        ("tokenizer_config.json", &tokenizer.to_string()),
        ("processor_config.json", &lists.to_string()),
        ("chat_template.jinja", TEMPLATE),
        ("model_index.json", &index.to_string()),
        ("modules.json", &modules.to_string()),
        (
            "adapter_config.json",
            r#"{"auto_mapping": {"base_model_class": "X", "parent_library": "transformers.models.llama.modeling_llama"}}"#,
        ),
        ("generation_config.json", "{}"),
        ("vocab.json", r#"{"{{": 1, "{%": 2, "__class__": 3}"#),
        ("merges.txt", "#version: 0.2\n{ {\n"),
        (
            "requirements.txt",
            "torch>=2\ntransformers==4.50.0\n--extra-index-url https://download.pytorch.org/whl/cu121\n",
        ),
        ("config.yaml", "optimizer:\n  _target_: torch.optim.AdamW\n  lr: 1e-3\n"),
        (
            "MLmodel",
            "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    code: null\n",
        ),
        ("config.pbtxt", "backend: \"onnxruntime\"\n"),
        ("train.py", "import torch"),
        ("demo.ipynb", "{\"cells\": []}"),
        ("run.sh", "#!/bin/sh\n"),
        ("LICENSE", "MIT"),
        ("model.safetensors", "\0\0"),
        ("empty", ""),
    ]);
    assert!(worst(&answer) <= Some(Severity::Low), "{:#?}", answer.findings());
    assert_eq!(answer.fact("remote-code"), Some("none"));
    assert_eq!(answer.fact("chat-templates"), Some("4"));
    assert_eq!(answer.fact("python-files"), Some("2"));
}

#[test]
fn configurations_that_have_code_run() {
    type Row<'a> = (&'a str, &'a str, &'a [&'a str], &'a str);
    let rows: &[Row<'_>] = &[
        (
            "config.json",
            r#"{"auto_map": {"AutoModel": "modeling_x.M", "AutoConfig": "modeling_x.C"}}"#,
            &["auto-map high"],
            "local",
        ),
        (
            "sub/config.json",
            r#"{"auto_map": {"AutoModel": "a.modeling_x.M"}}"#,
            &["auto-map high"],
            "local",
        ),
        (
            "tokenizer_config.json",
            r#"{"auto_map": {"AutoTokenizer": ["tok.X", null]}}"#,
            &["auto-map high"],
            "local",
        ),
        (
            "config.json",
            r#"{"auto_map": {"AutoModel": "o/r--modeling_x.M"}}"#,
            &["auto-map high"],
            "remote",
        ),
        (
            "config.json",
            r#"{"x": 1, "auto_map": {"AutoModel": "modeling_x.M"}, "auto_map": {}}"#,
            &["auto-map high"],
            "local",
        ),
        ("CONFIG.JSON", r#"{"\u0061uto_map": "modeling_x.M"}"#, &["auto-map high"], "local"),
        (
            "config.json",
            r#"{"custom_pipelines": {"t": {"impl": "pipe.P", "pt": ["AutoModel"], "type": "text"}}}"#,
            &["auto-map high"],
            "local",
        ),
        ("config.json", r#"{"trust_remote_code": true}"#, &["auto-map high"], "remote"),
        ("results.json", r#"{"trust_remote_code": true}"#, &["auto-map low"], "remote"),
        ("generation_config.json", r#"{"custom_generate": "o/r"}"#, &["auto-map high"], "remote"),
        ("model_index.json", r#"{"_class_name": ["pipeline", "P"]}"#, &["auto-map high"], "local"),
        (
            "model_index.json",
            r#"{"unet": ["subprocess", "Popen"]}"#,
            &["foreign-module critical"],
            "none",
        ),
        (
            "modules.json",
            r#"[{"type": "custom_st.Transformer"}]"#,
            &["foreign-module high"],
            "none",
        ),
        ("modules.json", r#"[{"type": "os.system"}]"#, &["foreign-module critical"], "none"),
        ("modules.json", r#"[{"type": "torch.nn.Linear"}]"#, &["foreign-module high"], "none"),
        (
            "adapter_config.json",
            r#"{"auto_mapping": {"parent_library": "transformers_modules.o.r.x"}}"#,
            &["foreign-module high"],
            "none",
        ),
        (
            "adapter_config.json",
            r#"{"auto_mapping": {"parent_library": "os"}}"#,
            &["foreign-module critical"],
            "none",
        ),
        ("x.json", r#"{"a": [{"_target_": "os.system"}]}"#, &["hydra-target critical"], "none"),
        ("x.json", r#"{"_target_": "src.models.Net"}"#, &["hydra-target high"], "none"),
        ("x.yaml", "a:\n  _target_: os.system\n", &["hydra-target critical"], "none"),
        ("x.yml", "a: {_target_: *b}", &["hydra-target high"], "none"),
        (
            "hparams.yaml",
            "a: !!python/object/apply:os.system [id]\n",
            &["yaml-object critical"],
            "none",
        ),
        (
            "hparams.yaml",
            "a: !!python/object/new:argparse.Namespace\nb: !!python/tuple [1]\n",
            &[],
            "none",
        ),
        (
            "tokenizer_config.json",
            r#"{"chat_template": {"name": "{{ x.__class__ }}"}}"#,
            &["template-escape critical"],
            "none",
        ),
        (
            "genai_config.json",
            r#"{"s": {"custom_ops_library": "libx.so"}}"#,
            &["custom-ops high"],
            "none",
        ),
        (
            "config.pbtxt",
            "model_operations { op_library_filename: \"libx.so\" }",
            &["custom-ops high"],
            "none",
        ),
        ("config.pbtxt", "backend: \"python\"", &["auto-map high"], "local"),
        ("MLmodel", "loader_module: evil\n", &["foreign-module high"], "none"),
        ("MLmodel", "    code: code\n", &["foreign-module high"], "none"),
        (
            "tokenizer_config.json",
            r#"{"chat_template": "{{ x.__class__ }}"}"#,
            &["template-escape critical"],
            "none",
        ),
        (
            "tokenizer_config.json",
            r#"{"chat_template": [{"name": "a", "template": "{{ x['__cla'~'ss__'] }}"}]}"#,
            &["template-escape critical"],
            "none",
        ),
        (
            "processor_config.json",
            r#"{"chat_template": {"default": "{{ x|attr(y) }}"}}"#,
            &["template-escape high"],
            "none",
        ),
        ("chat_template.json", r#"{"chat_template": "{{ x"}"#, &["not-readable high"], "none"),
        ("x.json", r#"{"prompt": ["{{ x.__class__ }}"]}"#, &["template-escape low"], "none"),
        (
            "x.json",
            r#"{"prompt_template": "{{ x.__class__ }}"}"#,
            &["template-escape critical"],
            "none",
        ),
        (
            "config.json",
            r#"{"prompt": ["{{ x.__class__ }}"]}"#,
            &["template-escape critical"],
            "none",
        ),
        ("chat_template.jinja", "\n{{ x.__class__ }}", &["template-escape critical"], "none"),
        (
            "additional_chat_templates/tool.jinja",
            "{% include 'x' %}",
            &["template-escape high"],
            "none",
        ),
        ("page.j2", "{% include 'x' %}{{ x.__class__ }}", &["template-escape critical"], "none"),
        ("page.j2", "{% include 'x' %}", &[], "none"),
        ("page.j2", "{% custom %}", &["not-readable low"], "none"),
        ("config.json", "{\"model_type\": \"x\",", &["not-readable high"], "none"),
        (
            "config.json",
            "{\"auto_map\": {\"A\": \"o/r--x.M\"},",
            &["auto-map high", "not-readable high"],
            "remote",
        ),
        ("config.json", "", &["not-readable high"], "none"),
        ("lines.json", "{}\n{}\n", &["not-readable info"], "none"),
        ("requirements.txt", "--index-url https://example.com", &["requirements-url high"], "none"),
        (
            "requirements-dev.txt",
            "x @ git+https://example.com/x",
            &["requirements-url high"],
            "none",
        ),
        ("handler.py", "", &["python-code high"], "local"),
        ("__pycache__/x.cpython-311.pyc", "\u{1}", &["python-code medium"], "none"),
        ("run.py", "", &["python-code low"], "none"),
        ("run", "#!/usr/bin/python", &["python-code low"], "none"),
        ("install.ps1", "", &["shell-script low"], "none"),
        ("weights.bin", "\u{7f}ELF", &["executable high"], "none"),
    ];
    for (path, text, expected, code) in rows {
        let answer = of(&[(path, text)]);
        assert_eq!(short(answer.findings()), *expected, "{path} {text}: {:#?}", answer.findings());
        assert_eq!(answer.fact("remote-code"), Some(*code), "{path} {text}");
    }
}

#[test]
fn code_that_is_named_is_found_beside_its_configuration() {
    let named = "{\n\"auto_map\": {\"AutoModel\": \"modeling_x.M\"}}";
    for (config, code) in [
        ("config.json", "modeling_x.py"),
        ("a/config.json", "a/modeling_x.py"),
        ("a/config.json", "modeling_x.py"),
    ] {
        let answer = of(&[(config, named), (code, "import os"), ("other.py", "")]);
        assert_eq!(
            short(answer.findings()),
            ["auto-map high", "python-code high", "python-code low"]
        );
        let [first, second, third] = answer.findings() else { panic!() };
        assert_eq!((first.location.file.as_deref(), first.location.line), (Some(config), Some(2)));
        assert_eq!(first.location.member.as_deref(), Some("auto_map.AutoModel"));
        assert!(first.message.contains("`M`") && first.message.contains(code), "{}", first.message);
        assert_eq!(second.location.file.as_deref(), Some(code));
        assert_eq!(third.location.file.as_deref(), Some("other.py"));
    }
    let modules = r#"[{"type": "custom_st.Transformer"}]"#;
    let answer = of(&[("modules.json", modules), ("custom_st.py", "")]);
    assert_eq!(
        short(answer.findings()),
        ["foreign-module high", "auto-map high", "python-code high"]
    );
    let index = r#"{"unet": ["my_unet", "Net"]}"#;
    let answer = of(&[("model_index.json", index), ("unet/my_unet.py", "")]);
    assert_eq!(short(answer.findings()), ["auto-map high", "python-code high"]);
}

#[test]
fn many_files_of_a_kind_are_one_finding() {
    let mut model = Model::new("m");
    for number in 0..300 {
        model =
            model.file(format!("src/{number:03}.py"), "").file(format!("bin/{number:03}.sh"), "");
    }
    let answer = check(&model);
    assert_eq!(short(answer.findings()), ["python-code low", "shell-script low"]);
    assert!(answer.findings()[0].message.ends_with("and 292 more"));
}

#[test]
fn what_is_too_large_is_said_to_be() {
    let size = 9 << 20;
    for (path, expected) in [
        ("config.json", "not-readable high"),
        ("tokenizer.json", "not-readable info"),
        ("a.yaml", "not-readable medium"),
        ("chat_template.jinja", "not-readable high"),
        ("requirements.txt", "not-readable medium"),
    ] {
        let model = Model::new("m").sparse_file(path, size, [(0, b"{")]);
        assert_eq!(short(check(&model).findings()), [expected], "{path}");
        assert!(testing::bytes_read(&model, path) < 1000);
    }
    let many = format!("[{}0]", r#""{{ x }}","#.repeat(10_001));
    assert_eq!(short(of(&[("a.json", &many)]).findings()), ["not-readable info"]);
    assert_eq!(short(of(&[("config.json", &many)]).findings()), ["not-readable high"]);
    let long = format!("{{{{ '{}' }}}}", "x".repeat(2 << 20));
    let answer = of(&[("chat_template.jinja", &long)]);
    assert_eq!(short(answer.findings()), ["not-readable high"]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_failure() {
    let model = Model::new("m").file("config.json", "{}").unreadable("config.json");
    let failure = testing::check::<Code>(&model, json!({})).unwrap_err();
    assert!(matches!(failure, Failure::Unreadable(why) if why.starts_with("config.json")));
}
