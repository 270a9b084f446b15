//! Who runs modelhost, and on what: as CI says in its variables, or else as git and
//! the environment do.
//!
//! What CI says is believed as it stands: whoever may set the variables of a job may
//! write its log as well. Leaves recording it to the library.

mod checkout;

use std::path::Path;

use modelhost::domain::text::GuestText;
use modelhost::record::audit::{CiOrigin, Origin};

use crate::context;

/// The most bytes of one text: some names of people and branches.
const MAX_TEXT: usize = 256;

/// The variables in which one CI says what a log notes.
struct Ci {
    system: &'static str,
    /// Set in every job of it, and nowhere else.
    mark: &'static str,
    actor: &'static str,
    commit: &'static str,
    repository: &'static str,
    reference: &'static str,
    run: &'static str,
}

/// As the documentation of each names them.
const CI: [Ci; 4] = [
    Ci {
        system: "github",
        mark: "GITHUB_ACTIONS",
        actor: "GITHUB_ACTOR",
        commit: "GITHUB_SHA",
        repository: "GITHUB_REPOSITORY",
        reference: "GITHUB_REF",
        run: "GITHUB_RUN_ID",
    },
    Ci {
        system: "gitlab",
        mark: "GITLAB_CI",
        actor: "GITLAB_USER_LOGIN",
        commit: "CI_COMMIT_SHA",
        repository: "CI_PROJECT_PATH",
        reference: "CI_COMMIT_REF_NAME",
        run: "CI_PIPELINE_ID",
    },
    Ci {
        system: "azure",
        mark: "TF_BUILD",
        actor: "BUILD_REQUESTEDFOR",
        commit: "BUILD_SOURCEVERSION",
        repository: "BUILD_REPOSITORY_NAME",
        reference: "BUILD_SOURCEBRANCH",
        run: "BUILD_BUILDID",
    },
    Ci {
        system: "buildkite",
        mark: "BUILDKITE",
        actor: "BUILDKITE_BUILD_CREATOR",
        commit: "BUILDKITE_COMMIT",
        repository: "BUILDKITE_PIPELINE_SLUG",
        reference: "BUILDKITE_BRANCH",
        run: "BUILDKITE_BUILD_ID",
    },
];

/// Returns who runs modelhost in `working_dir`, and on what; `actor` is what the
/// command line says.
pub(crate) fn origin(actor: Option<&str>, working_dir: &Path) -> Origin {
    let said = from_ci(&|name| context::text(name));
    let named = actor.and_then(text);
    let local = || {
        let home = context::text("HOME");
        checkout::user(working_dir, home.as_deref().map(Path::new))
            .or_else(|| context::text("USER"))
            .or_else(|| context::text("LOGNAME"))
            .and_then(|name| text(&name))
    };
    let commit = || checkout::commit(working_dir).and_then(|commit| text(&commit));
    Origin {
        actor: named.or(said.actor).or_else(local),
        commit: said.commit.or_else(commit),
        ci: said.ci,
    }
}

/// Returns what the variables of CI say, as `variable` reads them.
fn from_ci(variable: &dyn Fn(&str) -> Option<String>) -> Origin {
    let Some(ci) = CI.into_iter().find(|ci| variable(ci.mark).is_some()) else {
        return Origin::default();
    };
    let said = |name| variable(name).and_then(|value| text(&value));
    Origin {
        actor: said(ci.actor),
        commit: said(ci.commit),
        ci: Some(CiOrigin {
            system: ci.system,
            repository: said(ci.repository),
            reference: said(ci.reference),
            run: said(ci.run),
        }),
    }
}

fn text(raw: &str) -> Option<GuestText> {
    let raw = raw.trim();
    (!raw.is_empty()).then(|| GuestText::new(raw, MAX_TEXT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ci_says_who_and_what() {
        let shown = |variables: &[(&str, &str)]| {
            let origin = from_ci(&|name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            let ci = origin.ci.map(|ci| {
                let part = |text: Option<GuestText>| text.map_or("-".into(), |t| t.to_string());
                [ci.system.to_owned(), part(ci.repository), part(ci.reference), part(ci.run)]
                    .join(" ")
            });
            let part = |text: Option<GuestText>| text.map_or("-".into(), |t| t.to_string());
            format!("{} {} | {}", part(origin.actor), part(origin.commit), ci.unwrap_or_default())
        };
        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "octocat"),
            ("GITHUB_SHA", "0a1b"),
            ("GITHUB_REPOSITORY", "org/name"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_RUN_ID", "99"),
        ];
        let gitlab = [
            ("GITLAB_CI", "true"),
            ("GITLAB_USER_LOGIN", "tanuki"),
            ("CI_COMMIT_SHA", "0a1b"),
            ("CI_PROJECT_PATH", "group/name"),
            ("CI_COMMIT_REF_NAME", "main"),
            ("CI_PIPELINE_ID", "12"),
        ];
        let hostile = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_ACTOR", "::error::x\u{1b}[31m"),
            ("GITHUB_REF", "refs/heads/\u{202e}##[x"),
            ("GITHUB_SHA", "  "),
        ];
        let rows: [(&[_], &str); 5] = [
            (&github, "octocat 0a1b | github org/name refs/pull/7/merge 99"),
            (&gitlab, "tanuki 0a1b | gitlab group/name main 12"),
            (&[("BUILDKITE", "true"), ("BUILDKITE_COMMIT", "c")], "- c | buildkite - - -"),
            (&hostile, "\\x3a:error::x\\x1b[31m - | github - refs/heads/\\u{202e}\\x23#[x -"),
            // Without the mark of a CI, its variables say nothing.
            (&github[1..], "- - | "),
        ];
        for (variables, expected) in rows {
            assert_eq!(shown(variables), expected);
        }
        let long = "x".repeat(5000);
        assert!(text(&long).expect("a text").as_str().len() <= MAX_TEXT);
    }
}
