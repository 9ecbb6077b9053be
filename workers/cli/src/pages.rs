//! Completions for shells, and manual pages.

use crate::reply::{Failure, Outcome, Reply};
use clap::Command;
use clap_complete::Shell;
use serde_json::json;
use std::path::{Path, PathBuf};

/// `cicada71 completions`.
pub fn completions(mut command: Command, shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "cicada71", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let json = json!({ "shell": shell.to_string(), "script": script });
    Ok(Reply::new(script, json))
}

/// `cicada71 man`: one page for the command and one for each of its commands, or the first alone
/// without a folder.
pub fn man(command: Command, out: Option<&Path>) -> Outcome {
    let mut command = without_help(command);
    command.build();
    let failed = |error: std::io::Error| Failure::Refused(format!("manual pages: {error}"));
    let Some(folder) = out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
        let page = String::from_utf8_lossy(&page).into_owned();
        return Ok(Reply::new(page.clone(), json!({ "page": page })));
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)?;
    let mut pages: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cicada71")) {
            pages.push(path);
        }
    }
    pages.sort();
    let text = format!("{} pages in {}", pages.len(), folder.display());
    let pages: Vec<String> = pages.iter().map(|path| path.display().to_string()).collect();
    Ok(Reply::new(text, json!({ "pages": pages })))
}

/// The command without 'help', of which every command would have a page.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cli;
    use clap::{CommandFactory, ValueEnum};

    #[test]
    fn every_shell_completes_every_command() {
        for shell in Shell::value_variants() {
            let script = completions(Cli::command(), *shell).unwrap().text;
            for word in ["portfolio", "goedel", "--framework"] {
                let word = match shell {
                    Shell::Fish => word.trim_start_matches('-'),
                    _ => word,
                };
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }

    #[test]
    fn there_is_a_page_for_every_command() {
        let one = man(Cli::command(), None).unwrap().text;
        assert!(one.contains(".TH cicada71") && one.contains("portfolio"));
        let folder = tempfile::tempdir().unwrap();
        let pages = man(Cli::command(), Some(folder.path())).unwrap();
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(pages.value()["pages"].as_array().unwrap().len(), names);
        assert!(!folder.path().join("cicada71-help.1").exists());
        for name in ["cicada71.1", "cicada71-buy.1", "cicada71-node-status.1"] {
            let page = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(page.contains(".SH"), "{name}");
        }
    }
}
