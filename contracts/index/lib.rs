//! The index token's basket: mint and redeem in kind, rebalance, NAV (`docs/contracts/index.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod calls;
mod checks;
mod events;

#[ink::contract]
pub mod index {
    pub use crate::events::*;
    use crate::{calls, checks};
    use cicada_core::basket::holdings::{
        amounts_to_mint_ceil, amounts_to_redeem_floor, check_entries, deposit, matches, rebased,
        split_credit, take_surplus, withdraw, Entry, Holding, Rebased, MAX_MINIMUM,
    };
    use cicada_core::basket::rebalance::swap_floor;
    use cicada_core::basket::{after_fee_floor, BasketError, MAX_FEE_BPS};
    use cicada_core::certificate::Certificate;
    use cicada_core::fixed::{add, sub, MathError};
    use cicada_core::hash::Digest;
    use cicada_core::leaderboard::Settlement;
    use cicada_core::nav;
    use cicada_core::report::{Feed, FeedError, FeedState, Report, ReportKind};
    use cicada_core::slashing::Deviation;
    use cicada_core::Account;
    use cicada_traits::host::HostSha256;
    use cicada_traits::index::{AnnouncedCharges, Index, IndexError, IndexTerms, NOTICE_MS};
    use cicada_traits::ownable::{Ownable, OwnableError};
    use cicada_traits::stored::{Opaque, Stored};
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::{Lazy, Mapping};

    /// Fee in bps, and the least that is minted or redeemed.
    type Charges = (u16, u128);

    /// A slot, and how far each seat was off.
    type Off = (u64, Vec<Deviation>);

    /// The index. What a mint or a redemption needs besides the holdings lies in the one cell.
    #[ink(storage)]
    pub struct IndexContract {
        owner: AccountId,
        proposed_owner: Option<AccountId>,
        validators: AccountId,
        token: AccountId,
        charges: Stored<Charges>,
        // In their place from this time on; 0 for never.
        next_charges: Stored<Charges>,
        next_ms: u64,
        minting_paused: bool,
        basket: Stored<FeedState>,
        // When the basket was taken over.
        basket_ms: u64,
        newest: Stored<FeedState>,
        // Of the newest slot that is not void; 0 for none.
        nav_slot: u64,
        nav_ms: u64,
        nav_e18: u128,
        holdings: Lazy<Stored<Vec<Holding>>, ManualKey<0x484f_4c44>>,
        records: Mapping<u64, Stored<nav::Record>, ManualKey<0x534c_4f54>>,
        // Of slots in which somebody was off, until they are judged: numbered in their order.
        off: Mapping<u64, Stored<Off>, ManualKey<0x4f46_465f>>,
        off_count: u64,
        off_judged: u64,
        written_off: Mapping<AccountId, u128, ManualKey<0x5752_4954>>,
        // By account and token. What this contract itself is owed stands for the sum of all.
        owed: Mapping<(AccountId, AccountId), u128, ManualKey<0x4f57_4544>>,
    }

    impl IndexContract {
        /// An index without a basket, a fee or a minimum, certified by the committee of
        /// `validators`. `token` has no supply yet, and makes this contract its only minter and
        /// burner. The caller owns it.
        #[ink(constructor)]
        pub fn new(validators: AccountId, token: AccountId) -> Self {
            Self {
                owner: Self::env().caller(),
                proposed_owner: None,
                validators,
                token,
                charges: Stored((0, 0)),
                next_charges: Stored((0, 0)),
                next_ms: 0,
                minting_paused: false,
                basket: Stored(FeedState::EMPTY),
                basket_ms: 0,
                newest: Stored(FeedState::EMPTY),
                nav_slot: 0,
                nav_ms: 0,
                nav_e18: 0,
                holdings: Lazy::new(),
                records: Mapping::new(),
                off: Mapping::new(),
                off_count: 0,
                off_judged: 0,
                written_off: Mapping::new(),
                owed: Mapping::new(),
            }
        }

        /// Whether other charges are announced, and not in force yet.
        fn is_announced(&self) -> bool {
            self.env().block_timestamp() < self.next_ms
        }

        /// Fee and minimum in force.
        #[inline(never)]
        fn charges(&self) -> Charges {
            if self.next_ms == 0 || self.is_announced() {
                return self.charges.0;
            }
            self.next_charges.0
        }

        /// Exactly at the deadline it is too late.
        #[inline(never)]
        fn check_deadline(&self, deadline_ms: u64) -> Result<(), IndexError> {
            if self.env().block_timestamp() >= deadline_ms {
                return Err(IndexError::Expired);
            }
            Ok(())
        }

