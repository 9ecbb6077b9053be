use super::*;

#[test]
fn a_misspelt_name_leaves_when_nodes_have_no_result_of_it_and_are_told_so() {
    let mut bench = Bench::new();
    let results = bench.dir.path().join("results.jsonl");
    let right = std::fs::read_to_string(&results).unwrap();
    let slip = right.lines().next().unwrap().replacen("\"claude\"", "\"cluade\"", 1);
    assert!(slip.contains("cluade"), "{slip}");
    std::fs::write(&results, format!("{right}{slip}\n")).unwrap();
    bench.restart(true);
    let first = bench.board(NOW);
    assert_eq!(bench.check(&first, NOW), Ok(()));
    std::fs::write(&results, right).unwrap();
    let cluade = Framework::new("cluade").unwrap();
    for withdrawn in [Vec::new(), vec![cluade]] {
        let told = !withdrawn.is_empty();
        bench.withdrawn = withdrawn;
        bench.restart(true);
        bench.feeds.apply(1, &first.encode()).unwrap();
        let second = bench.board(NOW + 60_000);
        match told {
            false => bench.refuses(&second, NOW + 60_000, "cluade is missing"),
            true => assert_eq!(bench.check(&second, NOW + 60_000), Ok(())),
        }
    }
}
