//! x
pub(crate) fn command(_: &crate::workspace::Workspace,_:bool,_:Option<&std::path::Path>) -> anyhow::Result<()> { Ok(()) }