        #[inline(never)]
        fn held(&self) -> Vec<Holding> {
            self.holdings.get().map(|held| held.0).unwrap_or_default()
        }

        #[inline(never)]
        fn hold(&mut self, holdings: Vec<Holding>) -> Vec<Holding> {
            let held = Stored(holdings);
            self.holdings.set(&held);
            held.0
        }

        /// Whether something of a slot and time is there and fresh.
        #[inline(never)]
        fn is_fresh(&self, slot: u64, time_ms: u64) -> bool {
            slot > 0 && !nav::is_stale(time_ms, self.env().block_timestamp())
        }

        /// What the events say of the NAV.
        #[inline(never)]
        fn shown_nav(&self) -> u128 {
            if self.is_fresh(self.nav_slot, self.nav_ms) {
                return self.nav_e18;
            }
            0
        }

        /// Whether a report comes next in the feed of its kind, and its digest; none for one that
        /// is final already. Of baskets only the newest is known.
        #[inline(never)]
        fn admit(&self, kind: ReportKind, report: &Report) -> Result<Option<Digest>, IndexError> {
            let feed = Feed { kind, contract: Account::of(&self.env().account_id()) };
            let digest = report.digest::<HostSha256>();
            let state = if kind == ReportKind::Nav { &self.newest.0 } else { &self.basket.0 };
            match state.check_next(&feed, report, self.env().block_timestamp()) {
                Err(FeedError::SlotTaken)
                    if digest == state.digest || self.is_settled(&digest, report) =>
                {
                    Ok(None)
                }
                checked => Ok(checked.map(|()| Some(digest))?),
            }
        }

        /// Whether this is the report of a NAV that is kept.
        fn is_settled(&self, digest: &Digest, report: &Report) -> bool {
            self.nav(report.slot).is_some_and(|record| record.digest == *digest)
        }

        #[inline(never)]
        fn to_mint(
            &self,
            holdings: &[Holding],
            supply: u128,
            tokens: u128,
        ) -> Result<Vec<u128>, BasketError> {
            let FeedState { slot, time_ms, .. } = self.basket.0;
            amounts_to_mint_ceil(holdings, supply, tokens, self.is_fresh(slot, time_ms))
        }

        #[inline(never)]
        fn owed_to(&self, account: &AccountId, token: &AccountId) -> u128 {
            self.owed.get((account, token)).unwrap_or_default()
        }

        /// Adds to what an account is owed in a token, and to the sum of all, or takes off both.
        #[inline(never)]
        fn shift_owed(
            &mut self,
            who: &AccountId,
            token: &AccountId,
            amount: u128,
            change: fn(u128, u128) -> Result<u128, MathError>,
        ) -> Result<(), IndexError> {
            for account in [who, &self.env().account_id()] {
                let owed = change(self.owed_to(account, token), amount)?;
                if owed == 0 {
                    self.owed.remove((account, token));
                } else {
                    self.owed.insert((account, token), &owed);
                }
            }
            Ok(())
        }

        /// Takes a token from the caller.
        #[inline(never)]
        fn pull(&self, token: &AccountId, amount: u128) -> Result<(), IndexError> {
            calls::pull(token, &self.env().caller(), &self.env().account_id(), amount)
        }

        /// Pays a part of the basket; what a token refuses is owed.
        #[inline(never)]
        fn pay_or_owe(
            &mut self,
            who: AccountId,
            token: AccountId,
            amount: u128,
        ) -> Result<(), IndexError> {
            if calls::pay(&token, &who, amount) {
                return Ok(());
            }
            self.shift_owed(&who, &token, amount, add)?;
            self.env().emit_event(Owed { who, token, amount });
            Ok(())
        }

        /// Writes the NAV of a slot, and who was off it.
        #[inline(never)]
        fn record(&mut self, record: nav::Record, off: Vec<Deviation>) {
            (self.nav_slot, self.nav_ms) = (record.slot, record.time_ms);
            self.nav_e18 = record.nav_e18;
            self.records.insert(record.slot, &Stored(record));
            // Nearer than that, nodes agree to one another: nobody is off.
            if off.iter().any(|deviation| u128::from(deviation.bps) > nav::AGREE_BPS) {
                self.off.insert(self.off_count, &Stored((record.slot, off)));
                self.off_count = self.off_count.saturating_add(1);
            }
            self.env().emit_event(NavSettled::from(record));
        }

        /// Takes a slot for a report that cannot be applied.
        #[inline(never)]
        fn void(&mut self, report: &Report, digest: Digest) -> Result<Settlement, IndexError> {
            let (kind, slot) = (report.feed.kind, report.slot);
            self.env().emit_event(SlotVoid { kind, slot, digest });
            Ok(Settlement::Void)
        }

