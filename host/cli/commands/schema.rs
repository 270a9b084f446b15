//! `modelhost schema`: JSON Schemas of the formats.

use modelhost::plugin::description;
use modelhost::{config, record, report};

use crate::args::{SchemaArgs, SchemaName};
use crate::exit::Exit;

pub(crate) fn run(args: &SchemaArgs) -> anyhow::Result<Exit> {
    let schema = match args.name {
        SchemaName::Config => config::json_schema(),
        SchemaName::Report => report::json::json_schema(),
        SchemaName::Events => report::jsonl::json_schema(),
        SchemaName::Timings => report::timings::json_schema(),
        SchemaName::Plugins => description::json_schema(),
        SchemaName::Audit => record::audit::json_schema(),
        SchemaName::History => super::history::json_schema(),
        SchemaName::Cache => super::cache::json_schema(),
        SchemaName::Doctor => super::doctor::json_schema(),
        SchemaName::Waivers => super::waiver::json_schema(),
        SchemaName::Baseline => super::baseline::json_schema(),
        SchemaName::Explain => super::explain::json_schema(),
        SchemaName::Compare => record::compare::json_schema(),
    };
    super::print(&super::text_of(&schema)?)
}
