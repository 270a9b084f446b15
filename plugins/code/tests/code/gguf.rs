//! Owns templates in the metadata of GGUF.

use modelhost_check::Severity;
use modelhost_check::testing::{self, Model};

use crate::support::{Layout, check, gguf, short, worst};

const ESCAPE: &str = "{{ ''.__class__ }}";

#[test]
fn templates_of_all_names_and_layouts_are_read() {
    for layout in [Layout::One, Layout::Three, Layout::Big] {
        for key in
            ["tokenizer.chat_template", "tokenizer.chat_template.tool_use", "general.description"]
        {
            let texts = [("general.name", "{% x"), (key, ESCAPE), ("z", "{{ '__init__' }}")];
            let answer = check(&Model::new("m").file("any-name", gguf(layout, &texts)));
            assert_eq!(short(answer.findings()), ["template-escape critical"], "{key}");
            assert_eq!(answer.findings()[0].location.member.as_deref(), Some(key));
        }
        let answer = check(
            &Model::new("m")
                .file("m.gguf", gguf(layout, &[("tokenizer.chat_template", "{{ x }}")])),
        );
        assert_eq!(answer.findings(), []);
        assert_eq!(answer.fact("chat-templates"), Some("1"));
    }
}

#[test]
fn broken_metadata_are_said_to_be_so_and_what_comes_first_is_judged() {
    let whole = gguf(Layout::Three, &[("tokenizer.chat_template", ESCAPE), ("z", "z")]);
    for cut in 4..whole.len() {
        let answer = check(&Model::new("m").file("m.gguf", &whole[..cut]));
        let last = short(answer.findings()).pop();
        assert_eq!(last.as_deref(), Some("not-readable high"), "{cut}");
    }
    let mut long = whole.clone();
    long.truncate(whole.len() - 2);
    let answer = check(&Model::new("m").file("m.gguf", long));
    assert_eq!(short(answer.findings()), ["template-escape critical", "not-readable high"]);
    for (at, with) in [(4, [9, 0, 0, 0]), (16, [255; 4]), (20, [255; 4])] {
        let mut hostile = whole.clone();
        hostile[at..at + 4].copy_from_slice(&with);
        let answer = check(&Model::new("m").file("m.gguf", hostile));
        assert_eq!(worst(&answer).unwrap().max(Severity::High), worst(&answer).unwrap(), "{at}");
    }
}

#[test]
fn weights_are_not_read() {
    let head = gguf(Layout::Three, &[("tokenizer.chat_template", "{{ x }}")]);
    let model = Model::new("m").sparse_file("m.gguf", 1 << 40, [(0, head)]);
    assert_eq!(check(&model).findings(), []);
    assert!(testing::bytes_read(&model, "m.gguf") < 100_000);
}
