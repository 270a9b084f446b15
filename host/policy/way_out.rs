//! The way out of a failure, where whoever saw it fail named none.
//!
//! Leaves applying it to `judge`.

use crate::domain::capability::{Limit, Limits};
use crate::domain::plugin::PluginId;
use crate::domain::verdict::FailureCode;

/// Returns what can be done about a failure `code` of `plugin`, which was held
/// to `limits` on a view of `size` bytes.
pub(super) fn way_out(plugin: &PluginId, code: FailureCode, limits: &Limits, size: u64) -> String {
    match code {
        FailureCode::Refused => format!(
            "`modelhost plugin inspect` shows what it asks for; what it may have stands in `grants` under \
             [plugin.{plugin}] in modelhost.toml"
        ),
        FailureCode::Compile => {
            "`modelhost plugin inspect` checks a component; it may have been built for \
                                 another version of the contract"
                .to_owned()
        }
        FailureCode::Worker => {
            "run again; if it ends so each time, report it to the plugin's author".to_owned()
        }
        FailureCode::Trap | FailureCode::BadAnswer | FailureCode::Internal => {
            "this is a fault of the plugin: report it to its author".to_owned()
        }
        FailureCode::NotRead => "report it to the plugin's author".to_owned(),
        FailureCode::Limit(limit) => at_limit(plugin, limits.to_raise(limit, size), limits),
        FailureCode::Answers => {
            "gate parts of the model in runs of their own, or report it to the \
                                 plugin's author"
                .to_owned()
        }
        FailureCode::Changed => "run again once nothing writes to the model".to_owned(),
        FailureCode::InvalidSettings => {
            format!("correct `settings` under [plugin.{plugin}] in modelhost.toml")
        }
        FailureCode::Unreadable => {
            "make the file readable for whoever runs the gate, or fetch it again".to_owned()
        }
        FailureCode::Unsupported => {
            "convert the file to a version that the plugin knows, or look for a newer plugin"
                .to_owned()
        }
        FailureCode::Interrupted => "run again".to_owned(),
    }
}

fn at_limit(plugin: &PluginId, limit: Limit, limits: &Limits) -> String {
    let first = match limit {
        // These depend on the machine, too.
        Limit::Deadline | Limit::DeadlinePerGib | Limit::CompileTime | Limit::CompileMemory => {
            "run again on a calmer machine; "
        }
        _ => "",
    };
    // Twice the bound is a number to start from: who knows the plugin knows better.
    match limit.raised(plugin.as_str(), limits.get(limit)) {
        Some(line) => format!(
            "{first}if you trust the plugin to need more, allow it in modelhost.toml: {line}"
        ),
        None => format!("{first}no policy gives more than that: report it to the plugin's author"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_line_that_allows_more() {
        let plugin = PluginId::new("acme").expect("an id");
        let limits = Limits { instances: 10_000, ..Limits::default() };
        let rows = [
            (FailureCode::Limit(Limit::Fuel), "[plugin.acme] limits = { fuel = 10000000000 }"),
            (FailureCode::Limit(Limit::Memory), "[plugin.acme] limits = { memory = \"512MiB\" }"),
            (FailureCode::Limit(Limit::Deadline), "calmer machine"),
            (FailureCode::Limit(Limit::Deadline), "[plugin.acme] limits = { deadline = \"1m\" }"),
            (FailureCode::Limit(Limit::Handles), "[plugin.acme] limits = { handles = 2048 }"),
            (FailureCode::Limit(Limit::Instances), "no policy gives more"),
            (FailureCode::InvalidSettings, "[plugin.acme]"),
        ];
        for (code, expected) in rows {
            let help = way_out(&plugin, code, &limits, 1 << 20);
            assert!(help.contains(expected), "{help}");
        }
        let help = way_out(&plugin, FailureCode::Limit(Limit::Fuel), &limits, 1 << 40);
        assert!(help.contains("limits = { fuel-per-byte = 200 }"), "{help}");
    }

    #[test]
    fn each_limit_has_a_way_out() {
        let plugin = PluginId::new("acme").expect("an id");
        for limit in Limit::ALL {
            let help = way_out(&plugin, FailureCode::Limit(limit), &Limits::default(), 0);
            let line = format!("[plugin.acme] limits = {{ {} = ", limit.name());
            assert!(help.contains(&line) || help.contains("no policy"), "{help}");
        }
    }
}
