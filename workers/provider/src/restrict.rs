//! What a job's process does before it becomes the job's command.
//!
//! The provider starts itself again as `cicada71-provider run-restricted RESTRICTIONS COMMAND…`;
//! this process has one thread, restricts itself by safe system calls, and then becomes the
//! command. Nothing has to be done between fork and exec of a process with many threads.

use crate::sandbox::Sandbox;
use nix::fcntl;
use nix::sched::{unshare, CloneFlags};
use nix::sys::prctl;
use nix::sys::resource::{setrlimit, Resource};
use nix::sys::signal::Signal;
use nix::sys::stat::{umask, Mode};
use nix::unistd::{close, getppid, setgid, setgroups, setuid, Gid, Uid};
use serde::{Deserialize, Serialize};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The word by which the program knows that it is a job's process.
pub const RUN_RESTRICTED: &str = "run-restricted";
/// The exit status if the job could not be started at all.
pub const NOT_STARTED: u8 = 126;

/// How a job's process is restricted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restrictions {
    /// Seconds of processor time of each process.
    pub cpu_seconds: u64,
    /// Bytes of address space of each process.
    pub memory: u64,
    /// Bytes of each file that it writes.
    pub file: u64,
    /// Open files of each process.
    pub open_files: u64,
    /// Processes and threads of the account that the job runs as.
    pub processes: u64,
    /// The world of its own that it gets, where that is possible.
    pub sandbox: Option<Sandbox>,
    /// Whether it is cut off from all networks, this machine's own included.
    pub no_network: bool,
    /// The user and group that it becomes.
    pub account: Option<u32>,
    /// The provider: if it is gone already, the job does not begin.
    pub parent: i32,
}

impl Restrictions {
    fn apply(&self) -> nix::Result<()> {
        umask(Mode::from_bits_truncate(0o077));
        close_inherited();
        // Where memory ends, a job goes before the provider; some systems do not let anybody say so.
        let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
        let limits = [
            (Resource::RLIMIT_CORE, 0, 0),
            // At the soft limit it may tidy up, at the hard one it is killed.
            (Resource::RLIMIT_CPU, self.cpu_seconds, self.cpu_seconds.saturating_add(1)),
            (Resource::RLIMIT_AS, self.memory, self.memory),
            (Resource::RLIMIT_FSIZE, self.file, self.file),
        ];
        for (resource, soft, hard) in limits {
            setrlimit(resource, soft, hard)?;
        }
        if let Some(id) = self.account {
            setgroups(&[])?;
            setgid(Gid::from_raw(id))?;
            setuid(Uid::from_raw(id))?;
        }
        if self.sandbox.is_none() {
            setrlimit(Resource::RLIMIT_NOFILE, self.open_files, self.open_files)?;
            if self.no_network {
                unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
            }
            setrlimit(Resource::RLIMIT_NPROC, self.processes, self.processes)?;
        }
        prctl::set_no_new_privs()?;
        // The last of all: a change of the account would undo it.
        prctl::set_pdeathsig(Some(Signal::SIGKILL))
    }
}

/// Closes what the provider itself inherited; its own files close by themselves.
fn close_inherited() {
    let Ok(list) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let names = list.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let open: Vec<i32> = names.filter_map(|name| name.parse().ok()).collect();
    for number in open.into_iter().filter(|number| *number > 2) {
        // One of them was the list itself and is closed by now.
        let _ = close(number);
    }
}

/// Restricts this process and becomes the command. Comes back only if that fails.
pub fn run(args: &[String]) -> ExitCode {
    let failed = |reason: String| {
        eprintln!("{RUN_RESTRICTED}: {reason}");
        ExitCode::from(NOT_STARTED)
    };
    let [restrictions, program, args @ ..] = args else {
        return failed("this is not for people".into());
    };
    let restrictions: Restrictions = match serde_json::from_str(restrictions) {
        Ok(restrictions) => restrictions,
        Err(error) => return failed(error.to_string()),
    };
    if let Err(error) = restrictions.apply() {
        return failed(format!("cannot restrict the job: {error}"));
    }
    if getppid().as_raw() != restrictions.parent {
        return failed("the provider has ended".into());
    }
    let mut command = match &restrictions.sandbox {
        Some(sandbox) => {
            let mut command = sandbox.command(&restrictions);
            command.arg(program);
            command
        }
        None => Command::new(program),
    };
    let error = command.args(args).exec();
    failed(format!("{program}: {error}"))
}

/// An exclusive lock on a file, held as long as the value lives: a second provider with the same
/// state folder would run the same jobs.
pub fn lock(path: &std::path::Path) -> Result<fcntl::Flock<std::fs::File>, String> {
    let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    fcntl::Flock::lock(file, fcntl::FlockArg::LockExclusiveNonblock).map_err(|_| {
        format!(
            "another provider uses {}: stop it, or give this one another state folder",
            path.display()
        )
    })
}
