//! What each command prints where: colors and progress on a terminal that wants them, not a
//! single escape anywhere else, and each stream for what it is for.

use std::process::Command;

use crate::support::command::{Place, Said};
use crate::support::git::Repository;
use crate::support::model;

/// What is asked for: more arguments, and variables of the environment.
type Asked = (&'static [&'static str], &'static [(&'static str, &'static str)]);

const ESCAPE: char = '\u{1b}';
const NOW: [&str; 2] = ["--now", "2026-11-24"];
const LOG: &str = "log.jsonl";

/// One command, and what it does.
struct Row {
    args: &'static [&'static str],
    code: i32,
    /// Whether it speaks on stdout, and on stderr.
    speaks: (bool, bool),
    /// Whether it has colors, where they are wanted.
    has_color: bool,
}

const fn row(
    args: &'static [&'static str],
    code: i32,
    speaks: (bool, bool),
    has_color: bool,
) -> Row {
    Row { args, code, speaks, has_color }
}

const OUT: (bool, bool) = (true, false);
const ERR: (bool, bool) = (false, true);

const ROWS: [Row; 20] = [
    row(&["run", "models/good"], 0, OUT, true),
    row(&["run", "models/bad"], 1, OUT, true),
    row(&["run", "--changed=HEAD"], 0, OUT, false),
    row(&["run", "--config", "wrong.toml"], 2, ERR, true),
    row(&["run", "nowhere"], 2, ERR, true),
    row(&["lock"], 0, ERR, false),
    row(&["init", "--check"], 0, ERR, false),
    row(&["doctor"], 0, OUT, false),
    row(&["explain", "pickle/unsafe-global"], 0, OUT, false),
    row(&["history", "models/good", "--audit-log", LOG], 0, OUT, false),
    row(&["waiver", "list"], 0, ERR, false),
    row(&["plugin", "list"], 0, OUT, false),
    row(&["plugin", "inspect", "pickle"], 0, OUT, false),
    row(&["cache", "stat"], 0, OUT, false),
    row(&["compare", "one.json", "one.json"], 0, OUT, false),
    row(&["compare", "models/good", "models/bad"], 1, OUT, false),
    row(&["audit", "show", LOG], 0, OUT, false),
    row(&["audit", "verify", LOG], 0, OUT, false),
    row(&["--help"], 0, OUT, false),
    row(&["run", "--help"], 0, OUT, false),
];

fn place() -> Place {
    let place = Place::new();
    place.write("models/good/model.safetensors", model::safetensors(8));
    place.write("models/bad/model.pkl", model::malicious_pickle());
    place.write("wrong.toml", "version = 1\n[gate]\nfail-on = \"sometimes\"\n");
    place.modelhost(&["init"]).code(0);
    place.modelhost(&["lock", "--check"]).code(0);
    place.write(".gitignore", "*.json*\n");
    let record = ["run", "models/good", "--audit-log", LOG, "-o", "json=one.json"];
    place.modelhost(&[&record[..], &NOW].concat()).code(0);
    Repository::new(&place).commit("all");
    place
}

/// Runs a command with more arguments, under variables.
fn run(place: &Place, row: &Row, more: &[&str], variables: &[(&str, &str)]) -> Said {
    let mut command = place.command(&[row.args, more].concat());
    // `history` asks git.
    command.env("PATH", std::env::var_os("PATH").expect("a PATH"));
    command.envs(variables.iter().copied());
    place.said(&command.output().expect("modelhost starts"))
}

