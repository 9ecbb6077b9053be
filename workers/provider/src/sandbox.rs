//! What a job sees of the machine: a world of its own, made by `bwrap` (bubblewrap).
//!
//! Own processes, mounts, users, IPC, host name and, unless switched off, network. Of the file system
//! it sees the system's programs and libraries with the few settings that they need, the files that
//! its command names, and nothing else; what it writes lies in memory, bounded, and is gone when its
//! first process ends. So is everything that it started.

use crate::restrict::{Restrictions, RUN_RESTRICTED};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the program may be.
const PLACES: [&str; 2] = ["/usr/bin/bwrap", "/usr/local/bin/bwrap"];
/// What every job may read, as far as it is there.
const SYSTEM: [&str; 16] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    // Of the settings only what programs need: keys lie among the others.
    "/etc/alternatives",
    "/etc/group",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
];
/// The working directory.
pub const HOME: &str = "/tmp";

/// The world of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The program that makes it.
    pub program: PathBuf,
    /// The most bytes in `/tmp`, and as many in `/dev/shm`.
    pub temporary: u64,
    /// What it may read beside the system.
    pub readable: Vec<PathBuf>,
}

/// Whether jobs can read what lies here, as far as its permissions go: among the system's files, or
/// those in `readable`.
pub fn shown_to_jobs<'a>(path: &Path, readable: impl IntoIterator<Item = &'a PathBuf>) -> bool {
    // A link counts as where it leads, also for a file that is still to be made.
    let whole = |path: &Path| {
        let path = std::path::absolute(path).ok()?;
        let parent = || Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?));
        Some(path.canonicalize().ok().or_else(parent).unwrap_or_else(|| path.clone()))
    };
    let Some(path) = whole(path) else {
        return false;
    };
    let shown = SYSTEM.iter().map(Path::new).chain(readable.into_iter().map(PathBuf::as_path));
    shown.filter_map(whole).any(|shown| path.starts_with(shown))
}

impl Sandbox {
    /// Finds out whether jobs of an account can have a world of their own here, by a job that does
    /// nothing.
    pub fn find(own_program: &Path, account: Option<u32>, no_network: bool) -> Option<Self> {
        let program = PLACES.iter().map(PathBuf::from).find(|path| path.exists())?;
        let sandbox = Self { program, temporary: 1 << 20, readable: Vec::new() };
        let tried = Restrictions { sandbox: Some(sandbox.clone()), ..idle(account, no_network) };
        works(own_program, &tried).then_some(sandbox)
    }

    /// For a command: with the files that it names.
    pub fn of(&self, command: &[String], readable: &[PathBuf], temporary: u64) -> Self {
        let named = command.iter().map(PathBuf::from).filter(|path| {
            path.is_absolute()
                && path.is_file()
                && !SYSTEM.iter().any(|known| path.starts_with(known))
        });
        let readable = named.chain(readable.iter().cloned()).collect();
        Self { program: self.program.clone(), temporary, readable }
    }

    /// The program with its arguments, up to the job's own. Limits that would bind `bwrap` itself are
    /// set inside.
    pub(crate) fn command(&self, limits: &Restrictions) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["--unshare-user", "--disable-userns", "--unshare-ipc", "--unshare-pid"]);
        command.args([
            "--unshare-uts",
            "--unshare-cgroup-try",
            "--die-with-parent",
            "--new-session",
        ]);
        command.args(["--cap-drop", "ALL"]);
        if limits.no_network {
            command.arg("--unshare-net");
        }
        for path in SYSTEM {
            command.args(["--ro-bind-try", path, path]);
        }
        let temporary = self.temporary.to_string();
        command.args(["--proc", "/proc", "--dev", "/dev"]);
        command.args(["--size", &temporary, "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
        command.args(["--size", &temporary, "--tmpfs", HOME]);
        command.args(["--dir", "/run", "--symlink", "../tmp", "/var/tmp"]);
        for path in &self.readable {
            command.arg("--ro-bind-try").arg(path).arg(path);
        }
        command.args(["--remount-ro", "/", "--chdir", HOME, "--"]);
        let limit = |name: &str, most: u64| format!("--{name}={most}:{most}");
        command.args(["/usr/bin/prlimit", &limit("nofile", limits.open_files)]);
        command.arg(limit("nproc", limits.processes)).arg("--");
        command
    }
}

/// The restrictions of a job that does nothing.
fn idle(account: Option<u32>, no_network: bool) -> Restrictions {
    Restrictions {
        cpu_seconds: 5,
        memory: 1 << 30,
        file: 0,
        open_files: 64,
        processes: 1_024,
        sandbox: None,
        no_network,
        account,
        parent: i32::try_from(std::process::id()).unwrap_or_default(),
    }
}

/// Whether a job may be cut off from the network here without a world of its own.
pub fn can_cut_off(own_program: &Path, account: Option<u32>) -> bool {
    works(own_program, &idle(account, true))
}

fn works(own_program: &Path, restrictions: &Restrictions) -> bool {
    let Ok(text) = serde_json::to_string(restrictions) else {
        return false;
    };
    let mut child = Command::new(own_program);
    child.env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
    child.args([RUN_RESTRICTED, &text, "/bin/true"]);
    child.output().is_ok_and(|output| output.status.success())
}
