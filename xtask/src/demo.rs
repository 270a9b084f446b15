//! x
pub(crate) fn command(_: &crate::workspace::Workspace) -> anyhow::Result<()> { Ok(()) }
