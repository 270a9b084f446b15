//! What holds for every format: its look, held in snapshots; that nothing in it
//! acts; that none of them makes a run look better than it is; its bounds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::format::{Format, Roots, Style, write};
use super::testing;
use crate::domain::decision::{Decision, Reason, ReasonKind};
use crate::domain::finding::{Fact, Fingerprint, Severity};
use crate::domain::model::{Definition, ModelName};
use crate::domain::report::{Cause, Ending, Judged, Judgement, NotRun, Report};
use crate::domain::text::GuestText;
use crate::domain::verdict::{Failure, FailureCode};

fn text(format: Format, report: &Report) -> String {
    let mut out = Vec::new();
    let style = Style {
        roots: Roots { working: "sub folder".to_owned(), ..Roots::default() },
        ..Style::default()
    };
    write(format, report, &testing::timings(), &mut out, &style).expect("a Vec takes everything");
    String::from_utf8(out).expect("it is UTF-8")
}

fn json(format: Format, report: &Report) -> Value {
    serde_json::from_str(&text(format, report)).expect("it is JSON")
}

/// The formats that have no test of their look of their own.
const LOOKS: [Format; 8] = [
    Format::Cyclonedx,
    Format::Github,
    Format::Gitlab,
    Format::Html,
    Format::Jsonl,
    Format::Junit,
    Format::Markdown,
    Format::Sarif,
];

#[test]
fn a_run_with_something_of_everything() {
    for format in LOOKS {
        let mut text = text(format, &testing::everything());
        if format == Format::Html {
            // The style and the script are files of their own.
            for (start, end) in
                [("<style>", "</style>"), ("<script>", "</script>"), ("sha256-", "; base-uri")]
            {
                let (from, to) = (text.find(start).expect(start), text.find(end).expect(end));
                text.replace_range(from + start.len()..to, "…");
            }
            text = text.replace("><", ">\n<");
        }
        insta::assert_snapshot!(format.name(), text);
    }
}

/// Texts that would like to act, in one format or another.
const TEXTS: [&str; 16] = [
    "::error::x",
    "%0A::error file=a::x",
    "x\n::set-output name=decision::allow\r",
    "]]><testcase name=\"x\"/>",
    "</script><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "`x` | y\n# title\n- @everyone #1",
    "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}x",
    "a\u{202e}b\u{2066}c\u{2028}d\u{200b}e\u{feff}",
    "\0\u{1}\u{7f}\u{9b}31m\u{fffe}\u{ffff}",
    "##[error]x ##vso[task.complete result=Succeeded]x",
    "{0} {{x}} ${{ secrets.TOKEN }} $(id)",
    "\"},{\"ruleId\":\"x\\",
    "",
];

/// A run in which every text from outside is one of `TEXTS`, and long ones.
fn worst() -> Report {
    let long = "é<&\"'`|".repeat(600);
    let texts: Vec<&str> = TEXTS.into_iter().chain([long.as_str()]).collect();
    let mut report = testing::hostile();
    for (index, raw) in texts.iter().enumerate() {
        let name = format!("{raw}{index}");
        let mut model =
            testing::model(&name, vec![testing::file(name.as_bytes(), 1, Judgement::No)]);
        model.path = format!("{raw}/{raw}{index}");
        model.definition = Some(Definition {
            source: Some(format!("hf:{raw}")),
            revision: Some((*raw).to_owned()),
            license: Some((*raw).to_owned()),
            ..Definition::default()
        });
        model.findings = vec![
            testing::finding(
                "gate/not-judged",
                Severity::Medium,
                raw,
                Some(testing::path(name.as_bytes())),
            )
            .help(raw)
            .blocking(),
        ];
        let mut found = testing::finding(
            "acme/odd-name",
            Severity::Critical,
            raw,
            Some(testing::path(name.as_bytes())),
        )
        .help(raw);
        found.finding.location.member = Some(GuestText::capped(raw));
        found.finding.location.offset = Some(u64::MAX - 1);
        found.finding.location.line = Some(u32::MAX);
        found.fingerprint = Fingerprint::of(&[&index.to_string()]);
        let facts = vec![Fact { key: "concluded".to_owned(), value: GuestText::capped(raw) }];
        let failure = Failure::new(FailureCode::Trap, raw).with_help((*raw).to_owned());
        let name = model.name.as_str().to_owned();
        report.tasks.extend([
            testing::task("license", &name, None, Ending::Checked(facts), vec![found]),
            testing::task("void", &name, None, Ending::Failed(failure), Vec::new()),
        ]);
        let kind = ReasonKind::Failed { plugin: testing::id("license"), file: None };
        report.reasons.push(testing::reason(Decision::Deny, &name, kind));
        report.models.push(model);
    }
    report.decision = Decision::Deny;
    report.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.decision));
    report.models.sort_by(|a, b| a.name.cmp(&b.name));
    report.tasks.sort_by(|a, b| (&a.model, &a.plugin).cmp(&(&b.model, &b.plugin)));
    report.plugins[0].plugin.manifest.title = TEXTS.concat();
    report
}

