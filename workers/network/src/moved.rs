//! What stood elsewhere before there was one file for a deployment.

use crate::{ContractName, NETWORK_FILE};

/// Refuses a file in which contracts stand where they stood before.
pub(crate) fn refuse_old(text: &str) -> Result<(), String> {
    let Ok(table) = text.parse::<toml::Table>() else { return Ok(()) };
    let chain = table.get("chain").and_then(toml::Value::as_table);
    let moved = chain.into_iter().flat_map(toml::Table::keys);
    let moved: Vec<&str> =
        moved.map(String::as_str).filter(|key| key.parse::<ContractName>().is_ok()).collect();
    match moved.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "write {} under [contracts] and not under [chain]; what index.toml and market.toml named stands there, and tokens under [tokens]: docs/deployment.md",
            moved.join(", ")
        )),
    }
}

/// Refuses settings of a program that stand in the network file.
///
/// # Errors
/// What to write instead of the first of `keys` that is there.
pub fn refuse_moved(text: &str, keys: &[&str]) -> Result<(), String> {
    let Ok(table) = text.parse::<toml::Table>() else { return Ok(()) };
    let moved = keys.iter().find(|key| table.contains_key(**key));
    moved.map_or(Ok(()), |key| {
        Err(format!("`{key}` stands in the network file: write network = \"{NETWORK_FILE}\" instead, the file that 'deploy' wrote"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Deployment;

    #[test]
    fn what_stood_elsewhere_is_named_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.toml");
        std::fs::write(&path, "[chain]\nurl = \"ws://x\"\ntoken = \"0x01\"\n").unwrap();
        let said = Deployment::load(&path).unwrap_err().to_string();
        assert!(said.contains("write token under [contracts]"), "{said}");
        assert_eq!(refuse_moved("data = \"d\"\n", &["market"]), Ok(()));
        let said = refuse_moved("market = \"m\"\n", &["index", "market"]).unwrap_err();
        assert!(said.contains("`market`") && said.contains("network = "), "{said}");
    }
}
