//! Any answers of any plugins, through the decision, into every format, and back.

use arbitrary::{Arbitrary as _, Result, Unstructured};
use modelhost::domain::capability::{Grants, Limits, LimitsAsked};
use modelhost::domain::decision::Decision;
use modelhost::domain::digest::Digest;
use modelhost::domain::evidence::{
    Content, Evidence, FileCoverage, FileEvidence, ModelEvidence, PluginEvidence, TaskEvidence,
};
use modelhost::domain::finding::{Confidence, Fact, Finding, Location, RuleId, Severity};
use modelhost::domain::model::{FileEntry, FilePath, ModelName};
use modelhost::domain::plugin::{
    Imports, Manifest, PluginId, PluginRef, Reads, ResolvedPlugin, Rule, Scope,
};
use modelhost::domain::report::{Report, Timings};
use modelhost::domain::text::GuestText;
use modelhost::domain::verdict::{Answer, Coverage, Failure, FailureCode, Outcome, Usage};
use modelhost::policy::{Policy, decide};
use modelhost::report::{Format, Style, Verbosity, write};
use serde_json::Value;

/// Asserts that `text`, lines of a log or a report, holds nothing that acts on a
/// terminal or a CI runner.
pub(crate) fn assert_inert(text: &str) {
    let acts = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
    assert!(!text.contains(acts), "a character that acts: {text:?}");
    let lower = text.to_ascii_lowercase();
    for marker in ["##[", "##vso[", "##teamcity["] {
        assert!(!lower.contains(marker), "a command of a CI runner: {text:?}");
    }
    assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "a command: {text:?}");
}

pub(crate) fn report(bytes: &[u8]) {
    let mut from = Unstructured::new(bytes);
    let Ok((policy, evidence, timings)) = any_run(&mut from) else { return };
    let failed = evidence.tasks.iter().any(|task| !matches!(task.outcome, Outcome::Answered(_)));
    let report = decide(&policy, evidence, 0);
    assert!(!failed || report.decision != Decision::Allow, "a failure was let through");
    for verbosity in [Verbosity::Quiet, Verbosity::Normal, Verbosity::Verbose] {
        let style = Style { verbosity, ..Style::default() };
        assert_inert(&text(Format::Human, &report, &timings, &style));
    }
    let json = text(Format::Json, &report, &timings, &Style::default());
    let read: Value = serde_json::from_str(&json).expect("the report is JSON");
    assert_eq!(read["decision"], report.decision.name());
    let tasks = read["tasks"].as_array().expect("tasks");
    assert_eq!(tasks.len(), report.tasks.len());
    for (read, task) in tasks.iter().zip(&report.tasks) {
        let findings = read["findings"].as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(findings.len(), task.findings.len());
        for (read, judged) in findings.iter().zip(&task.findings) {
            assert_eq!(read["message"], judged.finding.message.as_str());
        }
    }
    others(&report, &timings);
    let timings = text(Format::Timings, &report, &timings, &Style::default());
    serde_json::from_str::<Value>(&timings).expect("the timings are JSON");
}

/// Asserts of every other format that it is what it says, and that no text from
/// outside acts in it.
fn others(report: &Report, timings: &Timings) {
    let text = |format| text(format, report, timings, &Style::default());
    let json = |format| -> Value { serde_json::from_str(&text(format)).expect("it is JSON") };
    let is_allowed = report.decision == Decision::Allow;
    let sarif = json(Format::Sarif);
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert!(results.iter().all(|result| {
        result["locations"][0]["physicalLocation"]["region"]["startLine"].is_u64()
    }));
    assert!(is_allowed || results.iter().any(|result| result["level"] == "error"));
    let gitlab = json(Format::Gitlab);
    assert_eq!(gitlab.as_array().expect("findings").len(), results.len());
    assert_eq!(
        json(Format::Cyclonedx)["components"].as_array().map(Vec::len),
        Some(report.models.len())
    );
    for line in text(Format::Jsonl).lines() {
        serde_json::from_str::<Value>(line).expect("each line is JSON");
    }
    let github = text(Format::Github);
    assert!(github.lines().all(|line| line.starts_with("::error ")
        || line.starts_with("::warning ")
        || line.starts_with("::notice ")));
    assert_eq!(github.contains("::error "), !is_allowed);
    let junit = text(Format::Junit);
    assert_eq!(junit.matches("<testsuite ").count(), report.models.len() + 1);
    assert_eq!(junit.contains("<failure ") || junit.contains("<error "), !is_allowed);
    assert_inert(&junit);
    let page = text(Format::Html);
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.matches("</script").count(), 1);
    assert!(page.contains(&format!("<div class=\"decision {}\">", report.decision.name())));
    assert_inert(&text(Format::Markdown));
}

fn text(format: Format, report: &Report, timings: &Timings, style: &Style) -> String {
    let mut out = Vec::new();
    write(format, report, timings, &mut out, style).expect("memory can be written to");
    String::from_utf8(out).expect("a report is UTF-8")
}

