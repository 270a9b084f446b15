//! The pages under `docs/` and the README, held to the product: their sessions are run and say
//! what is printed, their commands and options exist, their policies load, their rules are
//! known, their links lead somewhere.
//!
//! Leaves their YAML to `cargo xtask validate`, which has the tools that read it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::command::{Place, without_time};
use crate::support::{component, model, root};

/// The time that the sessions are held at, so that what they say of days stays.
const NOW: &str = "2026-11-24T12:00:00Z";

/// A page: its path below the root, and its text.
struct Page {
    path: String,
    text: String,
}

/// A fenced block of a page.
struct Block {
    /// What stands behind the fence.
    language: String,
    /// The number of its first line.
    line: usize,
    lines: Vec<String>,
}

fn pages() -> Vec<Page> {
    let folder = std::fs::read_dir(root().join("docs")).expect("the pages");
    let names =
        folder.map(|entry| entry.expect("an entry").file_name().into_string().expect("text"));
    let mut paths: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    paths.push("README.md".to_owned());
    paths.sort();
    let read = |path: &String| std::fs::read_to_string(root().join(path)).expect("a page");
    paths.iter().map(|path| Page { path: path.clone(), text: read(path) }).collect()
}

impl Page {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(line.to_owned()),
                (None, Some(language)) => {
                    let language = language.to_owned();
                    open = Some(Block { language, line: index + 2, lines: Vec::new() });
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block without an end", self.path);
        blocks
    }

    fn of(&self, language: &str) -> Vec<Block> {
        self.blocks().into_iter().filter(|block| block.language == language).collect()
    }

    /// Returns what stands between backticks outside of blocks.
    fn inline(&self) -> Vec<String> {
        let mut outside = String::new();
        let mut is_block = false;
        for line in self.text.lines() {
            if line.starts_with("```") {
                is_block = !is_block;
            } else if !is_block {
                outside.extend([line, "\n"]);
            }
        }
        let parts = outside.split('`').skip(1).step_by(2);
        parts.map(|code| code.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

/// A command of a session, with what is printed below it.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn steps(blocks: &[Block]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks {
        for (index, line) in block.lines.iter().enumerate() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    line: block.line + index,
                    command: command.to_owned(),
                    expected: Vec::new(),
                }),
                (None, Some(step)) if step.command.ends_with('\\') => {
                    step.command.pop();
                    step.command.push_str(line.trim());
                }
                (None, Some(step)) => step.expected.push(without_time(line)),
                (None, None) => panic!("line {}: no command before this", block.line + index),
            }
        }
    }
    steps
}

/// Whether `line` is what `pattern` says: `...` in it stands for any text.
fn is_line(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Whether `lines` are what `patterns` say: a line `...` stands for any number of lines.
fn are_lines(patterns: &[String], lines: &[String]) -> bool {
    match (patterns.split_first(), lines.split_first()) {
        (None, rest) => rest.is_none(),
        (Some((pattern, more)), _) if pattern == "..." => {
            (0..=lines.len()).any(|skipped| are_lines(more, &lines[skipped..]))
        }
        (Some((pattern, more)), Some((line, rest))) => {
            is_line(pattern, line) && are_lines(more, rest)
        }
        (Some(_), None) => false,
    }
}

#[test]
fn ellipses_stand_for_what_is_left_out_and_for_nothing_else() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    for (patterns, text, expected) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a...c", "abc", true),
        ("a...c", "abd", false),
        ("a...b...c", "acbxc", true),
        ("a...b...c", "acxc", false),
        ("a\n...\nd", "a\nb\nc\nd", true),
        ("a\n...\nd", "a\nd", true),
        ("a\n...\nd", "a\nb", false),
        ("a\n...", "b\nc", false),
        ("", "a", false),
        ("a", "", false),
    ] {
        assert_eq!(are_lines(&lines(patterns), &lines(text)), expected, "{patterns:?} {text:?}");
    }
}

