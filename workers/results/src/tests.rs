use super::*;

const T: u64 = 1_738_425_600_000;

fn line(framework: &str, challenge: &str, points: u32, time: u64) -> String {
    format!(
        r#"{{"framework":"{framework}","shard":3,"challenge":"{challenge}","points":{points},"success":true,"evaluator":"e1","answer_hash":"{}","time":{time}}}"#,
        "ab".repeat(32)
    )
}

fn scores(outcome: &Outcome) -> Vec<(&str, u64)> {
    let scores = outcome.tally.scores();
    scores.iter().map(|(name, score)| (name.as_str(), *score)).collect()
}

// The reason why the only line of a text is not counted.
fn reason(text: &str) -> String {
    let outcome = tally(text.as_bytes(), u64::MAX).unwrap();
    assert_eq!((outcome.counted, outcome.problems.len()), (0, 1), "{text}");
    outcome.problems[0].to_string()
}

#[test]
fn good_lines_count_and_bad_ones_are_named() {
    let lines = [
        line("claude", "a", 10, T),
        "not json".into(),
        line("claude", "a", 10, T + 1),
        String::new(),
        line("Claude", "b", 10, T + 1),
        line("claude", "b", 5, T + 1).replace("\"shard\":3", "\"shard\":71"),
        line("claude", "c", 5, T + 1).replace("abab", "xyxy"),
        line("claude", "d", 5, T + 1).replace("\"points\":5", "\"points\":-5"),
        line("claude", "e", 5, T + 1).replace("\"time\"", "\"when\""),
        "x".repeat(MAX_LINE + 1),
        line("openai", "a", 7, T + 1),
    ];
    let outcome = tally(lines.join("\n").as_bytes(), T + 9).unwrap();
    assert_eq!(scores(&outcome), [("claude", 10), ("openai", 7)]);
    assert_eq!(outcome.counted, 2);
    let numbers: Vec<_> = outcome.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(numbers, [2, 3, 5, 6, 7, 8, 9, 10]);
    assert!(outcome.problems[1].to_string().starts_with("line 3: duplicate"));
}

#[test]
fn a_later_result_waits_for_its_time() {
    let text = [line("claude", "a", 10, T + 1), line("claude", "b", 10, T + 5)].join("\n");
    let at = |until| tally(text.as_bytes(), until).unwrap();
    assert_eq!((scores(&at(T + 4)), at(T + 4).later), (vec![("claude", 10)], 1));
    assert_eq!((scores(&at(T + 5)), at(T + 5).later), (vec![("claude", 20)], 0));
    assert!(scores(&at(T)).is_empty());
}

#[test]
fn the_earliest_result_for_a_challenge_counts_wherever_it_stands() {
    let text = [line("claude", "a", 10, T + 5), line("claude", "a", 3, T + 1)].join("\n");
    for until in [T + 1, T + 5] {
        assert_eq!(scores(&tally(text.as_bytes(), until).unwrap()), [("claude", 3)]);
    }
}

#[test]
fn the_last_line_needs_no_newline_and_a_missing_file_is_named() {
    let text = format!("{}\n", line("claude", "a", 1, T));
    assert_eq!(tally(text.as_bytes(), T).unwrap().counted, 1);
    assert_eq!(tally(text.trim_end().as_bytes(), T).unwrap().counted, 1);
    let error = read(Path::new("/no/such/file"), T).unwrap_err();
    assert!(error.to_string().contains("/no/such/file"));
}

#[test]
fn a_byte_order_mark_changes_nothing() {
    let lines = [line("claude", "a", 1_000, T), line("openai", "a", 900, T)].join("\r\n");
    let marked = format!("\u{feff}{lines}\r\n");
    let outcome = tally(marked.as_bytes(), T).unwrap();
    assert!(outcome.problems.is_empty(), "{:?}", outcome.problems);
    assert_eq!(scores(&outcome), [("claude", 1_000), ("openai", 900)]);
    let one = format!("\u{feff}{}", line("claude", "only", 1_000, T));
    assert_eq!(tally(one.as_bytes(), T).unwrap().counted, 1);
}

#[test]
fn what_else_editors_leave_is_named() {
    let joined = format!("\n\u{feff}{}", line("claude", "a", 1, T));
    assert!(reason(&joined).starts_with("line 2: a byte-order mark"));
    for bytes in [b"\xff\xfe{\0\"\0".as_slice(), b"\xfe\xff\0{\0\""] {
        let error = tally(bytes, T).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("UTF-16"), "{error}");
    }
}

#[test]
fn times_in_another_unit_are_refused() {
    for time in [1_738_425_600, 0, 1_738_425_600_000_000] {
        let said = reason(&line("claude", "a", 1, time));
        assert!(said.starts_with("line 1: time is in milliseconds"), "{said}");
        assert!(said.contains(&time.to_string()), "{said}");
    }
}

#[test]
fn nothing_is_half_understood() {
    let good = line("claude", "a", 10, T);
    let with = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good, "{from}");
        reason(&text)
    };
    for points in ["NaN", "10.0", "4294967296", "1e400", "-5", "\"10\"", "10,5", "010", "null"] {
        let said = with("\"points\":10", &format!("\"points\":{points}"));
        assert!(said.starts_with("line 1: not a result"), "{points}: {said}");
    }
    with("\"points\":10", "\"points\":10,\"points\":9999");
    with("\"success\":true", "\"success\":1");
    with("\"success\":true", "\"success\":\"True\"");
    with("\"e1\"", "null");
    with("\"abab", "\"0xabab");
    with("}", "},");
    with("}", ",\"run_id\":\"x\"}");
    with("\"a\"", &format!("\"{}\"", "n".repeat(65)));
    reason("# comment");
    reason("[");
}

#[test]
fn names_are_in_any_script_and_digests_in_any_case() {
    let text = line("claude", "Évaluation – 測試 №1", 10, T).replace("abab", "ABab");
    assert_eq!(tally(text.as_bytes(), T).unwrap().counted, 1);
}
