//! The part of SARIF 2.1.0 that modelhost writes, by the names of its schema.
//!
//! Of that schema's hundred types a dozen are needed; they borrow nothing and hold
//! nothing optional but what is left out. Leaves what stands in them to `sarif`.

use serde::Serialize;

/// A whole document.
#[derive(Serialize)]
pub(super) struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

impl Log {
    pub(super) fn new(run: Run) -> Self {
        Self {
            schema: "https://json.schemastore.org/sarif-2.1.0.json",
            version: "2.1.0",
            runs: [run],
        }
    }
}

/// One run. It has no `automationDetails`: what uploads it names the category by
/// job and matrix, and two of one name would be refused.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    pub(super) tool: Tool,
    pub(super) invocations: [Invocation; 1],
    pub(super) column_kind: &'static str,
    pub(super) results: Vec<Finding>,
    pub(super) properties: RunProperties,
}

#[derive(Serialize)]
pub(super) struct RunProperties {
    pub(super) decision: &'static str,
    pub(super) summary: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) waived: Vec<Waived>,
}

/// A finding that is no result, since somebody lets it pass.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Waived {
    pub(super) rule_id: String,
    pub(super) fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    pub(super) severity: &'static str,
    pub(super) owner: String,
    /// The last day, UTC.
    pub(super) expires: String,
    pub(super) reason: String,
}

#[derive(Serialize)]
pub(super) struct Tool {
    pub(super) driver: Driver,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) extensions: Vec<Plugin>,
}

/// modelhost itself. All rules are here, each with its plugin's id in front:
/// readers look for them in the driver.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Driver {
    pub(super) name: &'static str,
    pub(super) full_name: &'static str,
    pub(super) version: &'static str,
    pub(super) semantic_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) information_uri: Option<&'static str>,
    pub(super) rules: Vec<Rule>,
}

/// One plugin: an extension of the tool.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Plugin {
    pub(super) name: String,
    pub(super) full_name: String,
    pub(super) version: String,
    pub(super) semantic_version: String,
    pub(super) properties: PluginProperties,
}

#[derive(Serialize)]
pub(super) struct PluginProperties {
    pub(super) digest: String,
    pub(super) advisory: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) short_description: Text,
    pub(super) full_description: Text,
    pub(super) help: Markdown,
    pub(super) default_configuration: Configuration,
    pub(super) properties: RuleProperties,
}

#[derive(Serialize)]
pub(super) struct RuleProperties {
    pub(super) tags: [&'static str; 1],
    /// From above 0 to 10, as text; makes an alert a security alert.
    #[serde(rename = "security-severity", skip_serializing_if = "Option::is_none")]
    pub(super) security_severity: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct Configuration {
    pub(super) level: Level,
}

#[derive(Serialize)]
pub(super) struct Text {
    pub(super) text: String,
}

#[derive(Serialize)]
pub(super) struct Markdown {
    pub(super) text: String,
    pub(super) markdown: String,
}

/// A message in plain text.
#[derive(Serialize)]
pub(super) struct Message {
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invocation {
    pub(super) execution_successful: bool,
    pub(super) end_time_utc: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
pub(super) struct Notification {
    pub(super) level: Level,
    pub(super) message: Message,
    pub(super) descriptor: Reference,
}

#[derive(Serialize)]
pub(super) struct Reference {
    pub(super) id: String,
}

/// What SARIF calls a result.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding {
    pub(super) rule_id: String,
    pub(super) rule_index: usize,
    pub(super) level: Level,
    pub(super) message: Message,
    pub(super) locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) related_locations: Vec<Location>,
    pub(super) partial_fingerprints: Fingerprints,
    pub(super) properties: FindingProperties,
}

#[derive(Default, Serialize)]
pub(super) struct FindingProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confidence: Option<&'static str>,
    pub(super) denies: bool,
    pub(super) blocks: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plugin: Option<String>,
    /// The byte in the file, also where it is beyond what a region holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) offset: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Fingerprints {
    pub(super) primary_location_line_hash: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<u32>,
    pub(super) physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<Message>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PhysicalLocation {
    #[serde(rename = "artifactLocation")]
    pub(super) file: FileLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<Region>,
}

#[derive(Serialize)]
pub(super) struct FileLocation {
    pub(super) uri: String,
}

#[derive(Serialize)]
pub(super) struct LogicalLocation {
    pub(super) name: String,
}

/// A part of a file: of text, or of bytes.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Region {
    #[serde(skip_serializing_if = "Option::is_none")]
    start_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_offset: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    byte_length: Option<u32>,
}

/// The largest number written: readers keep these in 32 bits with a sign.
const MAX_NUMBER: u32 = i32::MAX as u32;

impl Region {
    /// Returns the start of the line `line`.
    pub(super) fn line(line: u32) -> Self {
        let line = Some(line.clamp(1, MAX_NUMBER));
        Self {
            start_line: line,
            start_column: Some(1),
            end_line: line,
            end_column: Some(2),
            ..Self::default()
        }
    }

    /// Returns the byte at `offset`; none for one that readers can't keep, as
    /// large files have them. The text beside it tells any.
    pub(super) fn byte(offset: u64) -> Option<Self> {
        let offset = u32::try_from(offset).ok().filter(|offset| *offset < MAX_NUMBER)?;
        Some(Self { byte_offset: Some(offset), byte_length: Some(1), ..Self::default() })
    }
}
