//! Owns what holds for any input: an answer comes, and it comes in time.

use std::time::{Duration, Instant};

use modelhost_check::testing::Model;
use modelhost_plugin_code::{jinja, json};
use proptest::prelude::*;

use crate::support::{Layout, check, gguf};

/// Pieces of which templates are made.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{% raw %}",
    "{% endraw %}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|attr(",
    "|join",
    "|map(",
    "'__class__'",
    "'x'",
    "x",
    ".",
    "__init__",
    "~",
    "+",
    "*",
    "%",
    ":",
    ",",
    "=",
    " if ",
    " else ",
    " for ",
    " in ",
    " is ",
    " not ",
    " set ",
    " macro ",
    "namespace(",
    "dict(",
    "-1",
    "9223372036854775807",
    "0x",
    "1e",
    "\\",
    "\"",
    "'",
    "\n",
    "é",
    "\u{fffc}",
    "|format(",
    ".format(",
    "|replace(",
    "|reverse",
    "[::-1]",
];

proptest! {
    #[test]
    fn templates_are_read_or_said_to_be_broken(picks in prop::collection::vec(0..PIECES.len(), 0..60)) {
        let text: String = picks.into_iter().map(|pick| PIECES[pick]).collect();
        let reading = jinja::read(&text);
        prop_assert_eq!(jinja::read(&text), reading);
    }

    #[test]
    fn expressions_are_read_or_said_to_be_broken(picks in prop::collection::vec(0..PIECES.len(), 0..40)) {
        let text: String = picks.into_iter().map(|pick| PIECES[pick]).collect();
        let _ = jinja::read(&format!("{{{{ x{text} }}}}"));
        let _ = jinja::read(&format!("{{% set x = {text} %}}{{{{ y[x]() }}}}"));
    }

    #[test]
    fn any_text_is_a_template_or_json(text in any::<String>()) {
        let _ = jinja::read(&text);
        let _ = jinja::read(&format!("{{{{ {text} }}}}"));
        let _ = json::walk(text.as_bytes(), &mut |_, _, _| {});
    }

    #[test]
    fn any_bytes_are_files(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut model = Model::new("m");
        for name in ["a", "config.json", "a.yaml", "chat_template.jinja", "requirements.txt", "x.pbtxt", "MLmodel", "a.pth"] {
            model = model.file(name, bytes.clone());
        }
        check(&model);
    }

    #[test]
    fn any_change_to_gguf_is_read(at in 4..200_usize, bytes in prop::collection::vec(any::<u8>(), 1..9)) {
        let mut file = gguf(Layout::Three, &[("tokenizer.chat_template", "{{ x }}"), ("z", "z")]);
        let at = at.min(file.len() - bytes.len());
        file[at..at + bytes.len()].copy_from_slice(&bytes);
        check(&Model::new("m").file("m.gguf", file));
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time that it takes is what is measured")]
fn hostile_templates_take_linear_time() {
    let mib = |text: &str| text.repeat((1 << 20) / text.len() - 20);
    let long = "x".repeat(250);
    let lists =
        "{% set a = ['x', 'y'] %}".to_owned() + &mib("{% set a = [a, a, a, a, a, a, a, a] %}");
    for text in [
        mib("("),
        format!("{{{{ {}", mib("(")),
        format!("{{{{ x{} }}}}", mib(" ~ x")),
        format!("{{% set x = '{long}' %}}{{{{ x{} }}}}", mib(" ~ x")),
        format!("{{{{ x{} }}}}", mib("|reverse")),
        format!("{{{{ x{} }}}}", mib(".a")),
        format!("{{{{ x{} }}}}", mib("[0]")),
        format!("{{{{ x{} }}}}", mib("()")),
        format!("{{{{ {}x }}}}", mib("not ")),
        format!("{{{{ {}x }}}}", mib("-")),
        format!("{{{{ x{} }}}}", mib(" if y else x")),
        format!("{{{{ '{}'|join('{long}') }}}}", long),
        format!("{{{{ [{}]|join }}}}", mib("'x',")),
        format!("{{{{ f({}) }}}}", mib("a='x',")),
        lists,
        mib("{% set a = a ~ 'x' %}"),
        mib("{% set a = 'x' if a else a ~ 'y' %}"),
        mib("{% raw %}"),
        mib("{% set x %}"),
        mib("{#"),
        mib("{{ '"),
        mib("{{ x.__class__ }}"),
        mib("{% for a in b %}"),
        mib("{{ '%s%s' % (a, 'x') }}"),
    ] {
        let start = Instant::now();
        let reading = jinja::read(&text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(4), "{took:?}: {}", &text[..40]);
        drop(reading);
    }
}