#[test]
fn no_escape_is_written_where_none_may_be() {
    let place = place();
    let plain: [Asked; 7] = [
        (&[], &[]),
        (&[], &[("NO_COLOR", "1")]),
        (&[], &[("TERM", "dumb")]),
        (&[], &[("TERM", "xterm-256color"), ("CI", "true"), ("GITHUB_ACTIONS", "true")]),
        (&[], &[("NO_COLOR", "1"), ("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
        (&["--color", "never"], &[]),
        (&["--color", "never"], &[("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1")]),
    ];
    for row in &ROWS {
        let expected = run(&place, row, &[], &[]);
        expected.code(row.code);
        let speaks = (!expected.stdout.is_empty(), !expected.stderr.is_empty());
        assert_eq!(speaks, row.speaks, "{:?}\n{}\n{}", row.args, expected.stdout, expected.stderr);
        for (more, variables) in plain {
            // What a parser of arguments says before it has read `--color`.
            let is_help = row.args.ends_with(&["--help"]) && !more.is_empty();
            if is_help {
                continue;
            }
            let said = run(&place, row, more, variables);
            let what = format!("{:?} {more:?} {variables:?}", row.args);
            said.code(row.code);
            assert!(!said.stdout.contains(ESCAPE), "{what}: {:?}", said.stdout);
            assert!(!said.stderr.contains(ESCAPE), "{what}: {:?}", said.stderr);
        }
    }
}

#[test]
fn colors_are_forced_and_change_no_text() {
    let place = place();
    let colored: [Asked; 5] = [
        (&["--color", "always"], &[]),
        (&["--color", "always"], &[("NO_COLOR", "1"), ("TERM", "dumb")]),
        (&[], &[("FORCE_COLOR", "1")]),
        (&[], &[("FORCE_COLOR", "3"), ("TERM", "dumb")]),
        (&[], &[("CLICOLOR_FORCE", "1")]),
    ];
    for row in ROWS.iter().filter(|row| row.has_color) {
        let plain = run(&place, row, &[], &[]);
        for (more, variables) in colored {
            let said = run(&place, row, more, variables);
            let what = format!("{:?} {more:?} {variables:?}", row.args);
            said.code(row.code);
            let both = format!("{}{}", said.stdout, said.stderr);
            assert!(both.contains(ESCAPE), "{what}: {both}");
            assert_eq!(without_colors(&said.stdout), plain.stdout, "{what}");
            assert_eq!(without_colors(&said.stderr), plain.stderr, "{what}");
        }
    }
    // Which is no color at all.
    let said = run(&place, &ROWS[0], &[], &[("FORCE_COLOR", "0")]);
    assert!(!said.stdout.contains(ESCAPE), "{}", said.stdout);
}

#[test]
fn quiet_is_the_decision_and_nothing_else() {
    let place = place();
    let rows: [(&[&str], i32, &str); 5] = [
        (&["run", "models/good"], 0, "ALLOW"),
        (&["run", "models/bad"], 1, "DENY"),
        (&["run", "--changed=HEAD"], 0, "ALLOW  0 denied"),
        (&["run", "--locked"], 1, "DENY"),
        (&["run", "models/good", "--isolation", "in-process"], 0, "ALLOW"),
    ];
    for (args, code, start) in rows {
        let said = place.modelhost(&[args, &["--quiet"], &NOW].concat());
        said.code(code);
        assert_eq!(said.stdout.lines().count(), 1, "{args:?}: {}", said.stdout);
        assert!(said.stdout.starts_with(start), "{args:?}: {}", said.stdout);
        assert_eq!(said.stderr, "", "{args:?}");
    }
    // What widens a run is a note.
    place.write("modelhost.toml", place.read("modelhost.toml") + "# more\n");
    let said = place.modelhost(&["run", "--changed=HEAD", "-q"]);
    assert_eq!((said.code(1).stdout.lines().count(), said.stderr.as_str()), (1, ""));
    for args in [&["lock", "-q"][..], &["init", "-q"], &["lock", "--check", "-q"]] {
        let said = place.modelhost(args);
        said.code(0);
        assert_eq!((said.stdout.as_str(), said.stderr.as_str()), ("", ""), "{args:?}");
    }
    // A mistake is said all the same.
    place.modelhost(&["run", "-q", "--config", "wrong.toml"]).code(2).says("wrong.toml:3");
}

/// Takes the colors away, and nothing else.
fn without_colors(text: &str) -> String {
    let mut parts = text.split(ESCAPE);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (style, rest) = part.split_once('m').expect("a style has an end");
        let is_style =
            style.starts_with('[') && style[1..].chars().all(|c| c.is_ascii_digit() || c == ';');
        assert!(is_style, "more than a color: {style:?}");
        out.push_str(rest);
    }
    out
}

/// Runs a command on a pseudo-terminal of so many columns, and returns all that came there;
/// without `script` of util-linux, says that it can't.
fn on_terminal(
    place: &Place,
    columns: u16,
    args: &str,
    variables: &[(&str, &str)],
) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_modelhost");
    let line = format!("stty cols {columns} rows 24 && exec '{program}' {args}");
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &line, "/dev/null"]).current_dir(place.path()).env_clear();
    script.envs(place.command(&[]).get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.env("PATH", std::env::var_os("PATH").expect("a PATH"));
    script.env("TERM", "xterm-256color").env("SHELL", "/bin/sh").envs(variables.iter().copied());
    match script.stdin(std::process::Stdio::null()).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(error) => {
            eprintln!("skipped: no pseudo-terminal: `script` can't be started: {error}");
            None
        }
    }
}