#[test]
fn no_text_acts_in_any_format() {
    let report = worst();
    for format in Format::ALL {
        let text = text(format, &report);
        let acts = |c: char| {
            c != '\n'
                && (c.is_control()
                    || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}'))
        };
        assert!(!text.contains(acts), "{format}: a character that acts");
        let lower = text.to_lowercase();
        for marker in ["##[", "##vso["] {
            assert!(!lower.contains(marker), "{format}: {marker}");
        }
        if format != Format::Github {
            for line in text.lines() {
                assert!(!line.trim_start().starts_with("::"), "{format}: {line}");
            }
        }
    }
}

#[test]
fn each_format_is_what_it_says_whatever_stands_in_it() {
    for report in [
        worst(),
        testing::hostile(),
        testing::everything(),
        testing::report(&[], Vec::new(), Vec::new()),
    ] {
        for format in
            [Format::Json, Format::Gitlab, Format::Sarif, Format::Cyclonedx, Format::Timings]
        {
            json(format, &report);
        }
        for line in text(Format::Jsonl, &report).lines() {
            let value: Value = serde_json::from_str(line).expect("each line is JSON");
            jsonschema::validate(&super::jsonl::json_schema(), &value).expect("it fits the schema");
        }
        for line in text(Format::Github, &report).lines() {
            let starts = ["::error ", "::warning ", "::notice "];
            assert!(starts.iter().any(|start| line.starts_with(start)), "{line}");
        }
        let junit = text(Format::Junit, &report);
        assert!(!junit.contains(['\u{fffe}', '\u{ffff}']), "XML has no place for these");
        let mut reader = quick_xml::Reader::from_str(&junit);
        reader.config_mut().check_end_names = true;
        let mut suites = 0;
        loop {
            match reader.read_event().expect("it is XML") {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(start) => {
                    suites += usize::from(start.name().as_ref() == "testsuite");
                }
                _ => {}
            }
        }
        assert_eq!(suites, report.models.len() + 1);
    }
}

#[test]
fn the_page_loads_nothing_and_holds_no_tag_from_outside() {
    let page = text(Format::Html, &worst());
    let lower = page.to_lowercase();
    for tag in ["<img", "<a href=\"http", "<iframe", "<link", "<base", "<object", "@import", "url("]
    {
        assert!(!lower.contains(tag), "{tag}");
    }
    // A handler or an address would need a tag of ours to stand in.
    for tag in page.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        for word in tag.split('"').step_by(2) {
            assert!(!word.contains("onmouseover") && !word.contains("onerror"), "{tag}");
        }
    }
    assert_eq!(lower.matches("<script>").count(), 1);
    assert_eq!(lower.matches("</script").count(), 1);
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn the_same_run_is_the_same_bytes() {
    for format in LOOKS {
        assert_eq!(text(format, &worst()), text(format, &worst()), "{format}");
    }
}

