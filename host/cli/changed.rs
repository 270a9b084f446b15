//! `run --changed`: which base the models are compared with, and what differs from
//! it.
//!
//! Where it can't be told that a model is the same, it counts as changed; where the
//! base can't be found, nothing runs. Leaves asking git to `git`, and which models a
//! path belongs to, to the library.

use std::path::{Path, PathBuf};

use modelhost::domain::text::GuestText;
use modelhost::gate::{Changed, GateError};

use crate::context;
use crate::git::{Git, GitError};

/// What a run looks at.
#[derive(Debug)]
pub(crate) enum Scope {
    /// All models, and why.
    All(String),
    /// The models that differ from a base.
    Part(Changed),
}

/// A base, as it was named or found.
#[derive(Debug)]
struct Base {
    /// As it is told.
    name: String,
    /// As git knows it.
    revision: String,
    /// What fetches it, where it is not here.
    fetch: String,
    /// Where it came from.
    from: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// It was named, or a CI system names it.
    Named,
    /// It is the default branch.
    Default,
}

/// Finds out what a run from `working_dir` looks at: what differs from the base
/// `named`, or else the one that is found here. Where one of `inputs` (policy, lock
/// file, plugins and the like) differs, or git can't tell, that is all models.
///
/// # Errors
/// Says that there is no repository, or no base, and how to come by it.
pub(crate) fn find(
    working_dir: &Path,
    named: Option<&str>,
    inputs: &[PathBuf],
) -> Result<Scope, GateError> {
    let git = Git::at(working_dir).map_err(|error| failed(&error))?;
    let top = git.top().map_err(|error| match error {
        GitError::Refused(why) => usage(
            format!(
                "--changed compares with a commit, and there is no git repository here ({why})"
            ),
            "leave --changed out to gate all models".to_owned(),
        ),
        error => failed(&error),
    })?;
    let top = context::real(&top);
    let head = git.commit("HEAD").map_err(|error| failed(&error))?;
    let Some(head) = head else {
        return Ok(Scope::All("there is no commit yet".to_owned()));
    };
    let base = match named {
        Some(name) => by_name(name),
        None => match found(&git)? {
            Some(base) => base,
            None => {
                return Err(usage(
                    "--changed finds no base: no CI system names one, and there is no default branch of a remote"
                        .to_owned(),
                    "name it: --changed=BRANCH, or fetch it: `git remote set-head origin --auto`".to_owned(),
                ));
            }
        },
    };
    let commit = git.commit(&base.revision).map_err(|error| failed(&error))?;
    let Some(tip) = commit else { return Err(missing(&git, &base, "it is not in this clone")) };
    let common = git.merge_base(&tip, &head).map_err(|error| failed(&error))?;
    let Some(common) = common else {
        return Err(missing(&git, &base, "it has no commit in common with HEAD in this clone"));
    };
    if base.from == Origin::Default && common == head && context::is_ci() {
        // What was pushed stands on that very branch: nothing there is older than it.
        return Ok(Scope::All(format!("HEAD is on {} itself", base.name)));
    }
    let changed = git.changed_since(&common).map_err(|error| failed(&error))?;
    let paths = changed.into_iter().map(|path| top.join(path)).collect();
    let changed = Changed { base: base.name, commit: common, top: top.clone(), paths };
    for input in inputs {
        let places = [input.clone(), context::real(input)];
        let name = GuestText::capped(&input.strip_prefix(&top).unwrap_or(input).to_string_lossy());
        if !context::real(input).starts_with(&top) {
            return Ok(Scope::All(format!(
                "{name} is outside the repository, so git can't tell whether it changed"
            )));
        }
        if places.iter().any(|place| changed.differs(place)) {
            return Ok(Scope::All(format!("{name} changed since {}", changed.base)));
        }
    }
    Ok(Scope::Part(changed))
}

fn by_name(name: &str) -> Base {
    Base {
        name: GuestText::new(name, 100).to_string(),
        revision: name.to_owned(),
        fetch: format!("git fetch origin {}", GuestText::new(name, 100)),
        from: Origin::Named,
    }
}