/// A run that takes more than half a second: it compiles anew.
const SLOW: &str = "run models/good --no-config --no-cache --only pickle --only formats";

/// What progress says, and no report does.
const PROGRESS: &str = " tasks";

#[test]
fn a_terminal_gets_colors_and_progress_where_it_wants_them() {
    let place = place();
    let Some(said) = on_terminal(&place, 80, SLOW, &[]) else { return };
    let report = said.find("ALLOW").expect("a decision");
    let progress = said.rfind(PROGRESS).expect("progress");
    assert!(progress < report, "{said:?}");
    // It is cleared, and the report begins at a line of its own.
    let between = &said[progress..report];
    assert!(between.contains("\u{1b}[2K") || between.contains("\u{1b}[K"), "{between:?}");
    assert!(said.contains("\u{1b}[1m") || said.contains("\u{1b}[3"), "no color: {said:?}");

    for (args, variables) in [
        (SLOW.to_owned(), &[("TERM", "dumb")][..]),
        (format!("{SLOW} --quiet --color never"), &[]),
        (format!("{SLOW} --no-progress --color never"), &[]),
        (format!("{SLOW} --no-progress"), &[("NO_COLOR", "1")]),
    ] {
        let said = on_terminal(&place, 80, &args, variables).expect("as before");
        assert!(said.contains("ALLOW"), "{said:?}");
        assert!(
            !said.contains(ESCAPE) && !said.contains(PROGRESS),
            "{args} {variables:?}: {said:?}"
        );
    }
    // Where no color is wanted, a bar is drawn all the same, without any.
    let said = on_terminal(&place, 80, SLOW, &[("NO_COLOR", "1")]).expect("as before");
    assert!(said.contains(PROGRESS), "{said:?}");
    let styles = said
        .split("\u{1b}[")
        .skip(1)
        .filter_map(|part| part.find(char::is_alphabetic).map(|at| &part[at..=at]));
    assert!(styles.into_iter().all(|kind| kind != "m"), "{said:?}");

    // What is soon done needs no bar.
    let said = on_terminal(&place, 80, "explain pickle", &[]).expect("as before");
    assert!(!said.contains(ESCAPE), "{said:?}");
}

#[test]
fn progress_and_help_keep_to_the_width() {
    let place = place();
    for columns in [40, 80, 200] {
        let Some(said) = on_terminal(&place, columns, SLOW, &[("NO_COLOR", "1")]) else { return };
        let frames = said.split(['\r', '\n', ESCAPE]).filter(|frame| frame.contains(PROGRESS));
        for frame in frames {
            let width = frame.trim_start_matches("[2K").chars().count();
            assert!(width <= usize::from(columns), "{columns} columns: {width}: {frame:?}");
        }
        for args in ["--help", "run --help", "audit verify --help", "lock --help"] {
            let said = on_terminal(&place, columns, args, &[("NO_COLOR", "1")]).expect("as before");
            for line in said.lines() {
                // A word that is longer than the line has nowhere to go, and how a command is
                // used stays one.
                let is_word = !line.trim().contains(' ') || line.starts_with("Usage: ");
                let fits = line.trim_end().chars().count() <= usize::from(columns);
                assert!(fits || is_word, "{args} at {columns} columns: {line:?}");
            }
        }
    }
}