/// Runs the sessions of a page one after the other in `place`, as a person at a shell would.
fn play(page: &Page, place: &Place) {
    let bin = place.path().parent().expect("a parent").join("bin");
    std::fs::create_dir_all(&bin).expect("a folder");
    let at = format!(
        "#!/bin/sh\ncase \"$1\" in run|waiver|baseline) set -- \"$@\" --now {NOW} ;; esac\n\
         exec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_modelhost")
    );
    let program = bin.join("modelhost");
    std::fs::write(&program, at).expect("a script");
    executable(&program);
    let path = std::env::var("PATH").expect("a PATH");
    let mut last = 0;
    for step in steps(&page.of("console")) {
        let mut shell = Command::new("sh");
        // The one word of a shell's that lasts from command to command here.
        let command = step.command.replace("$?", &last.to_string());
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(place.path());
        // As in `Place::command`: nothing of this machine but where programs are.
        shell.env_clear().envs(place.command(&[]).get_envs().filter_map(|(k, v)| Some((k, v?))));
        shell.env("PATH", format!("{}:{path}", bin.display()));
        for who in ["AUTHOR", "COMMITTER"] {
            shell.env(format!("GIT_{who}_NAME"), "Ada");
            shell.env(format!("GIT_{who}_EMAIL"), "ada@example.org");
            shell.env(format!("GIT_{who}_DATE"), NOW);
        }
        shell.envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")]);
        let said = place.said(&shell.output().expect("a shell starts"));
        last = said.code;
        let lines: Vec<String> = said.stdout.lines().map(str::to_owned).collect();
        let trim = |lines: &[String]| {
            let end = lines.iter().rposition(|line| !line.is_empty()).map_or(0, |at| at + 1);
            lines[..end].to_vec()
        };
        assert!(
            are_lines(&trim(&step.expected), &trim(&lines)),
            "{}:{}: `{}` ended with {last} and said\n{}",
            page.path,
            step.line,
            step.command,
            said.stdout
        );
    }
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[test]
fn the_sessions_of_the_pages_say_what_is_printed() {
    let mut played = 0;
    for page in pages() {
        if page.of("console").is_empty() {
            continue;
        }
        let place = Place::new();
        match page.path.as_str() {
            "docs/gate-a-repository.md" => {
                for index in 0..10 {
                    let folder = format!("models/m{index}");
                    let weights = model::safetensors(8 + index);
                    place.write(&format!("{folder}/model.safetensors"), weights);
                    place.write(&format!("{folder}/README.md"), format!("# Model {index}\n"));
                }
                let mut tuned = model::safetensors(11);
                *tuned.last_mut().expect("a byte") ^= 1;
                place.write("../tuned/model.safetensors", tuned);
                let git = crate::support::git::Repository::new(&place);
                git.run(&["config", "user.name", "Ada"]);
                git.run(&["config", "user.email", "ada@example.org"]);
                git.commit("Ten models");
            }
            _ => {
                place.write("models/reviews/pytorch_model.bin", model::malicious_pickle());
            }
        }
        play(&page, &place);
        played += 1;
    }
    assert!(played >= 2, "the sessions are not found");
}

/// Returns a command line as words, without its comment.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (None, '#') if words.last().is_some_and(String::is_empty) => break,
            _ => words.last_mut().expect("a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn commands_in_the_pages_are_understood() {
    let place = Place::new();
    let mut asked = 0;
    for page in pages() {
        let shell = ["sh", "groovy", "yaml"].iter().flat_map(|language| page.of(language));
        for block in shell {
            for line in block.lines.join("\n").replace("\\\n", " ").lines() {
                let line = line.trim().trim_start_matches("run: ").trim_start_matches("script: ");
                let line = line.trim_start_matches("sh '").trim_end_matches('\'');
                if !line.starts_with("modelhost ") {
                    continue;
                }
                // Help comes last, so that everything before it is parsed.
                let mut words = words(line);
                words.retain(|word| word != "--" && word != "$CHANGED");
                words.push("--help".to_owned());
                let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
                let said = place.modelhost(&words);
                assert_eq!(said.code, 0, "{}:{}: {line}\n{}", page.path, block.line, said.stderr);
                asked += 1;
            }
        }
    }
    assert!(asked > 20, "{asked} commands: they are not found");
}

