//! Files as people and other programs hand them in, each with its right answer.

use cicada_results::{read, Outcome};
use std::path::Path;

fn outcome(name: &str) -> Outcome {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs");
    read(&folder.join(format!("{name}.jsonl")), u64::MAX).unwrap()
}

fn scores(outcome: &Outcome) -> Vec<(&str, u64)> {
    let scores = outcome.tally.scores();
    scores.iter().map(|(name, score)| (name.as_str(), *score)).collect()
}

#[test]
fn a_byte_order_mark_does_not_change_the_ranking() {
    let (good, marked) = (outcome("good"), outcome("bom"));
    assert_eq!(scores(&good), [("claude", 5_000), ("openai", 4_500)]);
    assert_eq!(scores(&marked), scores(&good));
    assert!(marked.problems.is_empty(), "{:?}", marked.problems);
    assert_eq!(scores(&outcome("one-line-bom")), [("claude", 1_000)]);
}

#[test]
fn a_misspelt_name_is_a_framework_of_its_own() {
    let typo = outcome("typo");
    assert_eq!(scores(&typo), [("claude", 4_000), ("cluade", 1_000), ("openai", 4_500)]);
}

#[test]
fn a_foreign_line_is_named_and_the_others_count() {
    let escape = outcome("escape");
    assert_eq!(scores(&escape), [("claude", 5_000), ("openai", 4_500)]);
    let lines: Vec<_> = escape.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [1]);
}

#[test]
fn each_wrong_line_is_refused_with_its_number() {
    let mixed = outcome("mixed");
    assert_eq!(
        scores(&mixed),
        [("claude", 40)],
        "CRLF, upper case, other scripts, no last line end"
    );
    let lines: Vec<_> = mixed.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18]);
}