        /// Takes over a basket.
        #[inline(never)]
        fn rebase(&mut self, next: Rebased) {
            for held in next.written_off {
                let token = AccountId::from(held.token.0);
                // A token with more units than that would otherwise stop every later basket.
                let before = self.written_off.get(token).unwrap_or_default();
                let amount = before.saturating_add(held.amount);
                self.written_off.insert(token, &amount);
                self.env().emit_event(WrittenOff { token, amount: held.amount });
            }
            self.hold(next.held);
        }
    }

    impl Index for IndexContract {
        /// Announces fee and minimum, and stops minting or lets it go on. The owner.
        #[ink(message)]
        fn set_terms(
            &mut self,
            fee_bps: u16,
            minimum: u128,
            minting_paused: bool,
        ) -> Result<(), IndexError> {
            if self.env().caller() != self.owner {
                return Err(IndexError::NotOwner);
            }
            if u128::from(fee_bps) > MAX_FEE_BPS {
                return Err(BasketError::FeeTooHigh.into());
            }
            if minimum > MAX_MINIMUM {
                return Err(IndexError::MinimumTooHigh);
            }
            let (now, next) = (self.env().block_timestamp(), (fee_bps, minimum));
            let mut from_ms = now;
            self.charges = Stored(self.charges());
            self.next_ms = 0;
            // Nobody holds anything before there is a basket.
            if self.basket.0.slot == 0 {
                self.charges = Stored(next);
            } else if next != self.charges.0 {
                from_ms = now.saturating_add(NOTICE_MS);
                self.next_charges = Stored(next);
                self.next_ms = from_ms;
            }
            self.minting_paused = minting_paused;
            self.env().emit_event(TermsSet { fee_bps, minimum, minting_paused, from_ms });
            Ok(())
        }

        /// Takes over certified target weights and prices.
        #[ink(message)]
        #[inline(never)]
        fn set_basket(
            &mut self,
            report: Report,
            entries: Vec<Entry>,
            certificate: Opaque<Certificate>,
        ) -> Result<Settlement, IndexError> {
            let Some(digest) = self.admit(ReportKind::Basket, &report)? else {
                return Ok(Settlement::AlreadyDone);
            };
            if !matches::<HostSha256>(&report, &entries) {
                return Err(IndexError::ContentMismatch);
            }
            calls::verify(&self.validators, &digest, &certificate)?;

            let next = check_entries(&entries, &Account::of(&self.token))
                .and_then(|()| rebased(&self.held(), &entries, report.time_ms));
            let Ok(next) = next else {
                let FeedState { time_ms, .. } = self.basket.0;
                // Prices do not become younger.
                let state = FeedState::after(&report, digest);
                self.basket = Stored(FeedState { time_ms, ..state });
                return self.void(&report, digest);
            };
            if self.newest.0.time_ms == 0 {
                // The first NAV is scheduled from here on.
                self.newest.0.time_ms = report.time_ms;
            }
            self.basket = Stored(FeedState::after(&report, digest));
            self.basket_ms = self.env().block_timestamp();
            self.rebase(next);
            let (epoch, signers) = checks::signed_by(&certificate);
            let Report { slot, time_ms, .. } = report;
            self.env().emit_event(BasketSet { slot, digest, epoch, signers, time_ms });
            Ok(Settlement::Recorded)
        }

        /// Takes a part of each holding from the caller and credits index tokens.
        #[ink(message)]
        #[inline(never)]
        fn mint(
            &mut self,
            tokens: u128,
            min_received: u128,
            max_amounts: Vec<u128>,
            deadline_ms: u64,
        ) -> Result<(), IndexError> {
            if self.minting_paused {
                return Err(IndexError::Paused);
            }
            self.check_deadline(deadline_ms)?;
            let (fee_bps, minimum) = self.charges();
            if tokens < minimum {
                return Err(IndexError::BelowMinimum);
            }
            let left = after_fee_floor(tokens, fee_bps.into())?;
            let supply = calls::supply(&self.token)?;
            let (credited, locked) = split_credit(left, supply)?;
            if credited < min_received {
                return Err(IndexError::BeyondLimit);
            }
            let mut holdings = self.held();
            let amounts = self.to_mint(&holdings, supply, tokens)?;
            checks::limits(&amounts, &max_amounts)?;
            deposit(&mut holdings, &amounts)?;
            let holdings = self.hold(holdings);

            for (holding, amount) in holdings.iter().zip(amounts) {
                self.pull(&holding.token.0.into(), amount)?;
            }
            let who = self.env().caller();
            calls::change_supply(&self.token, &who, credited, true)?;
            calls::change_supply(&self.token, &self.env().account_id(), locked, true)?;
            let (fee, nav_e18) = (sub(tokens, left)?, self.shown_nav());
            self.env().emit_event(Minted { who, tokens, fee, nav_e18 });
            Ok(())
        }

