//! The trait a check implements, and the way from the host's call to it: settings in,
//! an answer whose texts fit the contract out.
//!
//! What a check sees stands in `model`, what it says in `answer` and `finding`.

use serde::de::DeserializeOwned;

use crate::answer::{Answer, Failure};
use crate::model::Model;

/// Looks at a model and says what was found.
///
/// A type that stands for the check implements this (an empty struct, as a rule), and
/// [`export_check!`](crate::export_check) makes a component of it. The host calls
/// [`check`](Self::check) once for each task, each time in a fresh instance: nothing
/// survives from one call to the next.
pub trait Check {
    /// The settings from the policy, read from JSON with serde; `()` for a check that
    /// has none.
    ///
    /// The host has validated them against the schema in `plugin.toml` before. With
    /// `#[serde(deny_unknown_fields, default)]` the type says the same once more. A
    /// policy that sets nothing arrives as `{}`.
    type Settings: DeserializeOwned;

    /// Checks what `model` shows.
    ///
    /// # Errors
    ///
    /// Why the check could not do its work. The verdict is then `error`, which lets no
    /// model through. What is wrong with a model is a finding, not an error; and
    /// a panic ends the task as an error too, but with a poorer message.
    fn check(model: &Model<'_>, settings: Self::Settings) -> Result<Answer, Failure>;
}

/// Exports a type that implements [`Check`] as this component's check.
///
/// It stands once in a crate, at the level of items. Natively it expands to nothing
/// but the proof that the type is a check, so that the same crate can be tested; the
/// component's export is made for WebAssembly targets only.
///
/// ```
/// use modelhost_check::{Answer, Check, Failure, Model, export_check};
///
/// struct Nothing;
///
/// impl Check for Nothing {
///     type Settings = ();
///     fn check(_model: &Model<'_>, (): ()) -> Result<Answer, Failure> {
///         Ok(Answer::not_applicable("this check looks at nothing"))
///     }
/// }
///
/// export_check!(Nothing);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_check {
    ($check:ty) => {
        const _: () = {
            const fn is_a_check<C: $crate::Check>() {}
            is_a_check::<$check>();
        };

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Exported;

            impl $crate::bindings::exports::modelhost::check::model_check::Guest for Exported {
                fn check(
                    model: &$crate::bindings::exports::modelhost::check::model_check::Model,
                    settings: ::std::string::String,
                ) -> ::std::result::Result<
                    $crate::bindings::exports::modelhost::check::model_check::Answer,
                    $crate::bindings::exports::modelhost::check::model_check::Failure,
                > {
                    $crate::guest::call::<$check>(model, &settings)
                }
            }

    $crate::bindings::export_model_check!(Exported with_types_in $crate::bindings);
        };
    };
}

/// Runs a check as the host would: the settings as text, the answer's texts cut to
/// what the contract allows.
pub(crate) fn run<C: Check>(model: &Model<'_>, settings: &str) -> Result<Answer, Failure> {
    let settings = parse_settings(settings)?;
    match C::check(model, settings) {
        Ok(answer) => Ok(answer.fitted()),
        Err(failure) => Err(failure.fitted()),
    }
}

fn parse_settings<S: DeserializeOwned>(text: &str) -> Result<S, Failure> {
    serde_json::from_str(text).or_else(|error| {
        // `()` reads from `null` alone, while no settings are `{}`. The size is known
        // when compiling, so only such types carry this.
        if size_of::<S>() == 0
            && text.bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"{}")
            && let Ok(none) = serde_json::from_str("null")
        {
            return Ok(none);
        }
        Err(Failure::InvalidSettings(error.to_string()).fitted())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::MAX_TEXT;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Required {
        max: u64,
    }

    #[derive(Debug, PartialEq, Default, serde::Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Defaulted {
        allow: Vec<String>,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Empty {}

    #[test]
    fn settings_are_read() {
        assert_eq!(parse_settings("{}"), Ok(()));
        assert_eq!(parse_settings(" { \n} "), Ok(()));
        assert_eq!(parse_settings("{}"), Ok(Empty {}));
        assert_eq!(parse_settings("{}"), Ok(Defaulted::default()));
        assert_eq!(parse_settings(r#"{"max":3}"#), Ok(Required { max: 3 }));
        let allow = vec!["MIT".to_owned()];
        assert_eq!(parse_settings(r#"{"allow":["MIT"]}"#), Ok(Defaulted { allow }));
    }

    #[test]
    fn settings_that_cannot_be_used_say_why() {
        fn why<S: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
            match parse_settings::<S>(text) {
                Err(Failure::InvalidSettings(text)) => text,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(why::<Required>("{}"), "missing field `max` at line 1 column 2");
        assert!(why::<Required>(r#"{"max":-1}"#).contains("invalid value"));
        assert!(why::<Defaulted>(r#"{"alow":[]}"#).contains("unknown field `alow`"));
        assert!(why::<()>(r#"{"max":1}"#).contains("invalid type: map"));
        assert!(why::<Empty>(r#"{"max":1}"#).contains("unknown field `max`"));
        assert!(why::<Required>("null").contains("invalid type: null"));
        assert!(why::<()>("").contains("EOF"));
        assert!(why::<Empty>("{} {}").contains("trailing characters"));
        let long = format!(r#"{{"{}":1}}"#, "k".repeat(2 * MAX_TEXT));
        assert!(why::<Empty>(&long).len() <= MAX_TEXT);
    }
}