fn variable(name: &str) -> Option<String> {
    context::variable(name)?.into_string().ok()
}

/// The variables in which CI systems name the branch that a pull request is against,
/// as the documentation of each says: GitHub Actions; Jenkins, multibranch; Azure
/// Pipelines, as `refs/heads/BRANCH`; Bitbucket Pipelines; Buildkite.
const TARGETS: [&str; 5] = [
    "GITHUB_BASE_REF",
    "CHANGE_TARGET",
    "SYSTEM_PULLREQUEST_TARGETBRANCH",
    "BITBUCKET_PR_DESTINATION_BRANCH",
    "BUILDKITE_PULL_REQUEST_BASE_BRANCH",
];

/// Before the branch that a merge queue of GitHub merges into, in `GITHUB_REF`; behind
/// it is the name of the group.
const QUEUE: &str = "refs/heads/gh-readonly-queue/";

/// Returns the branch that what is judged goes into, where a CI system names it.
fn target() -> Option<String> {
    let named = TARGETS.into_iter().find_map(variable);
    let queue = || {
        let reference = variable("GITHUB_REF")?;
        let (branch, _) = reference.strip_prefix(QUEUE)?.rsplit_once('/')?;
        Some(branch.to_owned())
    };
    let branch = named.or_else(queue)?;
    Some(branch.strip_prefix("refs/heads/").unwrap_or(&branch).to_owned())
}

/// Returns the base that a CI system names, else the default branch.
fn found(git: &Git) -> Result<Option<Base>, GateError> {
    if let Some(branch) = target() {
        let shown = GuestText::new(&branch, 100);
        let way = match variable("GITHUB_ACTIONS").or_else(|| variable("GITHUB_BASE_REF")) {
            Some(_) => "   (or `fetch-depth: 0` for actions/checkout)",
            None => "",
        };
        return Ok(Some(Base {
            name: format!("origin/{shown}"),
            revision: format!("refs/remotes/origin/{branch}"),
            fetch: format!(
                "git fetch --no-tags --unshallow origin +refs/heads/{shown}:refs/remotes/origin/{shown}{way}"
            ),
            from: Origin::Named,
        }));
    }
    if let Some(commit) = variable("CI_MERGE_REQUEST_DIFF_BASE_SHA") {
        let shown = GuestText::new(&commit, 100).to_string();
        return Ok(Some(Base {
            name: shown.chars().take(12).collect(),
            fetch: format!(
                "git fetch --unshallow origin {shown}   (or the variable GIT_DEPTH: \"0\")"
            ),
            revision: commit,
            from: Origin::Named,
        }));
    }
    let default = git.symbolic("refs/remotes/origin/HEAD").map_err(|error| failed(&error))?;
    let candidates = ["refs/remotes/origin/main", "refs/remotes/origin/master"];
    let candidates = default.into_iter().chain(candidates.map(str::to_owned));
    for revision in candidates {
        if git.commit(&revision).map_err(|error| failed(&error))?.is_some() {
            let name = revision.strip_prefix("refs/remotes/").unwrap_or(&revision);
            let name = GuestText::new(name, 100).to_string();
            let fetch = format!("git fetch --unshallow {}", name.replacen('/', " ", 1));
            return Ok(Some(Base { name, revision, fetch, from: Origin::Default }));
        }
    }
    Ok(None)
}

fn missing(git: &Git, base: &Base, why: &str) -> GateError {
    let shallow = if git.is_shallow() { " (the clone is shallow)" } else { "" };
    usage(
        format!("the base {} can't be compared with: {why}{shallow}", base.name),
        format!("fetch it: {}", base.fetch),
    )
}

fn failed(error: &GitError) -> GateError {
    usage(
        format!("--changed needs git: {error}"),
        "leave --changed out to gate all models".to_owned(),
    )
}

fn usage(message: String, help: String) -> GateError {
    GateError::Usage { message, help: Some(help) }
}
