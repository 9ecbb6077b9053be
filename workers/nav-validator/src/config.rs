//! stub
pub struct Config { pub awards: Option<std::path::PathBuf>, pub listen: std::net::SocketAddr }
impl Config { pub fn load(_: &std::path::Path) -> anyhow::Result<Self> { anyhow::bail!("stub") } }