        /// Burns index tokens of the caller and pays a part of each holding.
        #[ink(message)]
        #[inline(never)]
        fn redeem(
            &mut self,
            tokens: u128,
            min_amounts: Vec<u128>,
            deadline_ms: u64,
        ) -> Result<(), IndexError> {
            self.check_deadline(deadline_ms)?;
            let who = self.env().caller();
            let (fee_bps, minimum) = self.charges();
            if tokens < minimum && calls::balance(&self.token, &who) != Some(tokens) {
                return Err(IndexError::BelowMinimum);
            }
            let left = after_fee_floor(tokens, fee_bps.into())?;
            let mut holdings = self.held();
            let supply = calls::supply(&self.token)?;
            let amounts = amounts_to_redeem_floor(&holdings, supply, left)?;
            checks::limits(&min_amounts, &amounts)?;
            withdraw(&mut holdings, &amounts)?;
            let holdings = self.hold(holdings);

            calls::change_supply(&self.token, &who, tokens, false)?;
            for (holding, amount) in holdings.iter().zip(amounts) {
                self.pay_or_owe(who, holding.token.0.into(), amount)?;
            }
            let (fee, nav_e18) = (sub(tokens, left)?, self.shown_nav());
            self.env().emit_event(Redeemed { who, tokens, fee, nav_e18 });
            Ok(())
        }

        /// Pays the caller what he is owed in a token.
        #[ink(message)]
        #[inline(never)]
        fn claim_owed(&mut self, token: AccountId) -> Result<(), IndexError> {
            let who = self.env().caller();
            let amount = self.owed_to(&who, &token);
            if amount == 0 {
                return Err(IndexError::NothingOwed);
            }
            self.shift_owed(&who, &token, amount, sub)?;
            if !calls::pay(&token, &who, amount) {
                return Err(IndexError::TokenRefused);
            }
            self.env().emit_event(OwedPaid { who, token, amount });
            Ok(())
        }

        /// Takes what was sent unasked into the holding of a token.
        #[ink(message)]
        #[inline(never)]
        fn sync(&mut self, token: AccountId) -> Result<(), IndexError> {
            let mut holdings = self.held();
            let this = self.env().account_id();
            let balance = calls::balance(&token, &this).ok_or(IndexError::TokenRefused)?;
            let apart = self.written_off.get(token).unwrap_or_default();
            let apart = add(self.owed_to(&this, &token), apart)?;
            let amount = take_surplus(&mut holdings, &Account::of(&token), balance, apart)?;
            self.hold(holdings);
            self.env().emit_event(Synced { token, amount });
            Ok(())
        }

        /// Gives a token that is below its target and takes one that is above it.
        #[ink(message)]
        #[inline(never)]
        fn swap(
            &mut self,
            give: AccountId,
            give_amount: u128,
            take: AccountId,
            min_take: u128,
            deadline_ms: u64,
        ) -> Result<(), IndexError> {
            self.check_deadline(deadline_ms)?;
            let FeedState { slot, time_ms, .. } = self.basket.0;
            if !self.is_fresh(slot, time_ms) {
                return Err(BasketError::StalePrices.into());
            }
            // Not of the prices: else whoever holds a certificate back has the last part of the fall.
            let age_ms = self.env().block_timestamp().saturating_sub(self.basket_ms);
            let mut holdings = self.held();
            let (given, wanted) = (&Account::of(&give), &Account::of(&take));
            let taken = swap_floor(&mut holdings, given, give_amount, wanted, age_ms)?;
            if taken < min_take {
                return Err(IndexError::BeyondLimit);
            }
            self.hold(holdings);
            self.pull(&give, give_amount)?;
            let who = self.env().caller();
            if !calls::pay(&take, &who, taken) {
                return Err(IndexError::TokenRefused);
            }
            self.env().emit_event(Swapped { who, give, take, given: give_amount, taken });
            Ok(())
        }

