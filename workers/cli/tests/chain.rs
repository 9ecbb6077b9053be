//! `cicada71 verify` on a real chain, at `CICADA_TEST_URL`: `scripts/test e2e`.

use cicada_stage::Stage;
use serde_json::Value;
use std::process::Command;

/// The smallest committee that survives a liar.
const SEATS: u8 = 4;

/// Runs `cicada71 verify` from the repository; its exit status and answer.
fn verify(stage: &Stage, words: &[&str]) -> (Option<i32>, Value) {
    let program = Command::new(env!("CARGO_BIN_EXE_cicada71"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .env("CICADA_CONFIG", stage.folder.path().join("config.toml"))
        .args(["verify", "--json", "--url", &stage.url])
        .args(words)
        .output()
        .expect("cicada71 can be run");
    let answer = serde_json::from_slice(&program.stdout).expect("an answer in JSON");
    (program.status.code(), answer)
}

#[tokio::test]
#[ignore = "needs a chain"]
async fn code_on_the_chain_is_told_from_other_code() {
    let mut stage = Stage::new(SEATS).await;
    let token = stage.place_token("token", 12, 1_000).await.to_string();
    std::fs::write(stage.folder.path().join("config.toml"), "").expect("a configuration");

    let (status, found) = verify(&stage, &[&token]);
    assert_eq!(
        (status, &found["contract"], &found["same"]),
        (Some(0), &"token".into(), &true.into())
    );
    assert_eq!(found["bundle_is_of_sources"], true, "{found}");

    let (status, other) = verify(&stage, &[&token, "--as", "validators"]);
    assert_eq!((status, &other["same"]), (Some(1), &false.into()));
    assert_eq!(other["code_hash"], found["code_hash"]);

    let (status, _) = verify(&stage, &["//Alice"]);
    assert_eq!(status, Some(3), "an account without a contract");
}