/// Runs that let nothing through, each for another reason.
fn not_allowed() -> Vec<Report> {
    let whole = |kind| {
        let mut report = testing::zero_configuration();
        report.decision = Decision::Incomplete;
        report.reasons = vec![Reason { decision: Decision::Incomplete, model: None, kind }];
        report
    };
    let not_run = |cause| {
        let kind = match cause {
            Cause::Nothing => ReasonKind::Nothing,
            Cause::Mistake | Cause::Fault => ReasonKind::NotRun,
        };
        let mut report = whole(kind);
        let at = Some((GuestText::capped("modelhost.toml"), 3));
        report.not_run = vec![NotRun { cause, message: GuestText::capped("x"), at, help: None }];
        (report.models, report.plugins, report.tasks) = (Vec::new(), Vec::new(), Vec::new());
        report
    };
    let mut failed = testing::zero_configuration();
    let failure = Failure::new(FailureCode::Trap, "unreachable");
    failed.decision = Decision::Incomplete;
    failed.tasks[0].ending = Ending::Failed(failure);
    failed.reasons = vec![testing::reason(
        Decision::Incomplete,
        "model.safetensors",
        ReasonKind::Error { plugin: testing::id("checksum"), file: None, code: FailureCode::Trap },
    )];
    vec![
        testing::everything(),
        testing::hostile(),
        whole(ReasonKind::Interrupted),
        whole(ReasonKind::Nothing),
        not_run(Cause::Nothing),
        not_run(Cause::Mistake),
        not_run(Cause::Fault),
        failed,
    ]
}

/// Each format says by its own means that a run is not allowed, and says nothing
/// of the kind of one that is.
#[test]
fn no_format_fails_open() {
    let is_alarm = |format: Format, report: &Report| -> bool {
        match format {
            Format::Sarif => {
                let sarif = json(format, report);
                let run = &sarif["runs"][0];
                let results = run["results"].as_array().expect("results");
                let error = results.iter().any(|result| result["level"] == "error");
                let incomplete =
                    report.reasons.iter().any(|reason| reason.decision == Decision::Incomplete);
                assert_eq!(run["invocations"][0]["executionSuccessful"], !incomplete);
                error
            }
            Format::Junit => {
                let junit = text(format, report);
                junit.contains("<failure") || junit.contains("<error")
            }
            Format::Gitlab => {
                json(format, report).as_array().expect("findings").iter().any(|finding| {
                    ["critical", "blocker"].contains(&finding["severity"].as_str().expect("a word"))
                })
            }
            Format::Github => text(format, report).contains("::error "),
            Format::Html => !text(format, report).contains("<div class=\"decision allow\">"),
            Format::Markdown => !text(format, report).starts_with("## modelhost: Allow"),
            Format::Human => !text(format, report).contains("\nALLOW  "),
            Format::Json => json(format, report)["decision"] != "allow",
            Format::Jsonl => {
                let text = text(format, report);
                !text.lines().last().expect("a line").contains("\"decision\":\"allow\"")
            }
            Format::Cyclonedx => {
                json(format, report)["metadata"]["properties"][0]["value"] != "allow"
            }
            Format::Timings => report.decision != Decision::Allow,
        }
    };
    for format in Format::ALL {
        assert!(!is_alarm(format, &testing::zero_configuration()), "{format}");
        for report in not_allowed() {
            assert!(is_alarm(format, &report), "{format}: {:?}", report.reasons.first());
        }
    }
}

