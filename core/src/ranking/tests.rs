use super::*;
use crate::hash::Native;
use crate::quorum::{FaultModel, COMMITTEE};
use crate::report::ReportKind;
use crate::slashing::judge;
use crate::Account;
use proptest::prelude::*;

const FEED: Feed = Feed { kind: ReportKind::Rewards, contract: Account([9; 32]) };
const AWARD: Award = Award {
    epoch: 3,
    start_ms: 1_000,
    end_ms: 2_000,
    pool: 0,
    carried_in: 0,
    awarded: 0,
    carried_out: 0,
    claims_root: Digest([5; 32]),
    claims: 0,
    total: 0,
    ranking: Digest([6; 32]),
};

fn score(miner: u8, final_e9: u128, registered: bool) -> Score {
    Score {
        miner: Account([miner; 32]),
        weighted_tenths: final_e9,
        volume_e9: 0,
        frequency_e9: 0,
        consistency_e9: 0,
        final_e9,
        last_ms: 7,
        registered,
    }
}

#[test]
fn the_first_64_of_the_registered_are_ranked_in_order_of_accounts() {
    let found = ranking(&[score(9, 5, true), score(1, 50, false), score(4, 8, true)]);
    assert_eq!(found, [(Account([4; 32]), 8), (Account([9; 32]), 5)]);
    assert_eq!(ranking(&[score(1, 0, true)]), [], "who moved nothing has no rank");
    let many: Vec<Score> =
        (0..200).map(|miner| score(miner, u128::from(miner) + 1, true)).collect();
    let found = ranking(&many);
    assert_eq!(
        (found.len(), found[0], found[63]),
        (64, (Account([136; 32]), 137), (Account([199; 32]), 200))
    );
    assert_eq!(check_form(&found), Ok(()));
}

#[test]
fn a_list_too_long_or_out_of_order_is_no_ranking() {
    let list: Vec<Weight> = (0..65).map(|miner| (Account([miner; 32]), 1)).collect();
    assert_eq!(check_form(&list), Err(NotInOrder));
    assert_eq!(check_form(&list[..64]), Ok(()));
    assert_eq!(check_form(&[list[1], list[0]]), Err(NotInOrder));
    assert_eq!(check_form(&[list[1], list[1]]), Err(NotInOrder));
    assert_eq!(check_form(&[]), Ok(()));
}

#[test]
fn a_signature_binds_all_of_a_statement_and_where_it_is_made() {
    let one = Statement::of(&AWARD, 4);
    assert!(one.is_of(&AWARD));
    let message = |one: &Statement| one.message::<Native>(&Digest([1; 32]), &FEED);
    let others = [
        Statement { seat: 5, ..one },
        Statement { epoch: 4, ..one },
        Statement { start_ms: 1_001, ..one },
        Statement { end_ms: 2_001, ..one },
        Statement { ranking: Digest([7; 32]), ..one },
    ];
    for other in others {
        assert_ne!(message(&one), message(&other));
        assert_eq!(other.is_of(&AWARD), other.seat == 5);
    }
    assert_ne!(message(&one), one.message::<Native>(&Digest([2; 32]), &FEED));
    let nav = Feed { kind: ReportKind::Nav, ..FEED };
    assert_ne!(message(&one), one.message::<Native>(&Digest([1; 32]), &nav));
    assert!(Statement { ranking: Digest([7; 32]), ..one }.is_of_time(&AWARD));
    assert_eq!(message(&one), message(&Statement { signature: [8; 64], ..one }));
    let bytes = one.encode();
    assert_eq!(bytes.len(), STATEMENT_LEN);
    assert_eq!(Statement::decode(&mut &bytes[..]).unwrap(), one);
}

const fn off(seat: u8, bps: u32) -> Deviation {
    Deviation { seat, bps }
}

#[test]
fn what_is_worse_takes_the_place_of_what_was_noted() {
    let mut noted = Vec::new();
    let told = [off(9, 700), off(2, 800), off(9, 700), off(9, 699), off(9, 900), off(11, 501)];
    let changed = told.map(|one| note(&mut noted, one));
    assert_eq!(changed, [true, true, false, false, true, true]);
    assert_eq!(noted, [off(2, 800), off(9, 900), off(11, 501)]);
}

#[test]
fn nobody_pays_unless_nine_others_agree_nor_if_eight_are_off() {
    let quorum = Quorum::of(FaultModel::Byzantine, COMMITTEE).unwrap();
    let needed = min_agreeing(&quorum);
    assert_eq!(needed, 9);
    let paying = |noted: &[Deviation], agreeing| {
        judge(&quorum, &Bands::RANKING, needed, &deviations(noted, agreeing)).unwrap().len()
    };
    assert_eq!(paying(&[off(9, 700)], 0b1_1111_1111), 1);
    assert_eq!(paying(&[off(9, 700)], 0b1111_1111), 0, "eight agree");
    assert_eq!(paying(&[off(0, 700)], 0b1_1111_1111), 0, "who is off does not agree");
    assert_eq!(paying(&[off(0, 700)], 0b11_1111_1111), 1, "who signed both is off");
    let many: Vec<Deviation> = (10..18).map(|seat| off(seat, 9_000)).collect();
    assert_eq!(paying(&many[1..], 0b11_1111_1111), 7);
    assert_eq!(
        paying(&many, 0b11_1111_1111),
        0,
        "eight are more than may lie, whoever comes first"
    );
    let all = deviations(&[off(1, 700)], 0b101);
    assert_eq!(all, [off(0, 0), off(1, 700), off(2, 0)]);
    assert_eq!(with_weight(&[5, 0, 1, 0]), 0b101);
}

#[test]
fn the_mask_is_that_of_the_seats() {
    let of = |seats: &[u8]| {
        let list: Vec<_> = seats.iter().map(|seat| Statement::of(&AWARD, *seat)).collect();
        ranked_by(&list)
    };
    assert_eq!(of(&[]), 0);
    assert_eq!(of(&[0, 3, 31]), 1 << 31 | 0b1001);
    assert_eq!(of(&[32, 255]), 0);
}

proptest! {
    #[test]
    fn who_is_heard_is_in_order_and_once(
        seats in prop::collection::vec((0u8..23, 501u32..20_000), 0..40), agreeing: u32,
    ) {
        let agreeing = agreeing & 0x7f_ffff;
        let mut noted = Vec::new();
        for (seat, bps) in &seats {
            note(&mut noted, off(*seat, *bps));
        }
        let all = deviations(&noted, agreeing);
        prop_assert!(all.windows(2).all(|pair| pair[0].seat < pair[1].seat));
        for seat in 0..23 {
            let worst = seats.iter().filter(|one| one.0 == seat).map(|one| one.1).max();
            let agrees = (agreeing & seat_bit(seat) != 0).then_some(0);
            let found = all.iter().find(|one| one.seat == seat).map(|one| one.bps);
            prop_assert_eq!(found, worst.or(agrees));
        }
    }
}
