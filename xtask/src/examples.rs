//! x
pub(crate) fn command(_: &crate::workspace::Workspace,_:bool) -> anyhow::Result<()> { Ok(()) }