fn any_run(from: &mut Unstructured<'_>) -> Result<(Policy, Evidence, Timings)> {
    let ids = [PluginId::new("scan").expect("an id"), PluginId::new("card").expect("an id")];
    let policy = Policy { fail_on: *from.choose(&Severity::ALL)?, ..Policy::default() };
    let mut evidence = Evidence { interrupted: from.ratio(1, 8)?, ..Evidence::default() };
    for id in &ids {
        evidence.plugins.push(any_plugin(id, from)?);
    }
    for _ in 0..from.int_in_range(0..=2)? {
        let name = ModelName::new(&String::arbitrary(from)?);
        if evidence.models.iter().any(|model| model.name == name) {
            continue;
        }
        let model = any_model(name, from)?;
        for id in &ids {
            let file = model.files.first().filter(|_| id.as_str() == "scan");
            evidence.tasks.push(any_task(id, &model, file.map(|file| &file.entry), from)?);
        }
        evidence.models.push(model);
    }
    Ok((policy, evidence, Timings { isolation: String::arbitrary(from)?, ..Timings::default() }))
}

fn any_plugin(id: &PluginId, from: &mut Unstructured<'_>) -> Result<PluginEvidence> {
    let scans = id.as_str() == "scan";
    let rule = Rule {
        name: "bad".to_owned(),
        title: String::arbitrary(from)?,
        severity: Severity::High,
        help: String::arbitrary(from)?,
        missing: false,
    };
    let manifest = Manifest {
        id: id.clone(),
        version: semver::Version::new(1, 0, 0),
        title: String::arbitrary(from)?,
        description: String::arbitrary(from)?,
        license: Option::arbitrary(from)?,
        homepage: Option::arbitrary(from)?,
        rules: vec![rule],
        files: vec!["**".to_owned()],
        scope: if scans { Scope::File } else { Scope::Model },
        reads: Reads::Parts,
        judges: scans,
        settings: None,
        limits: LimitsAsked::default(),
    };
    let plugin = ResolvedPlugin {
        manifest,
        digest: Digest::of(b"plugin"),
        bytes: [].into(),
        origin: PluginRef::File(String::arbitrary(from)?.into()),
        imports: Imports { unknown: Vec::arbitrary(from)?, ..Imports::default() },
    };
    Ok(PluginEvidence { plugin, grants: Grants::default(), limits: Limits::default() })
}

fn any_model(name: ModelName, from: &mut Unstructured<'_>) -> Result<ModelEvidence> {
    let mut files = Vec::new();
    for _ in 0..from.int_in_range(1..=3)? {
        let path = FilePath::from_bytes(<&[u8]>::arbitrary(from)?);
        let entry =
            FileEntry { path, size: u64::arbitrary(from)?, digest: Some(Digest::of(b"file")) };
        let content =
            from.choose(&[Content::Empty, Content::Text, Content::LfsPointer, Content::Other])?;
        files.push(FileEvidence { entry, content: *content });
    }
    files.sort_by(|a, b| a.entry.path.cmp(&b.entry.path));
    files.dedup_by(|a, b| a.entry.path == b.entry.path);
    Ok(ModelEvidence {
        name,
        path: String::arbitrary(from)?,
        definition: None,
        defined_at: None,
        lock: None,
        exempt: Default::default(),
        files,
        findings: Vec::new(),
        changed: Vec::new(),
        unreadable: Vec::new(),
    })
}

fn any_task(
    id: &PluginId,
    model: &ModelEvidence,
    file: Option<&FileEntry>,
    from: &mut Unstructured<'_>,
) -> Result<TaskEvidence> {
    let coverage = model
        .files
        .iter()
        .filter(|seen| file.is_none_or(|file| file.path == seen.entry.path))
        .map(|seen| FileCoverage {
            coverage: Coverage {
                file: seen.entry.path.clone(),
                size: seen.entry.size,
                read: seen.entry.size,
            },
            start: seen.entry.size > 0,
        })
        .collect();
    Ok(TaskEvidence {
        plugin: id.clone(),
        model: model.name.clone(),
        file: file.map(|file| file.path.clone()),
        outcome: any_outcome(id, model, from)?,
        coverage,
        usage: Usage { fuel: u64::arbitrary(from)?, ..Usage::default() },
    })
}

fn any_outcome(
    id: &PluginId,
    model: &ModelEvidence,
    from: &mut Unstructured<'_>,
) -> Result<Outcome> {
    Ok(match from.int_in_range(0..=5)? {
        0 => Outcome::Failed(Failure::new(FailureCode::Trap, &String::arbitrary(from)?)),
        1 => Outcome::Refused(Failure::new(FailureCode::Refused, &String::arbitrary(from)?)),
        2 => Outcome::Answered(Answer::NotApplicable(guest(from)?)),
        _ => {
            let mut findings = Vec::new();
            for _ in 0..from.int_in_range(0..=4)? {
                findings.push(any_finding(id, model, from)?);
            }
            let facts = vec![Fact { key: "key".to_owned(), value: guest(from)? }];
            Outcome::Answered(Answer::Checked { findings, facts })
        }
    })
}

fn any_finding(
    id: &PluginId,
    model: &ModelEvidence,
    from: &mut Unstructured<'_>,
) -> Result<Finding> {
    let file = if bool::arbitrary(from)? {
        model.files.first().map(|file| file.entry.path.clone())
    } else {
        None
    };
    Ok(Finding {
        rule: RuleId::new(id.clone(), "bad").expect("a rule"),
        severity: *from.choose(&Severity::ALL)?,
        confidence: Confidence::Medium,
        message: guest(from)?,
        location: Location {
            file,
            member: if bool::arbitrary(from)? { Some(guest(from)?) } else { None },
            offset: Option::arbitrary(from)?,
            line: Option::arbitrary(from)?,
        },
        help: if bool::arbitrary(from)? { Some(guest(from)?) } else { None },
    })
}

fn guest(from: &mut Unstructured<'_>) -> Result<GuestText> {
    Ok(GuestText::capped(<&str>::arbitrary(from)?))
}
