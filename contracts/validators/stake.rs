//! What is staked, who judges, what was punished.

use crate::calls;
use crate::events::{Bonded, Resigned, Slashed, TermsSet, Unbonding, Withdrawn};
use cicada_core::committee::{seat_bit, Member};
use cicada_core::fixed::{add, mul_div_floor, sub, BPS};
use cicada_core::hash::Digest;
use cicada_core::slashing::{
    check_unbonding, weights, Offence, ParameterError, Severity, Stake, StakeAccount, Standing,
    BOUNTY_BPS,
};
use cicada_core::Account;
use cicada_traits::host::HostSha256;
use cicada_traits::payment;
use cicada_traits::staking::{AnnouncedTerms, StakeView, StakingError, StakingTerms, MAX_JUDGES};
use cicada_traits::stored::Stored;
use ink::env::{account_id, block_timestamp, emit_event, DefaultEnvironment};
use ink::prelude::vec::Vec;
use ink::primitives::AccountId;
use ink::storage::traits::ManualKey;
use ink::storage::{Lazy, Mapping};

/// The state of all stakes.
#[ink::storage_item]
#[derive(Default)]
pub struct Stakes {
    terms: Lazy<Stored<StakingTerms>, ManualKey<0x5445_524d>>,
    next: Lazy<Stored<AnnouncedTerms>, ManualKey<0x4e45_5854>>,
    accounts: Mapping<AccountId, Stored<StakeAccount>, ManualKey<0x5354_414b>>,
    /// The rules of those who resigned.
    resigned: Mapping<AccountId, Stored<StakingTerms>, ManualKey<0x5245_5349>>,
    punished: Mapping<Digest, (), ManualKey<0x5055_4e49>>,
}

/// The penalties of one call, before anybody else hears of them.
#[derive(Default)]
pub struct Verdict {
    amount: u128,
    told: Vec<(AccountId, u32)>,
}

#[inline(never)]
fn now() -> u64 {
    block_timestamp::<DefaultEnvironment>()
}

impl Stakes {
    /// The rules in force, if there are any.
    #[inline(never)]
    pub fn terms(&self) -> Option<StakingTerms> {
        let next = self.next.get().filter(|next| now() >= next.0.from_ms);
        next.map(|next| next.0.terms).or_else(|| self.terms.get().map(|terms| terms.0))
    }

    /// The rules that will be in force.
    pub fn announced(&self) -> Option<AnnouncedTerms> {
        self.next.get().map(|next| next.0).filter(|next| now() < next.from_ms)
    }

    /// The rules in force.
    pub fn rules(&self) -> Result<StakingTerms, StakingError> {
        self.terms().ok_or(StakingError::NoTerms)
    }

    /// Sets the first rules, or announces others.
    #[inline(never)]
    pub fn set_terms(&mut self, terms: StakingTerms) -> Result<(), StakingError> {
        let here = account_id::<DefaultEnvironment>();
        if terms.token == here || terms.treasury == here || terms.reputation == Some(here) {
            return Err(StakingError::OwnAccount);
        }
        let nobody = AccountId::from(Account::NOBODY.0);
        if terms.treasury == nobody || terms.judges.contains(&nobody) {
            return Err(StakingError::Nobody);
        }
        if terms.judges.len() > MAX_JUDGES {
            return Err(StakingError::TooMany);
        }
        if terms.minimum == 0 {
            return Err(ParameterError::NoMinimum.into());
        }
        terms.nav_bands.check()?;
        terms.ranking_bands.check()?;
        terms.rates.check()?;
        check_unbonding(terms.unbonding_ms)?;
        let mut from_ms = now();
        if let Some(before) = self.terms() {
            if before.token != terms.token || before.treasury != terms.treasury {
                return Err(StakingError::Fixed);
            }
            // Else one change could put the minimum beyond everybody: nobody would be left to seat.
            if terms.minimum > before.minimum.saturating_mul(2) {
                return Err(ParameterError::MinimumTooHigh.into());
            }
            // Time for a seat to leave first: to resign, to be replaced, to wait.
            let notice = before.unbonding_ms.saturating_mul(2);
            from_ms = from_ms.saturating_add(notice);
            self.terms.set(&Stored(before));
            self.next.set(&Stored(AnnouncedTerms { terms: terms.clone(), from_ms }));
        } else {
            self.terms.set(&Stored(terms.clone()));
        }
        emit_event::<DefaultEnvironment, _>(TermsSet { terms, from_ms });
        Ok(())
    }