/// A run of 30,000 findings, of which `denied` deny: the worst come last.
fn many(denied: usize) -> Report {
    let mut report = testing::zero_configuration();
    let name = ModelName::new("model.safetensors");
    let finding = |index: usize| {
        let severity = if index >= 30_000 - denied { Severity::Critical } else { Severity::Low };
        let message = format!("finding {index}: {}", "words ".repeat(20));
        let judged = testing::finding("pickle/unsafe-global", severity, &message, None);
        Judged { lock_line: Some(3), ..judged }
    };
    report.tasks.push(testing::task(
        "pickle",
        name.as_str(),
        None,
        Ending::Checked(Vec::new()),
        (0..30_000).map(finding).collect(),
    ));
    report.decision = Decision::Deny;
    report
}

#[test]
fn limits_are_kept_and_the_worst_stays() {
    let report = many(7);
    let sarif = json(Format::Sarif, &report);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert!(results.len() <= 5_000, "{}", results.len());
    assert!(text(Format::Sarif, &report).len() < 10_000_000);
    assert!(results[..7].iter().all(|result| result["level"] == "error"), "the worst come first");
    let last = results.last().expect("a result");
    assert_eq!(last["ruleId"], "gate/cut");
    let left_out = 30_000 + 2 - (results.len() - 1);
    let message = last["message"]["text"].as_str().expect("a text");
    assert!(message.starts_with(&format!("{left_out} more findings are left out")), "{message}");

    for (denied, errors) in [(7, 7), (10, 10), (11, 10), (30_000, 10)] {
        let github = text(Format::Github, &many(denied));
        let of = |kind: &str| github.lines().filter(|line| line.starts_with(kind)).count();
        assert_eq!(of("::error "), errors);
        assert!(of("::warning ") <= 10 && of("::notice ") <= 10);
        assert_eq!(github.contains("::error title=modelhost::and "), denied > 10, "{denied}");
    }
    assert!(
        text(Format::Github, &many(30_000)).contains("::error title=modelhost::and 29,991 more")
    );

    let markdown = text(Format::Markdown, &report);
    assert!(markdown.len() < 1 << 20, "{}", markdown.len());
    assert!(markdown.contains("more findings are left out here"));
    let worst = markdown.find("**critical**").expect("it is there");
    assert!(worst < markdown.find("**low**").expect("one is there"));

    let page = text(Format::Html, &report);
    assert_eq!(page.matches("<details class=\"card finding\"").count(), 20_000);
    assert!(page.contains("10,002 more findings"));

    let gitlab = json(Format::Gitlab, &report);
    assert_eq!(gitlab.as_array().expect("findings").len(), 30_002);
}

#[test]
fn a_merge_request_shows_every_finding() {
    let gitlab = json(Format::Gitlab, &testing::everything());
    let findings = gitlab.as_array().expect("findings");
    let prints: BTreeSet<&str> =
        findings.iter().map(|finding| finding["fingerprint"].as_str().expect("a text")).collect();
    assert_eq!(prints.len(), findings.len(), "those of one fingerprint are shown as one");
}

/// Each finding is at a line of text that a pull request can show.
#[test]
fn findings_are_at_lines_of_text() {
    let sarif = json(Format::Sarif, &testing::everything());
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    let at = |rule: &str| {
        let result = results.iter().find(|result| result["ruleId"] == rule).expect(rule);
        let place = &result["locations"][0]["physicalLocation"];
        let line = &place["region"]["startLine"];
        format!("{}:{line}", place["artifactLocation"]["uri"].as_str().expect("a text"))
    };
    // At the file's line of the lock file, or the model's.
    assert_eq!(at("pickle/unsafe-global"), "modelhost.lock:12");
    assert_eq!(at("gate/no-answer"), "modelhost.lock:10");
    // Without a lock entry: at the model itself.
    assert_eq!(at("gate/not-judged"), "sub%20folder/models/big/shard-0.bin:1");
    let mut report = testing::everything();
    report.inputs.lock = None;
    let sarif = json(Format::Sarif, &report);
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "models.d/bert.toml");
    assert_eq!(place["region"]["startLine"], 2);
    for result in results {
        let hash = &result["partialFingerprints"]["primaryLocationLineHash"];
        assert_eq!(hash.as_str().map(str::len), Some(32));
    }
}
