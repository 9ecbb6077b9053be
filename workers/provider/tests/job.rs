//! Jobs in a real child process: what they get, and that each limit bites.

use cicada_provider::job::{clean_up, Job, JobError};
use cicada_provider::restrict::Restrictions;
use cicada_provider::sandbox::can_cut_off;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;

fn own_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cicada71-provider"))
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

// Another account for each job of these tests, so that none ends another's processes.
fn account() -> Option<u32> {
    static NEXT: AtomicU32 = AtomicU32::new(64_900);
    is_root().then(|| NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A shell script as a job in the world of this machine, with room for everything.
fn job(script: &str) -> Job {
    Job {
        own_program: own_program().into(),
        command: ["/bin/sh", "-c", script].map(String::from).to_vec(),
        environment: BTreeMap::from([("CICADA_UNITS".into(), "7".into())]),
        restrictions: Restrictions {
            cpu_seconds: 20,
            memory: 512 * MIB,
            file: MIB,
            open_files: 32,
            processes: 4_096,
            sandbox: None,
            no_network: false,
            account: account(),
            parent: std::process::id() as i32,
        },
        output: 64 * 1024,
        timeout: Duration::from_secs(20),
        folder: std::env::temp_dir(),
        prefix: format!("cicada71-test-{}-", std::process::id()),
    }
}

async fn text(script: &str) -> String {
    let output = job(script).run(b"").await.expect("the job succeeds");
    String::from_utf8(output).expect("text").trim().to_owned()
}

async fn failure(job: &Job) -> String {
    job.run(b"").await.expect_err("a limit is reached").to_string()
}

#[tokio::test]
async fn the_payload_comes_in_and_the_result_goes_out() {
    let payload = vec![b'x'; 300_000];
    let output = job("wc -c").run(&payload).await.unwrap();
    assert_eq!(String::from_utf8(output).unwrap().trim(), "300000");
    // A job that reads nothing is not an error.
    assert_eq!(job("echo done").run(&payload).await.unwrap(), b"done\n");
}

#[tokio::test]
async fn the_environment_holds_nothing_of_the_provider() {
    std::env::set_var("CICADA_SURI", "//Secret");
    let names = text("env | cut -d= -f1 | sort | tr '\\n' ' '").await;
    assert_eq!(names, "CICADA_UNITS HOME LANG PATH PWD", "PWD is the shell's own");
}

#[tokio::test]
async fn it_starts_in_an_empty_folder_of_its_own_without_open_files() {
    assert_eq!(text("ls -A | wc -l").await, "0");
    // 0 to 2, and the one with which `ls` reads the list.
    assert_eq!(text("ls /proc/self/fd | wc -l").await, "4");
    let place = text("pwd; echo x > here").await;
    assert!(!Path::new(&place).exists(), "{place} is gone after the job");
    assert_ne!(place, text("pwd").await);
}

#[tokio::test]
async fn processor_time_is_limited() {
    let mut job = job("while :; do :; done");
    job.restrictions.cpu_seconds = 1;
    let error = failure(&job).await;
    assert!(error.contains("processor time"), "{error}");
}

#[tokio::test]
async fn memory_is_limited() {
    // `tail` keeps an endless line in memory.
    let script = "head -c 200000000 /dev/zero | tail -n 1 | wc -c";
    assert_eq!(text(script).await, "200000000", "with room for it");
    let mut job = job(&format!("set -e; n=$({script}); test \"$n\" = 200000000"));
    job.restrictions.memory = 100 * MIB;
    let error = failure(&job).await;
    assert!(error.contains("memory exhausted"), "{error}");
}

#[tokio::test]
async fn files_are_limited_in_size_and_number() {
    let error = failure(&job("exec head -c 2000000 /dev/zero > big")).await;
    assert!(error.contains("file's size"), "{error}");
    let script = "for i in 3 4 5 6 7 8 9; do eval \"exec $i>f$i\" || exit 9; done";
    assert_eq!(text(script).await, "");
    let mut job = job(script);
    job.restrictions.open_files = 6;
    assert!(matches!(job.run(b"").await, Err(JobError::Failed { .. })));
}

#[tokio::test]
async fn the_number_of_processes_is_limited() {
    if !is_root() {
        return; // The count would include everything else that this account runs.
    }
    let mut job = job("for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done; exit 0");
    job.restrictions.processes = 4;
    let error = failure(&job).await;
    assert!(error.contains("fork"), "{error}");
}

#[tokio::test]
async fn the_result_is_limited() {
    let error = job("yes").run(b"").await.unwrap_err();
    assert_eq!(error, JobError::TooMuchOutput(64 * 1024));
}

#[tokio::test]
async fn time_is_limited_and_nothing_is_left_behind() {
    let mark = format!("{}", 7_000_000 + std::process::id());
    let mut job = job(&format!("sleep {mark} & sleep {mark}"));
    job.timeout = Duration::from_millis(300);
    let start = Instant::now();
    assert_eq!(job.run(b"").await, Err(JobError::TimedOut(job.timeout)));
    assert!(start.elapsed() < Duration::from_secs(5));
    // Nor of a job that ends by itself.
    assert_eq!(text(&format!("sleep {mark} & echo ok")).await, "ok");
    assert!(start.elapsed() < Duration::from_secs(10), "it did not wait for the pipe to close");
    assert_eq!(text(&format!("setsid sleep {mark} & echo ok")).await, "ok");
    if is_root() {
        // One that has left its group and its folder is found by its account.
        assert_eq!(text(&format!("(cd /; setsid sleep {mark} &); echo ok")).await, "ok");
    }
    nothing_runs(&mark).await;
}

async fn nothing_runs(mark: &str) {
    for attempt in 0.. {
        let list = std::process::Command::new("ps").args(["-eo", "args="]).output().unwrap();
        let list = String::from_utf8_lossy(&list.stdout).into_owned();
        if !list.contains(&format!("sleep {mark}")) {
            break;
        }
        assert!(attempt < 50, "{list}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_a_crash_leaves_is_cleared_up() {
    let folder = tempfile::tempdir().unwrap();
    let left = folder.path().join("mine-1");
    let other = folder.path().join("others-1");
    for path in [&left, &other] {
        std::fs::create_dir(path).unwrap();
    }
    let mark = format!("{}", 8_000_000 + std::process::id());
    let mut orphan =
        std::process::Command::new("sleep").arg(&mark).current_dir(&left).spawn().unwrap();
    clean_up(folder.path(), "mine-");
    orphan.wait().unwrap();
    nothing_runs(&mark).await;
    assert!(!left.exists() && other.exists());
}

#[tokio::test]
async fn a_job_that_fails_says_why() {
    let error = failure(&job("echo no luck >&2; exit 3")).await;
    assert_eq!(error, "the job ended with status 3: no luck");
    let mut job = job("");
    job.command = vec!["/no/such/program".into()];
    assert!(matches!(job.run(b"").await, Err(JobError::NotStarted(_))));
}

#[tokio::test]
async fn whatever_status_it_ends_with_is_its_own() {
    // As shells, `env` and `xargs` end if what they shall run is too large, or no program.
    let error = failure(&job("echo no luck >&2; exit 126")).await;
    assert_eq!(error, "the job ended with status 126: no luck");
    let large = "x=$(head -c 200000 /dev/zero | tr '\\0' x); /bin/echo \"$x\"";
    let error = job(large).run(b"").await.unwrap_err();
    assert!(matches!(error, JobError::Failed { .. }), "{error}");
    for code in [1, 125, 126, 127, 128, 255] {
        let error = job(&format!("exit {code}")).run(b"").await.unwrap_err();
        assert!(matches!(error, JobError::Failed { .. }), "{error}");
    }
}

#[tokio::test]
async fn it_does_not_run_as_root_and_cannot_become_it() {
    assert_ne!(text("id -u").await, "0");
    assert_eq!(text("grep NoNewPrivs /proc/self/status | cut -f2").await, "1");
}

#[tokio::test]
async fn the_network_is_gone_where_that_is_possible() {
    let mut job = job("cat /proc/net/dev | grep -c :");
    if !can_cut_off(own_program(), job.restrictions.account) {
        eprintln!("this system does not allow it");
        return;
    }
    job.restrictions.no_network = true;
    let output = String::from_utf8(job.run(b"").await.unwrap()).unwrap();
    assert_eq!(output.trim(), "1", "only the loopback, which is down");
}