    /// The rules of an operator: those in force, or those of when he resigned.
    #[inline(never)]
    fn rules_of(
        &self,
        operator: AccountId,
        account: &StakeAccount,
        terms: &StakingTerms,
    ) -> StakingTerms {
        let own = self.resigned.get(operator).filter(|_| account.is_resigned);
        own.map_or_else(|| terms.clone(), |own| own.0)
    }

    /// What a seat of this operator needs; without rules nothing is enough.
    #[inline(never)]
    fn minimum(
        &self,
        operator: AccountId,
        account: &StakeAccount,
        terms: Option<&StakingTerms>,
    ) -> u128 {
        match terms {
            None => u128::MAX,
            Some(terms) if !account.is_resigned => terms.minimum,
            Some(terms) => self.rules_of(operator, account, terms).minimum,
        }
    }

    /// The stake of an operator.
    #[inline(never)]
    pub fn account(&self, operator: AccountId) -> StakeAccount {
        self.accounts.get(operator).map(|account| account.0).unwrap_or_default()
    }

    /// Writes the stake of an operator; of one who has none, nothing, which returns the deposit. Rules
    /// of then bind until nothing is left.
    #[inline(never)]
    fn save(&mut self, operator: AccountId, mut account: StakeAccount) {
        if account.is_resigned && account.stake == Stake::default() {
            account.is_resigned = false;
            self.resigned.remove(operator);
        }
        if account == StakeAccount::default() {
            self.accounts.remove(operator);
        } else {
            self.accounts.insert(operator, &Stored(account));
        }
    }

    /// The stake of an operator in `epoch`. Before there are rules nobody may serve.
    #[inline(never)]
    pub fn view(&self, operator: AccountId, epoch: u32) -> StakeView {
        let account = self.account(operator);
        let minimum = self.minimum(operator, &account, self.terms().as_ref());
        StakeView {
            bonded: account.stake.bonded,
            unbonding: account.stake.unbonding,
            releases_ms: account.releases_ms,
            standing: account.standing(minimum, epoch),
            is_resigned: account.is_resigned,
        }
    }

    /// The seats whose members are inactive in `epoch`, and those of the ejected; none while there
    /// are no rules.
    #[inline(never)]
    pub fn unfit(&self, members: &[Member], epoch: u32) -> (u32, u32) {
        let Some(terms) = self.terms() else {
            return (0, 0);
        };
        (0u8..).zip(members).fold((0, 0), |(inactive, ejected), (seat, member)| {
            let operator = member.operator.0.into();
            let account = self.account(operator);
            match account.standing(self.minimum(operator, &account, Some(&terms)), epoch) {
                Standing::Active => (inactive, ejected),
                Standing::Inactive => (inactive | seat_bit(seat), ejected),
                Standing::Ejected => (inactive, ejected | seat_bit(seat)),
            }
        })
    }

    /// The weight of each seat's word in `epoch`: 0 for those barred, and without rules.
    #[inline(never)]
    pub fn weights(&self, members: &[Member], epoch: u32, barred: u32) -> Vec<u128> {
        let terms = self.terms();
        let active = |(seat, member): (u8, &Member)| {
            if barred & seat_bit(seat) != 0 {
                return None;
            }
            let operator = member.operator.0.into();
            let account = self.account(operator);
            let minimum = self.minimum(operator, &account, terms.as_ref());
            let is_active = account.standing(minimum, epoch) == Standing::Active;
            is_active.then_some((account.stake.bonded, minimum))
        };
        weights(&(0u8..).zip(members).map(active).collect::<Vec<_>>())
    }

    /// Takes stake in.
    #[inline(never)]
    pub fn bond(&mut self, operator: AccountId, amount: u128) -> Result<(), StakingError> {
        let terms = self.rules()?;
        let mut account = self.account(operator);
        account.bond(amount)?;
        self.save(operator, account);
        emit_event::<DefaultEnvironment, _>(Bonded { operator, amount });
        Ok(payment::pull(terms.token, operator, account_id::<DefaultEnvironment>(), amount)?)
    }

    /// Begins to take stake out; of who is `seated`, what he has above the minimum.
    #[inline(never)]
    pub fn unbond(
        &mut self,
        operator: AccountId,
        amount: u128,
        seated: bool,
    ) -> Result<(), StakingError> {
        let mut account = self.account(operator);
        let terms = self.rules_of(operator, &account, &self.rules()?);
        let keep = if seated { terms.minimum } else { 0 };
        account.unbond(amount, keep, now(), terms.unbonding_ms)?;
        self.save(operator, account);
        let releases_ms = account.releases_ms;
        emit_event::<DefaultEnvironment, _>(Unbonding { operator, amount, releases_ms });
        Ok(())
    }

