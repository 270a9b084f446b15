//! The way out of a failure, where whoever saw it fail named none.
//!
//! Leaves applying it to `judge`.

use crate::domain::capability::Limits;
use crate::domain::plugin::PluginId;
use crate::domain::verdict::FailureCode;

/// Returns what can be done about a failure `code` of `plugin`, which was held
/// to `limits`.
pub(super) fn way_out(plugin: &PluginId, code: FailureCode, limits: &Limits) -> String {
    // Twice the bound is a number to start from: who knows the plugin knows better.
    let more =
        |key: &str, bound: u64| allow_more(plugin, key, &bound.saturating_mul(2).to_string());
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
        FailureCode::LimitCompile => {
            "run again on a calmer machine; a plugin that takes this long to compile is to be reported to its author"
                .to_owned()
        }
        FailureCode::Worker => "run again; if it ends so each time, report it to the plugin's author".to_owned(),
        FailureCode::Trap
        | FailureCode::BadAnswer
        | FailureCode::Internal
        | FailureCode::LimitStack => {
            "this is a fault of the plugin: report it to its author".to_owned()
        }
        FailureCode::NotRead => "report it to the plugin's author".to_owned(),
        FailureCode::LimitFuel => more("fuel", limits.fuel),
        FailureCode::LimitDeadline => {
            let seconds = limits.deadline.as_secs().saturating_mul(2);
            format!(
                "run again on a calmer machine; {}",
                allow_more(plugin, "deadline", &format!("\"{seconds}s\""))
            )
        }
        FailureCode::LimitMemory => {
            let mib = (limits.memory >> 20).saturating_mul(2);
            allow_more(plugin, "memory", &format!("\"{mib}MiB\""))
        }
        FailureCode::LimitTable => more("table-elements", limits.table_elements),
        FailureCode::LimitInstances => more("instances", u64::from(limits.instances)),
        FailureCode::LimitHostCalls => more("host-calls", limits.host_calls),
        FailureCode::LimitHandles => more("handles", u64::from(limits.handles)),
        FailureCode::LimitAnswer => {
            format!(
                "report it to the plugin's author; {}",
                more("findings", u64::from(limits.findings))
            )
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

fn allow_more(plugin: &PluginId, key: &str, bound: &str) -> String {
    format!(
        "if you trust the plugin to need it, allow more under [plugin.{plugin}] in modelhost.toml: limits = {{ {key} = {bound} }}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_line_that_allows_more() {
        let plugin = PluginId::new("acme").expect("an id");
        let limits = Limits { fuel: u64::MAX, ..Limits::default() };
        let rows = [
            (FailureCode::LimitFuel, "limits = { fuel = 18446744073709551615 }"),
            (FailureCode::LimitMemory, "limits = { memory = \"512MiB\" }"),
            (FailureCode::LimitDeadline, "limits = { deadline = \"60s\" }"),
            (FailureCode::LimitHandles, "limits = { handles = 2048 }"),
            (FailureCode::InvalidSettings, "[plugin.acme]"),
        ];
        for (code, expected) in rows {
            let help = way_out(&plugin, code, &limits);
            assert!(help.contains(expected), "{help}");
        }
    }
}
