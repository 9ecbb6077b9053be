use super::*;
use crate::tally;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;

const T: u64 = 1_738_425_600_000;

fn line(framework: &str, challenge: u32, points: u32, time: u64) -> String {
    format!(
        "{{\"framework\":\"{framework}\",\"shard\":3,\"challenge\":\"c{challenge}\",\"points\":{points},\
         \"success\":true,\"evaluator\":\"e1\",\"answer_hash\":\"{}\",\"time\":{time}}}\n",
        "ab".repeat(32)
    )
}

struct Bench {
    _folder: tempfile::TempDir,
    path: PathBuf,
    follower: Follower,
}

impl Bench {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.jsonl");
        fs::write(&path, text).unwrap();
        Self { follower: Follower::new(path.clone()), path, _folder: folder }
    }

    fn append(&self, text: &str) {
        let mut file = fs::OpenOptions::new().append(true).open(&self.path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn score(&mut self) -> u64 {
        self.follower.look().unwrap().at(u64::MAX).scores.values().sum()
    }
}

fn plain(text: &str, until_ms: u64) -> Sums {
    let tally = tally(text.as_bytes(), until_ms).unwrap().tally;
    Sums { scores: tally.scores().clone(), shards: *tally.shards() }
}

#[test]
fn what_is_appended_is_added() {
    let mut bench = Bench::of(&line("claude", 1, 5, T));
    assert_eq!(bench.score(), 5);
    bench.append(&line("claude", 2, 6, T + 10));
    assert_eq!(bench.score(), 11);
    let before = bench.follower.look().unwrap().at(T + 9);
    assert_eq!(before.scores.values().sum::<u64>(), 5, "earlier times stay as they were");
}

#[test]
fn half_a_line_waits_for_the_rest() {
    let whole = line("claude", 2, 6, T);
    let mut bench = Bench::of(&line("claude", 1, 5, T));
    bench.append(&whole[..40]);
    assert_eq!(bench.score(), 5);
    bench.append(whole[40..].trim_end());
    assert_eq!(bench.score(), 11, "complete but for its end");
    bench.append("\n");
    bench.append(&line("claude", 3, 7, T));
    assert_eq!(bench.score(), 18);
}

#[test]
fn a_line_that_went_on_is_read_again() {
    let mut bench = Bench::of(line("claude", 1, 5, T).trim_end());
    assert_eq!(bench.score(), 5);
    bench.append(" and more\n");
    bench.append(&line("claude", 2, 6, T));
    assert_eq!(bench.score(), 6, "it is no result");
}

#[test]
fn another_file_in_its_place_is_read_from_its_start() {
    let mut bench = Bench::of(&(line("claude", 1, 5, T) + &line("claude", 2, 6, T)));
    assert_eq!(bench.score(), 11);
    let other = bench.path.with_extension("other");
    for text in [
        line("claude", 1, 7, T) + &line("claude", 2, 8, T),
        line("claude", 1, 9, T) + &line("claude", 2, 8, T) + &line("claude", 3, 1, T),
        line("claude", 1, 2, T),
    ] {
        fs::write(&other, &text).unwrap();
        fs::rename(&other, &bench.path).unwrap();
        assert_eq!(bench.follower.look().unwrap().at(T), plain(&text, T));
    }
}

#[test]
fn a_change_in_the_middle_is_noticed_when_the_file_lies_still() {
    let mut bench = Bench::of(&(line("claude", 1, 5, T) + &line("claude", 2, 6, T)));
    assert_eq!(bench.score(), 11);
    let text = line("claude", 1, 7, T) + &line("claude", 2, 6, T) + &line("claude", 3, 1, T);
    fs::write(&bench.path, &text).unwrap();
    let begin = std::time::Instant::now();
    while bench.score() != 14 {
        assert!(begin.elapsed().as_secs() < 20, "it is not noticed");
        std::thread::yield_now();
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_forgotten() {
    let mut bench = Bench::of(&line("claude", 1, 5, T));
    assert_eq!(bench.score(), 5);
    fs::remove_file(&bench.path).unwrap();
    let error = bench.follower.look().unwrap_err().to_string();
    assert!(error.contains("results.jsonl"), "{error}");
    fs::write(&bench.path, line("claude", 9, 3, T)).unwrap();
    assert_eq!(bench.score(), 3);
}

#[test]
fn the_first_64_frameworks_by_time_are_ranked() {
    let names = (0..66).map(|i| line(&format!("f{i}"), 1, 1, T + 100 - i));
    let text: String = names.collect();
    let mut bench = Bench::of("");
    for part in text.split_inclusive('\n') {
        bench.append(part);
        bench.follower.look().unwrap();
    }
    for until in [T + 40, T + 100] {
        assert_eq!(bench.follower.look().unwrap().at(until), plain(&text, until));
    }
}

#[test]
fn an_answer_adds_up_no_more_than_a_chunk() {
    let mut text = String::new();
    for i in 0..3 * CHUNK as u32 {
        text += &line("claude", i, 1, T + u64::from(i));
    }
    let mut bench = Bench::of(&text);
    let index = bench.follower.look().unwrap();
    assert_eq!(index.0.len(), 3);
    for (until, score) in [(T - 1, 0), (T, 1), (T + 2_048, 2_049), (u64::MAX, 3 * CHUNK as u64)] {
        assert_eq!(index.at(until).scores.values().sum::<u64>(), score);
    }
    bench.append(&line("claude", 99_999, 1, T + 99_999));
    let grown = bench.follower.look().unwrap();
    assert!(Arc::ptr_eq(&index.0[2], &grown.0[2]), "what was full is kept");
}

// Framework, challenge, points, time; small, so that they meet.
fn results() -> impl Strategy<Value = Vec<(u8, u32, u32, u64)>> {
    prop::collection::vec((0u8..4, 0u32..6, 0u32..100, 0u64..8), 0..60)
}

proptest! {
    #[test]
    fn followed_in_pieces_is_as_read_at_once(all in results(), cut in 1usize..9) {
        let mut bench = Bench::of("");
        let mut text = String::new();
        for piece in all.chunks(cut) {
            let mut more = String::new();
            for (framework, challenge, points, time) in piece {
                let _ = write!(more, "{}", line(&format!("f{framework}"), *challenge, *points, T + time));
            }
            bench.append(&more);
            text += &more;
            let index = bench.follower.look().unwrap();
            for until in T..T + 8 {
                prop_assert_eq!(index.at(until), plain(&text, until));
            }
        }
    }
}
