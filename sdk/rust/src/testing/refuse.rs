//! What the host would refuse in an answer, said as early as in a native test.
//!
//! The bounds themselves are `answer`'s and `finding`'s.

use std::collections::BTreeSet;

use super::Model;
use crate::answer::{Answer, Fact, MAX_FACTS, MAX_FINDINGS, Observations};
use crate::finding::{Finding, Location, MAX_MEMBER, MAX_TEXT, is_kebab};

/// Says why the host would refuse the answer.
pub(crate) fn accept(model: &Model, answer: &Answer) -> Result<(), String> {
    match answer {
        Answer::Checked(observations) => accept_observations(model, observations),
        Answer::NotApplicable(reason) => accept_text("the reason", reason, MAX_TEXT),
    }
}

fn accept_observations(model: &Model, observations: &Observations) -> Result<(), String> {
    let findings = observations.findings();
    if findings.len() > MAX_FINDINGS {
        return Err(format!("{} findings, at most {MAX_FINDINGS}", findings.len()));
    }
    let mut paths: BTreeSet<&str> = model.files.keys().map(String::as_str).collect();
    let locked = model.lock.as_ref().map(|lock| &lock.handle.files[..]).unwrap_or_default();
    paths.extend(locked.iter().map(|file| file.path.as_str()));
    for finding in findings {
        accept_finding(&paths, finding)
            .map_err(|why| format!("finding {:?}: {why}", finding.rule.name()))?;
    }
    accept_facts(observations.facts())
}

fn accept_finding(paths: &BTreeSet<&str>, finding: &Finding) -> Result<(), String> {
    accept_text("its message", &finding.message, MAX_TEXT)?;
    if let Some(help) = &finding.help {
        accept_text("its help", help, MAX_TEXT)?;
    }
    let Location { file, member, offset, line } = &finding.location;
    match file {
        Some(path) if !paths.contains(path.as_str()) => {
            return Err(format!("path {path:?} is neither in view nor in the lock entry"));
        }
        None if member.is_some() || offset.is_some() || line.is_some() => {
            return Err("a member, an offset or a line needs a file".to_owned());
        }
        _ => {}
    }
    if member.as_ref().is_some_and(|member| member.len() > MAX_MEMBER) {
        return Err(format!("its member is longer than {MAX_MEMBER} bytes"));
    }
    if *line == Some(0) {
        return Err("lines are counted from 1".to_owned());
    }
    Ok(())
}

fn accept_facts(facts: &[Fact]) -> Result<(), String> {
    if facts.len() > MAX_FACTS {
        return Err(format!("{} facts, at most {MAX_FACTS}", facts.len()));
    }
    let mut keys = BTreeSet::new();
    for Fact { key, value } in facts {
        if !is_kebab(key) {
            return Err(format!("fact {key:?}: a key is in kebab case, at most 64 bytes"));
        }
        if !keys.insert(key) {
            return Err(format!("fact {key:?}: each key once"));
        }
        accept_text("a fact's value", value, MAX_TEXT)?;
    }
    Ok(())
}

fn accept_text(what: &str, text: &str, max: usize) -> Result<(), String> {
    if (1..=max).contains(&text.len()) {
        Ok(())
    } else {
        Err(format!("{what} has {} bytes, 1 to {max} are allowed", text.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Rule, Severity};
    use crate::testing::Lock;

    const RULE: Rule = Rule::new("rule", Severity::Low);

    fn model() -> Model {
        let lock = Lock::new().bytes("gone.bin", b"x").bytes("here.bin", b"y");
        Model::new("m").file("here.bin", "y").file("new.bin", "z").lock(lock)
    }

    #[test]
    fn places_are_in_the_view_or_in_the_lock() {
        for (place, refused) in [
            (Location::model(), None),
            (Location::path("here.bin").member("a").offset(1).line(1), None),
            (Location::path("new.bin"), None),
            (Location::path("gone.bin"), None),
            (Location::path("other.bin"), Some("neither in view nor in the lock")),
            (Location::path(""), Some("neither in view nor in the lock")),
            (Location::path("/here.bin"), Some("neither in view nor in the lock")),
            (Location::model().member("a"), Some("needs a file")),
            (Location::model().offset(0), Some("needs a file")),
            (Location::model().line(1), Some("needs a file")),
            (Location::path("here.bin").line(0), Some("counted from 1")),
        ] {
            let answer = Observations::from_iter([RULE.finding(place.clone(), "seen")]).into();
            let result = accept(&model(), &answer);
            match (&result, refused) {
                (Ok(()), None) => {}
                (Err(why), Some(expected)) if why.contains(expected) => {}
                _ => panic!("{place:?}: {result:?}, expected {refused:?}"),
            }
        }
    }

    #[test]
    fn facts_have_distinct_kebab_keys_and_a_bound() {
        let many = |count: usize| (0..count).map(|n| format!("k{n}")).collect::<Vec<_>>();
        for (keys, refused) in [
            (many(MAX_FACTS), None),
            (many(MAX_FACTS + 1), Some("at most 256")),
            (vec!["a".to_owned(), "a".to_owned()], Some("each key once")),
            (vec!["A".to_owned()], Some("kebab case")),
            (vec![String::new()], Some("kebab case")),
            (vec!["k".repeat(65)], Some("kebab case")),
        ] {
            let mut seen = Observations::new();
            keys.iter().for_each(|key| seen.fact(key, "value"));
            let result = accept(&model(), &seen.into());
            match (&result, refused) {
                (Ok(()), None) => {}
                (Err(why), Some(expected)) if why.contains(expected) => {}
                _ => panic!("{keys:?}: {result:?}, expected {refused:?}"),
            }
        }
    }

    #[test]
    fn what_the_builders_cut_is_accepted() {
        let mut seen = Observations::new();
        let place = Location::path("here.bin").member("é".repeat(MAX_TEXT));
        seen.push(RULE.finding(place, "é".repeat(MAX_TEXT)).help("é".repeat(MAX_TEXT)));
        seen.fact("key", "é".repeat(MAX_TEXT));
        assert_eq!(accept(&model(), &seen.into()), Ok(()));
        let answer = Answer::NotApplicable("é".repeat(MAX_TEXT));
        assert!(accept(&model(), &answer).is_err());
        assert_eq!(accept(&model(), &answer.fitted()), Ok(()));
    }
}
