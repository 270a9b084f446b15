//! The words of the report that are one of a few.

use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::{decision, finding, plugin, verdict, waiver};

/// Writes an enum of words, and how each comes from the domain.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident from $domain:path { $($(#[$word_doc:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub(super) enum $name {
            $($(#[$word_doc])* $word,)*
        }

        impl From<$domain> for $name {
            fn from(word: $domain) -> Self {
                use $domain as Domain;
                match word {
                    $(Domain::$word => Self::$word,)*
                }
            }
        }
    };
}

words! {
    /// What the gate says.
    Decision from decision::Decision {
        /// Everything was judged and nothing denies.
        Allow,
        /// Something could not be judged, and nothing denies.
        Incomplete,
        /// A finding, or the policy, says no.
        Deny,
    }
}

words! {
    /// How bad it is if a finding is true, least first.
    Severity from finding::Severity {
        /// Worth knowing; never changes a verdict.
        Info,
        /// A weakness, or something missing.
        Low,
        /// Likely to matter; a person should look.
        Medium,
        /// Unsafe, forbidden, or can't be shown safe.
        High,
        /// Does harm.
        Critical,
    }
}

words! {
    /// How sure a check is that a finding is true, least first.
    Confidence from finding::Confidence {
        /// A guess.
        Low,
        /// Probable.
        Medium,
        /// Seen.
        High,
    }
}

words! {
    /// What the policy makes of one task.
    Verdict from verdict::Verdict {
        /// Checked, and nothing to say of it.
        Pass,
        /// Not applicable.
        Skip,
        /// Findings below the bar.
        Warn,
        /// No usable answer.
        Error,
        /// A finding at or above the bar.
        Fail,
    }
}

words! {
    /// What became of a waiver in the run.
    WaiverState from waiver::WaiverState {
        /// It covers a finding.
        InUse,
        /// It covers a finding, and soon no longer.
        Expiring,
        /// Its last day is over: it covers nothing.
        Expired,
        /// The run's time lies before the day it was written: it covers nothing.
        Early,
        /// The finding is there, on other bytes: it covers nothing.
        Stale,
        /// The finding is gone.
        Unused,
        /// The run can't tell.
        NotTold,
    }
}

words! {
    /// What one task of a plugin sees.
    Scope from plugin::Scope {
        /// One matching file.
        File,
        /// All matching files of a model.
        Model,
    }
}

words! {
    /// How much of each file a plugin promises to have read when it answers
    /// `checked`.
    Reads from plugin::Reads {
        /// Every byte.
        Whole,
        /// Something of each file that is not empty.
        Parts,
        /// Nothing.
        None,
    }
}