    /// Notes that an operator wants to be replaced, and under which rules he stands.
    #[inline(never)]
    pub fn resign(&mut self, operator: AccountId) -> Result<(), StakingError> {
        let terms = self.rules()?;
        let mut account = self.account(operator);
        if account.is_resigned || account.stake.bonded == 0 {
            return Err(StakingError::CannotResign);
        }
        account.is_resigned = true;
        self.save(operator, account);
        self.resigned.insert(operator, &Stored(terms));
        emit_event::<DefaultEnvironment, _>(Resigned { operator });
        Ok(())
    }

    /// Pays out what is free.
    #[inline(never)]
    pub fn withdraw(&mut self, operator: AccountId) -> Result<u128, StakingError> {
        let mut account = self.account(operator);
        let amount = account.withdraw(now())?;
        self.save(operator, account);
        emit_event::<DefaultEnvironment, _>(Withdrawn { operator, amount });
        // Nobody has stake before there are rules.
        payment::pay(self.rules()?.token, operator, amount)?;
        Ok(amount)
    }

    /// Punishes a deviation at `time_ms`, as far as its hour has not cost that yet.
    #[inline(never)]
    pub fn judge(
        &mut self,
        terms: &StakingTerms,
        offence: &Offence,
        bps: u32,
        time_ms: u64,
        verdict: &mut Verdict,
    ) -> Result<(), StakingError> {
        let operator = AccountId::from(offence.operator.0);
        let mut account = self.account(operator);
        let own = self.rules_of(operator, &account, terms);
        // Nor by a judge whom the rules of then do not name.
        if !own.judges.contains(&AccountId::from(offence.feed.contract.0)) {
            return Ok(());
        }
        let severity = own.bands(offence.kind).severity(bps);
        let Some((amount, before)) =
            account.judge_ceil(&own.rates, offence.kind, severity, time_ms)?
        else {
            return Ok(());
        };
        self.save(operator, account);
        let points = severity.reputation_points().saturating_sub(before.reputation_points());
        verdict.add(offence, severity, amount, points)
    }

    /// Punishes a proven offence; whether it was not punished before. With `ejected_in` the operator
    /// loses his standing for that epoch, too.
    #[inline(never)]
    pub fn convict(
        &mut self,
        terms: &StakingTerms,
        offence: &Offence,
        ejected_in: Option<u32>,
        verdict: &mut Verdict,
    ) -> Result<bool, StakingError> {
        let id = offence.id::<HostSha256>();
        if self.punished.contains(id) {
            return Ok(false);
        }
        self.punished.insert(id, &());
        let operator = AccountId::from(offence.operator.0);
        let mut account = self.account(operator);
        let rates = self.rules_of(operator, &account, terms).rates;
        let amount = account.slash_ceil(rates.critical_bps)?;
        account.ejected_in = ejected_in.unwrap_or(account.ejected_in);
        self.save(operator, account);
        let critical = Severity::Critical;
        verdict.add(offence, critical, amount, critical.reputation_points())?;
        Ok(true)
    }
}

impl Verdict {
    #[inline(never)]
    fn add(
        &mut self,
        offence: &Offence,
        severity: Severity,
        amount: u128,
        points: u32,
    ) -> Result<(), StakingError> {
        let operator = AccountId::from(offence.operator.0);
        self.amount = add(self.amount, amount).map_err(StakingError::Math)?;
        self.told.push((operator, points));
        let Offence { epoch, feed, slot, kind: offence, .. } = *offence;
        let slashed = Slashed { operator, offence, epoch, feed, slot, severity, amount };
        emit_event::<DefaultEnvironment, _>(slashed);
        Ok(())
    }

    /// Tells the reputation contract, and pays whoever brought a proof, and the treasury.
    #[inline(never)]
    pub fn execute(
        &self,
        terms: &StakingTerms,
        bringer: Option<AccountId>,
    ) -> Result<(), StakingError> {
        if let Some(reputation) = terms.reputation {
            for (operator, points) in &self.told {
                calls::tell(reputation, *operator, *points)?;
            }
        }
        let mut rest = self.amount;
        if let Some(bringer) = bringer {
            let bounty = mul_div_floor(rest, BOUNTY_BPS, BPS).map_err(StakingError::Math)?;
            rest = sub(rest, bounty).map_err(StakingError::Math)?;
            payment::pay(terms.token, bringer, bounty)?;
        }
        Ok(payment::pay(terms.token, terms.treasury, rest)?)
    }
}
