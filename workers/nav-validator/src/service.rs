//! stub
pub async fn run(_: crate::config::Config) -> anyhow::Result<()> { Ok(()) }
pub async fn check(_: crate::config::Config) -> anyhow::Result<()> { Ok(()) }