        /// Settles the NAV of a slot from certified observations.
        #[ink(message)]
        #[inline(never)]
        fn settle_nav(
            &mut self,
            report: Report,
            observations: Vec<nav::Observation>,
            certificate: Opaque<Certificate>,
        ) -> Result<Settlement, IndexError> {
            let Some(digest) = self.admit(ReportKind::Nav, &report)? else {
                return Ok(Settlement::AlreadyDone);
            };
            if !nav::matches::<HostSha256>(&report, &observations) {
                return Err(IndexError::ContentMismatch);
            }
            calls::verify(&self.validators, &digest, &certificate)?;
            let (epoch, signers) = checks::signed_by(&certificate);
            let seats = calls::electorate(&self.validators, epoch)?;

            self.newest = Stored(FeedState::after(&report, digest));
            let Some(nav_e18) = checks::nav(&seats, &report, &observations) else {
                return self.void(&report, digest);
            };
            let off = nav::deviations(&observations, &seats.stakes, nav_e18);
            let record = nav::Record {
                slot: report.slot,
                digest,
                time_ms: report.time_ms,
                epoch,
                signers,
                observers: nav::observers(&off),
                nav_e18,
            };
            self.record(record, off);
            Ok(Settlement::Recorded)
        }

        /// Hands on who was off the NAV of the oldest slot that was not judged.
        #[ink(message)]
        #[inline(never)]
        fn judge_nav(&mut self) -> Result<(), IndexError> {
            let nothing = IndexError::NothingToJudge;
            let Stored((slot, off)) = self.off.take(self.off_judged).ok_or(nothing)?;
            let record = self.nav(slot).ok_or(nothing)?;
            self.off_judged = self.off_judged.saturating_add(1);
            calls::report_deviations(&self.validators, &record, &off)
        }

        /// The slot that would be judged.
        #[ink(message)]
        fn to_judge(&self) -> Option<u64> {
            self.off.get(self.off_judged).map(|off| off.0 .0)
        }

        /// What is held of each token, its target and its price.
        #[ink(message)]
        fn holdings(&self) -> Vec<Holding> {
            self.held()
        }

        /// What an account is owed in a token; for this contract itself, what all are owed.
        #[ink(message)]
        fn owed(&self, account: AccountId, token: AccountId) -> u128 {
            self.owed_to(&account, &token)
        }

        /// What of a token was written off.
        #[ink(message)]
        fn written_off(&self, token: AccountId) -> u128 {
            self.written_off.get(token).unwrap_or_default()
        }

        /// The settled NAV of a slot.
        #[ink(message)]
        #[inline(never)]
        fn nav(&self, slot: u64) -> Option<nav::Record> {
            self.records.get(slot).map(|record| record.0)
        }

        /// The newest settled NAV.
        #[ink(message)]
        fn newest_nav(&self) -> Option<nav::Record> {
            self.nav(self.nav_slot)
        }

        /// Slot, digest and time of the newest basket, and of the newest NAV.
        #[ink(message)]
        fn feeds(&self) -> (FeedState, FeedState) {
            (self.basket.0, self.newest.0)
        }

        /// When the newest basket was taken over.
        #[ink(message)]
        fn basket_taken_ms(&self) -> u64 {
            self.basket_ms
        }

        /// Fee and minimum in force, pause and the contracts that this one calls.
        #[ink(message)]
        fn terms(&self) -> IndexTerms {
            let (fee_bps, minimum) = self.charges();
            IndexTerms {
                validators: self.validators,
                token: self.token,
                fee_bps,
                minimum,
                minting_paused: self.minting_paused,
            }
        }

        /// Fee and minimum that will be in force.
        #[ink(message)]
        fn announced(&self) -> Option<AnnouncedCharges> {
            let (fee_bps, minimum) = self.next_charges.0;
            let from_ms = self.next_ms;
            self.is_announced().then_some(AnnouncedCharges { fee_bps, minimum, from_ms })
        }
    }

    impl Ownable for IndexContract {
        /// The owner.
        #[ink(message)]
        fn owner(&self) -> AccountId {
            self.owner
        }

        /// Offers ownership to an account. The owner.
        #[ink(message)]
        fn propose_owner(&mut self, account: AccountId) -> Result<(), OwnableError> {
            if self.env().caller() != self.owner {
                return Err(OwnableError::NotOwner);
            }
            self.proposed_owner = Some(account);
            self.env().emit_event(OwnershipProposed { owner: self.owner, proposed: account });
            Ok(())
        }

        /// Takes the ownership that was offered to the caller.
        #[ink(message)]
        fn accept_ownership(&mut self) -> Result<(), OwnableError> {
            let caller = self.env().caller();
            if self.proposed_owner != Some(caller) {
                return Err(OwnableError::NotProposed);
            }
            self.proposed_owner = None;
            self.owner = caller;
            self.env().emit_event(OwnershipAccepted { owner: caller });
            Ok(())
        }
    }
}