#[test]
fn options_and_subcommands_in_the_pages_exist() {
    let place = Place::new();
    let script = place.modelhost(&["completions", "bash"]).code(0).stdout.clone();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    let known: BTreeSet<&str> = script.split(|c| !is_name(c)).collect();
    for page in pages() {
        for code in page.inline() {
            let own = code.split(' ').next().is_some_and(|word| word == "modelhost");
            let bare = code.starts_with("--");
            for word in code.split([' ', '=', '[', '/', '|']) {
                let name = word.trim_end_matches(|c| !is_name(c));
                let is_option =
                    name.len() > 2 && name.starts_with("--") && name.chars().all(is_name);
                // `cargo xtask test --long` and such are not ours.
                if is_option && (own || bare) {
                    assert!(known.contains(name), "{}: there is no {name}: `{code}`", page.path);
                }
            }
            if own && let Some(command) = code.split(' ').nth(1) {
                let is_command = command.chars().all(is_name) && !command.starts_with('-');
                if is_command {
                    assert!(known.contains(command), "{}: `{code}`", page.path);
                }
            }
        }
    }
}

#[test]
fn rules_in_the_pages_are_known() {
    let place = Place::new();
    let list = place.modelhost(&["plugin", "list", "--json"]).json();
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut ids = vec!["gate".to_owned()];
    for plugin in list["plugins"].as_array().expect("plugins") {
        ids.push(plugin["id"].as_str().expect("an id").to_owned());
        for rule in plugin["rules"].as_array().expect("rules") {
            known.insert(rule["id"].as_str().expect("an id").to_owned());
        }
    }
    let gate = place.modelhost(&["explain", "gate"]).code(0).stdout.clone();
    known.extend(gate.split_whitespace().map(|word| word.trim_end_matches(':').to_owned()));
    let mut named = 0;
    for page in pages() {
        for code in page.inline().iter().flat_map(|code| code.split(' ')) {
            let Some((plugin, name)) = code.split_once('/') else { continue };
            let is_rule = name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            if is_rule && ids.iter().any(|id| id == plugin) {
                assert!(known.contains(code), "{}: there is no rule {code}", page.path);
                named += 1;
            }
        }
    }
    assert!(named > 5, "{named} rules: they are not found");
}

#[test]
fn policies_in_the_pages_are_taken() {
    const RULES: &str = "{}";
    let digest = modelhost::domain::digest::Digest::of(RULES.as_bytes()).to_string();
    let plain = component::plugin(
        &wat::parse_file(root().join("tests/guests/honest-pass.wat")).expect("a module"),
        &component::manifest("acme-scan", "model", "none", false),
    );
    for page in pages() {
        for block in page.of("toml") {
            let place = Place::new();
            for name in ["sentiment", "prod/bert"] {
                place.write(&format!("models/{name}/model.safetensors"), model::safetensors(8));
            }
            place.write("security/acme-rules.json", RULES);
            place.write("plugins/acme-scan.wasm", &plain);
            let mut text = block.lines.join("\n") + "\n";
            for left in ["sha256:…", "sha256:..."] {
                text = text.replace(left, &digest);
            }
            if !text.contains("[[model]]") {
                text.push_str("\n[[model]]\nname = \"sentiment\"\npath = \"models/sentiment\"\n");
            }
            if !text.contains("version = ") {
                text.insert_str(0, "version = 1\n");
            }
            place.write("modelhost.toml", text);
            let said = place.modelhost(&["run", "--now", NOW]);
            assert!(
                [0, 1, 3].contains(&said.code),
                "{}:{}: {}\n{}",
                page.path,
                block.line,
                said.code,
                said.stderr
            );
        }
    }
}

/// Returns the anchor that a heading gets on the sites that show these pages.
fn anchor(heading: &str) -> String {
    let lower = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = lower.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_in_the_pages_lead_somewhere() {
    let mut followed = 0;
    for page in pages() {
        let folder = root().join(&page.path).parent().expect("a folder").to_owned();
        for link in page.text.split("](").skip(1) {
            let link = link.split(')').next().expect("an end");
            if link.starts_with("http") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target: PathBuf =
                if path.is_empty() { root().join(&page.path) } else { folder.join(path) };
            let text = std::fs::read_to_string(&target)
                .unwrap_or_else(|error| panic!("{}: {link}: {error}", page.path));
            let has = |fragment| {
                text.lines().any(|line| line.starts_with('#') && anchor(line) == fragment)
            };
            assert!(fragment.is_empty() || has(fragment.to_owned()), "{}: {link}", page.path);
            followed += 1;
        }
    }
    assert!(followed > 5, "{followed} links: they are not found");
}
