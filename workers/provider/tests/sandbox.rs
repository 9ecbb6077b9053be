//! Jobs in a world of their own. Where the system does not allow that, nothing here can be seen.

use cicada_provider::job::{Job, JobError};
use cicada_provider::restrict::Restrictions;
use cicada_provider::sandbox::Sandbox;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const MIB: u64 = 1 << 20;

fn own_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cicada71-provider"))
}

// Another account for each job of these tests, so that none ends another's processes.
fn account() -> Option<u32> {
    static NEXT: AtomicU32 = AtomicU32::new(64_800);
    nix::unistd::geteuid().is_root().then(|| NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A shell script as a job with a world of its own, if there can be one.
fn job(script: &str) -> Option<Job> {
    let account = account();
    let sandbox = Sandbox::find(own_program(), account, true);
    if sandbox.is_none() {
        eprintln!("this system has no bubblewrap, or forbids user namespaces");
    }
    let command = ["/bin/sh", "-c", script].map(String::from).to_vec();
    let sandbox = sandbox?.of(&command, &[], MIB);
    Some(Job {
        own_program: own_program().into(),
        command,
        environment: BTreeMap::new(),
        restrictions: Restrictions {
            cpu_seconds: 20,
            memory: 512 * MIB,
            file: 64 * MIB,
            open_files: 32,
            processes: 64,
            sandbox: Some(sandbox),
            no_network: true,
            account,
            parent: std::process::id() as i32,
        },
        output: 64 * 1024,
        timeout: Duration::from_secs(20),
        folder: std::env::temp_dir(),
        prefix: format!("cicada71-test-{}-", std::process::id()),
    })
}

async fn text(script: &str) -> Option<String> {
    let output = job(script)?.run(b"").await.expect("the job succeeds");
    Some(String::from_utf8(output).expect("text").trim().to_owned())
}

fn runs(mark: &str) -> bool {
    let list = std::process::Command::new("ps").args(["-eo", "args="]).output().unwrap();
    String::from_utf8_lossy(&list.stdout).contains(mark)
}

#[tokio::test]
async fn an_orphan_in_a_session_of_its_own_ends_with_its_job() {
    let mark = format!("sleep 6{}", std::process::id());
    let script = format!("(cd /; setsid sh -c 'while :; do {mark}; done' &) ; sleep 0.3; echo ok");
    let Some(output) = text(&script).await else { return };
    assert_eq!(output, "ok");
    assert!(!runs(&mark), "it has survived");
}

#[tokio::test]
async fn a_job_that_is_stopped_leaves_nothing_either() {
    let mark = format!("sleep 7{}", std::process::id());
    let Some(mut job) = job(&format!("(cd /; setsid {mark} &) ; {mark}")) else { return };
    job.timeout = Duration::from_millis(500);
    assert_eq!(job.run(b"").await, Err(JobError::TimedOut(job.timeout)));
    for attempt in 0.. {
        if !runs(&mark) {
            break;
        }
        assert!(attempt < 50, "it has survived");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_one_job_writes_the_next_does_not_find() {
    let script = "echo secret > notes.txt; echo secret > /dev/shm/notes.txt; ls /tmp";
    let Some(output) = text(script).await else { return };
    assert_eq!(output, "notes.txt");
    let script = "pwd; find / -name notes.txt 2>/dev/null | wc -l";
    assert_eq!(text(script).await.unwrap(), "/tmp\n0");
}

#[tokio::test]
async fn a_job_sees_no_process_and_no_file_but_the_systems_and_its_own() {
    let Some(output) = text("ls /proc | grep -c '^[0-9]'").await else { return };
    let seen: u32 = output.parse().unwrap();
    assert!(seen <= 6, "{seen} processes");
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "x").unwrap();
    for path in ["/root", "/home", "/var/lib", "/run/dbus", secret.to_str().unwrap()] {
        let script = format!("test -e {path} && echo seen || echo hidden");
        assert_eq!(text(&script).await.unwrap(), "hidden", "{path}");
    }
    let hidden = "for f in /x /run/x /dev/x /etc/x; do touch $f 2>/dev/null && echo $f; done; true";
    assert_eq!(text(hidden).await.unwrap(), "", "nothing else can be written");
}

#[tokio::test]
async fn what_a_command_names_or_a_task_lets_it_read_is_there() {
    let folder = tempfile::tempdir_in("/var").unwrap();
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let script = folder.path().join("script.sh");
    std::fs::write(&script, "cat \"$1/data\"").unwrap();
    let data = folder.path().join("more");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("data"), "read").unwrap();
    let Some(mut job) = job("") else { return };
    let words = ["/bin/sh", script.to_str().unwrap(), data.to_str().unwrap()];
    job.command = words.map(String::from).to_vec();
    let sandbox = job.restrictions.sandbox.take().unwrap();
    job.restrictions.sandbox = Some(sandbox.of(&job.command, &[data], MIB));
    assert_eq!(job.run(b"").await.unwrap(), b"read");
}

#[tokio::test]
async fn temporary_space_is_bounded_in_all() {
    let script = "for i in 1 2 3 4; do head -c 500000 /dev/zero > f$i || exit 7; done";
    let Some(job) = job(script) else { return };
    let error = job.run(b"").await.unwrap_err().to_string();
    assert!(error.contains("No space left"), "{error}");
    let script = "for i in 1 2 3 4; do head -c 500000 /dev/zero > /dev/shm/$i || exit 7; done";
    assert!(matches!(self::job(script).unwrap().run(b"").await, Err(JobError::Failed { .. })));
}

#[tokio::test]
async fn there_is_no_network_and_no_way_to_more_rights() {
    let Some(output) = text("cat /proc/net/dev | grep -c :").await else { return };
    assert_eq!(output, "1", "only the loopback, which is down");
    let script = "grep -E 'NoNewPrivs|CapEff' /proc/self/status | cut -f2 | tr '\\n' ' '";
    assert_eq!(text(script).await.unwrap(), "0000000000000000 1");
    assert_eq!(
        text("unshare -U true 2>/dev/null && echo can || echo cannot").await.unwrap(),
        "cannot"
    );
    assert_ne!(text("id -u").await.unwrap(), "0");
}

#[tokio::test]
async fn whatever_status_it_ends_with_is_its_own() {
    for code in [1, 125, 126, 127] {
        let Some(job) = job(&format!("echo no luck >&2; exit {code}")) else { return };
        let error = job.run(b"").await.unwrap_err();
        assert_eq!(error.to_string(), format!("the job ended with status {code}: no luck"));
    }
    let mut broken = job("exit 126").unwrap();
    broken.restrictions.sandbox.as_mut().unwrap().program = "/no/such/bwrap".into();
    assert!(matches!(broken.run(b"").await, Err(JobError::NotStarted(_))));
}

#[tokio::test]
async fn limits_bite_as_elsewhere_and_are_named() {
    let Some(mut endless) = job("while :; do :; done") else { return };
    endless.restrictions.cpu_seconds = 1;
    let error = endless.run(b"").await.unwrap_err().to_string();
    assert!(error.contains("processor time"), "{error}");
    let mut big = job("exec head -c 900000 /dev/zero > big").unwrap();
    big.restrictions.file = MIB / 2;
    let error = big.run(b"").await.unwrap_err().to_string();
    assert!(error.contains("file's size"), "{error}");
    let mut open = job("for i in 3 4 5 6 7 8 9; do eval \"exec $i>f$i\" || exit 9; done").unwrap();
    open.restrictions.open_files = 6;
    assert!(matches!(open.run(b"").await, Err(JobError::Failed { .. })));
    let mut many = job("for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; exit 0").unwrap();
    many.restrictions.processes = 4;
    let error = many.run(b"").await.unwrap_err().to_string();
    assert!(error.contains("fork"), "{error}");
    assert_eq!(job("yes").unwrap().run(b"").await, Err(JobError::TooMuchOutput(64 * 1024)));
    let error = job("echo no luck >&2; exit 3").unwrap().run(b"").await.unwrap_err();
    assert_eq!(error.to_string(), "the job ended with status 3: no luck");
}

#[tokio::test]
async fn what_cannot_be_started_is_known_before() {
    let Some(mut job) = job("exit 1") else { return };
    assert_eq!(job.rehearse().await, Ok(()), "the job itself is not run");
    job.command = vec!["/no/such/program".into()];
    assert!(matches!(job.rehearse().await, Err(JobError::NotStarted(_))));
}

#[tokio::test]
async fn jobs_of_two_accounts_do_not_end_each_other() {
    let Some(victim) = job("sleep 1; echo alive") else { return };
    let killer = job("kill -9 -1 2>/dev/null; true").unwrap();
    let (lived, _) = tokio::join!(victim.run(b""), killer.run(b""));
    assert_eq!(lived.unwrap(), b"alive\n");
}

/// A file that only its owner may read is no secret from a job that runs as its owner.
#[test]
fn settings_and_programs_of_others_are_not_shown() {
    use cicada_provider::sandbox::shown_to_jobs;
    let shown = |path: &str, more: &[&str]| {
        let more: Vec<_> = more.iter().map(std::path::PathBuf::from).collect();
        shown_to_jobs(Path::new(path), &more)
    };
    assert!(!shown("/etc/cicada71/provider.toml", &[]));
    assert!(!shown("/opt/cicada71/key.toml", &[]));
    assert!(shown("/opt/cicada71/key.toml", &["/opt/cicada71"]));
    assert!(shown("/usr/local/etc/key.toml", &[]));
    assert!(shown("/bin/key.toml", &[]), "a link counts as where it leads");
}

#[tokio::test]
async fn of_the_settings_a_job_sees_what_programs_need() {
    let script = "ls -A /etc; ls /opt 2>/dev/null || echo none";
    let Some(seen) = text(script).await else { return };
    let seen: Vec<&str> = seen.lines().collect();
    assert!(!seen.contains(&"shadow") && !seen.contains(&"hostname"), "{seen:?}");
    assert!(seen.contains(&"passwd") && seen.contains(&"none"), "{seen:?}");
}
