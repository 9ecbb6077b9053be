//! What is staked, who judges, what was punished.

use crate::calls;
use crate::events::{Bonded, JudgeChanged, Slashed, TermsSet, Unbonding, Withdrawn};
use cicada_core::committee::{seat_bit, Member};
use cicada_core::fixed::add;
use cicada_core::hash::Hash;
use cicada_core::slashing::{check_unbonding, Offence, Severity, StakeAccount, Standing};
use cicada_traits::host::HostSha256;
use cicada_traits::payment;
use cicada_traits::staking::{StakeView, StakingError, StakingTerms};
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
    accounts: Mapping<AccountId, Stored<StakeAccount>, ManualKey<0x5354_414b>>,
    judges: Mapping<AccountId, (), ManualKey<0x4a55_4447>>,
    punished: Mapping<Hash, (), ManualKey<0x5055_4e49>>,
}

/// The penalties of one call, before anybody else hears of them.
#[derive(Default)]
pub struct Verdict {
    amount: u128,
    punished: Vec<(AccountId, Severity)>,
}

impl Stakes {
    /// The rules, if there are any.
    #[inline(never)]
    pub fn terms(&self) -> Option<StakingTerms> {
        self.terms.get().map(|terms| terms.0)
    }

    /// The rules.
    pub fn rules(&self) -> Result<StakingTerms, StakingError> {
        self.terms().ok_or(StakingError::NoTerms)
    }

    /// Replaces the rules.
    #[inline(never)]
    pub fn set_terms(&mut self, terms: StakingTerms) -> Result<(), StakingError> {
        let here = account_id::<DefaultEnvironment>();
        if terms.token == here || terms.treasury == here || terms.reputation == Some(here) {
            return Err(StakingError::OwnAccount);
        }
        if self.terms().is_some_and(|before| before.token != terms.token) {
            return Err(StakingError::TokenFixed);
        }
        terms.nav_bands.check()?;
        terms.ranking_bands.check()?;
        terms.rates.check()?;
        check_unbonding(terms.unbonding_ms)?;
        self.terms.set(&Stored(terms));
        emit_event::<DefaultEnvironment, _>(TermsSet { terms });
        Ok(())
    }

    /// Whether a contract may report deviations.
    #[inline(never)]
    pub fn is_judge(&self, contract: AccountId) -> bool {
        self.judges.contains(contract)
    }

    /// Lists a judge, or takes it off.
    #[inline(never)]
    pub fn set_judge(&mut self, contract: AccountId, allowed: bool) {
        if self.is_judge(contract) == allowed {
            return;
        }
        if allowed {
            self.judges.insert(contract, &());
        } else {
            self.judges.remove(contract);
        }
        emit_event::<DefaultEnvironment, _>(JudgeChanged { contract, allowed });
    }

    /// The stake of an operator.
    #[inline(never)]
    pub fn account(&self, operator: AccountId) -> StakeAccount {
        self.accounts.get(operator).map(|account| account.0).unwrap_or_default()
    }

    /// Writes the stake of an operator; of one who has none, nothing, which returns the deposit.
    #[inline(never)]
    fn save(&mut self, operator: AccountId, account: StakeAccount) {
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
        StakeView {
            bonded: account.stake.bonded,
            unbonding: account.stake.unbonding,
            releases_ms: account.releases_ms,
            standing: account.standing(self.minimum(), epoch),
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
            match self.account(member.operator.into()).standing(terms.minimum, epoch) {
                Standing::Active => (inactive, ejected),
                Standing::Inactive => (inactive | seat_bit(seat), ejected),
                Standing::Ejected => (inactive, ejected | seat_bit(seat)),
            }
        })
    }

    /// The weight of each seat's word in `epoch`: 0 for those barred, and without rules.
    #[inline(never)]
    pub fn weights(&self, members: &[Member], epoch: u32, barred: u32) -> Vec<u128> {
        let minimum = self.minimum();
        let weight = |(seat, member): (u8, &Member)| {
            if barred & seat_bit(seat) != 0 {
                return 0;
            }
            self.account(member.operator.into()).weight(minimum, epoch)
        };
        (0u8..).zip(members).map(weight).collect()
    }

    /// What a seat needs; without rules nothing is enough.
    fn minimum(&self) -> u128 {
        self.terms().map_or(u128::MAX, |terms| terms.minimum)
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
        let terms = self.rules()?;
        let mut account = self.account(operator);
        let keep = if seated { terms.minimum } else { 0 };
        let now = block_timestamp::<DefaultEnvironment>();
        account.unbond(amount, keep, now, terms.unbonding_ms)?;
        self.save(operator, account);
        let releases_ms = account.releases_ms;
        emit_event::<DefaultEnvironment, _>(Unbonding { operator, amount, releases_ms });
        Ok(())
    }

    /// Pays out what is free.
    #[inline(never)]
    pub fn withdraw(&mut self, operator: AccountId) -> Result<u128, StakingError> {
        let mut account = self.account(operator);
        let amount = account.withdraw(block_timestamp::<DefaultEnvironment>())?;
        self.save(operator, account);
        emit_event::<DefaultEnvironment, _>(Withdrawn { operator, amount });
        // Nobody has stake before there are rules.
        payment::pay(self.rules()?.token, operator, amount)?;
        Ok(amount)
    }

    /// Punishes an offence, unless it was punished before or is none; says whether it was now.
    /// With `ejected_in` the operator loses his standing for that epoch, too.
    #[inline(never)]
    pub fn punish(
        &mut self,
        terms: &StakingTerms,
        offence: &Offence,
        severity: Severity,
        ejected_in: Option<u32>,
        verdict: &mut Verdict,
    ) -> Result<bool, StakingError> {
        if severity == Severity::None {
            return Ok(false);
        }
        let id = offence.id::<HostSha256>();
        if self.punished.contains(id) {
            return Ok(false);
        }
        self.punished.insert(id, &());
        let operator = AccountId::from(offence.operator);
        let mut account = self.account(operator);
        let amount = account.slash_ceil(&terms.rates, severity)?;
        account.ejected_in = ejected_in.unwrap_or(account.ejected_in);
        self.save(operator, account);
        verdict.amount = add(verdict.amount, amount).map_err(StakingError::Math)?;
        verdict.punished.push((operator, severity));
        let Offence { epoch, feed, slot, kind: offence, .. } = *offence;
        let slashed = Slashed { operator, offence, epoch, feed, slot, severity, amount };
        emit_event::<DefaultEnvironment, _>(slashed);
        Ok(true)
    }
}

impl Verdict {
    /// Tells the reputation contract and pays the treasury.
    #[inline(never)]
    pub fn execute(&self, terms: &StakingTerms) -> Result<(), StakingError> {
        if let Some(reputation) = terms.reputation {
            for (operator, severity) in &self.punished {
                calls::tell(reputation, *operator, *severity)?;
            }
        }
        Ok(payment::pay(terms.token, terms.treasury, self.amount)?)
    }
}
