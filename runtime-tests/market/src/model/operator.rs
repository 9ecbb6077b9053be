//! What is done to the escrow contract: plain, signed, and by operators.

use super::deal::Moment;
use super::{audit, terms, why, Answer, Check, Deal, Faults, Model};
use crate::random::{Op, SignedOp};
use cicada_core::escrow::{Act, EscrowError, Reserve, Side, SignedDecision, State, Terms};
use cicada_core::Account;

impl Model {
    pub(super) fn apply_escrow(&mut self, op: &Op) -> Answer {
        match op {
            Op::SetOperator { by, operator, allowed: true } => {
                self.operators.insert((*by, *operator));
                Ok(None)
            }
            Op::SetOperator { by, operator, allowed: false } => {
                self.operators.remove(&(*by, *operator));
                Ok(None)
            }
            Op::Create { by, terms } => self.create(*by, terms).map(Some),
            Op::CreateFunded { by, terms } => self.create_funded(*by, terms).map(Some),
            Op::Claim { by } => self.claim(*by).map(|()| None),
            Op::CloseReserve { by, reserve } => self.close_reserve(*by, *reserve).map(|_| None),
            Op::Act { by, id, act } => self.act(*by, *id, act).map(|()| None),
            Op::Signed(signed) => self.act_signed(signed).map(|()| None),
            Op::Reserve { by, owner, token, amount } => {
                self.reserve(*by, *owner, *token, *amount).map(Some)
            }
            Op::Spend { by, reserve, to, amount } => {
                self.spend(*by, *reserve, *to, *amount).map(|()| None)
            }
            Op::Draw { by, reserve, terms } => self.draw(*by, *reserve, terms).map(Some),
            _ => unreachable!("not an operation of the escrow contract"),
        }
    }

    fn create(&mut self, by: Account, terms: &Terms) -> Result<u64, Faults> {
        let mut check = Check::default();
        check.refuse(by != terms.requester && by != terms.provider, EscrowError::NotAllowed);
        check.refuse_all(terms::faults(terms, self.now_ms, &self.setting.limits, false));
        check.done()?;
        let mut deal = Deal::created(terms.clone());
        let act = Act::Create(audit::of_terms(terms));
        deal.note(by, &act, State::Created, self.now_ms, (0, 0, 0));
        Ok(self.add(deal))
    }

    fn create_funded(&mut self, by: Account, terms: &Terms) -> Result<u64, Faults> {
        let mut check = Check::default();
        check.refuse(by != terms.requester, EscrowError::NotAllowed);
        check.refuse_all(terms::faults(terms, self.now_ms, &self.setting.limits, true));
        let amount = terms::total(terms).unwrap_or(0);
        let sum = self.locked_of(by, terms.token).checked_add(amount);
        check.refuse(sum.is_none(), EscrowError::WrongAmount);
        check.refuse_all(self.clone().pull(terms.token, by, amount).err().unwrap_or_default());
        check.done()?;
        self.pull(terms.token, by, amount)?;
        let mut deal = Deal::created(terms.clone());
        (deal.state, deal.locked) = (State::Funded, amount);
        let act = Act::Fund(audit::of_terms(terms));
        deal.note(by, &act, State::Created, self.now_ms, (0, 0, 0));
        Ok(self.add(deal))
    }

    fn claim(&mut self, by: Account) -> Result<(), Faults> {
        let credit = self.credits.remove(&by);
        let credit = credit.ok_or_else(|| vec![why(EscrowError::WrongAmount)])?;
        self.pay(by, credit)
    }

    /// An operator closes a reserve; its owner gets the rest.
    pub(super) fn close_reserve(&mut self, by: Account, id: u64) -> Result<u128, Faults> {
        self.check_reserve(by, id, 0).done()?;
        let reserve = self.reserves.get_mut(&id).expect("checked");
        let (owner, rest) = (reserve.owner, reserve.balance);
        (reserve.balance, reserve.closed) = (0, true);
        self.pay(owner, rest)?;
        Ok(rest)
    }

    fn add(&mut self, deal: Deal) -> u64 {
        let id = self.escrows.len() as u64;
        self.escrows.insert(id, deal);
        id
    }

    /// Somebody does something to an escrow.
    pub(super) fn act(&mut self, actor: Account, id: u64, act: &Act) -> Result<(), Faults> {
        let deal = self.escrows.get(&id).ok_or_else(|| vec![why(EscrowError::NotFound)])?;
        let mut deal = deal.clone();
        let from = deal.state;
        let late = deal.due_ms().is_some_and(|due| self.passed(due));
        let moment = Moment { actor, now_ms: self.now_ms, late };
        let (before, raised_by) = (deal.deposit, deal.raised_by);
        let paid = deal.act(&moment, act)?;
        let fee = before.abs_diff(deal.deposit);
        deal.note(actor, act, from, self.now_ms, (paid.0, paid.1, fee));
        let token = deal.terms.token;
        let (came, payer) = match act {
            Act::Fund(_) => (deal.locked, deal.terms.requester),
            Act::Raise { .. } => (deal.deposit, actor),
            _ => (0, actor),
        };
        if came > 0 {
            let sum = self.locked_of(payer, token).checked_add(came);
            let mut check = Check::default();
            check.refuse(sum.is_none(), EscrowError::WrongAmount);
            check.refuse_all(self.pull(token, payer, came).err().unwrap_or_default());
            check.done()?;
        }
        self.pay(deal.terms.provider, paid.0)?;
        let source = deal.reserve.and_then(|id| self.reserves.get_mut(&id));
        match source.filter(|source| deal.state == State::Refunded && !source.closed) {
            Some(source) => source.balance += paid.1,
            None => self.pay(deal.terms.requester, paid.1)?,
        }
        if before > 0 && deal.deposit == 0 {
            if matches!(act, Act::Vote { .. }) {
                for (judge, share) in deal.fee_of(actor, before) {
                    if share > 0 {
                        *self.credits.entry(judge).or_default() += share;
                    }
                }
            } else {
                let raiser = match raised_by {
                    Some(Side::Provider) => deal.terms.provider,
                    _ => deal.terms.requester,
                };
                self.pay(raiser, before)?;
            }
        }
        self.escrows.insert(id, deal);
        Ok(())
    }

    fn act_signed(&mut self, op: &SignedOp) -> Result<(), Faults> {
        let SignedOp { id, part, decision, signer, nonce, expires_ms, .. } = *op;
        let last = match self.escrows.get(&id) {
            None => 0,
            Some(deal) => deal.nonces.get(&signer).copied().unwrap_or(0),
        };
        let meant = SignedDecision {
            genesis: self.setting.genesis,
            contract: self.setting.places.escrow,
            escrow: id,
            part,
            decision,
            signer,
            nonce,
            expires_ms,
        };
        let mut check = Check::default();
        check.refuse(self.passed(expires_ms), EscrowError::SignatureExpired);
        check.refuse(nonce <= last, EscrowError::StaleNonce);
        let genuine = op.signed == meant && op.key == signer;
        check.refuse(!genuine, EscrowError::BadSignature);
        let mut next = self.clone();
        let done = next.act(signer, id, &Act::DecideSigned { part, decision, nonce });
        check.refuse_all(done.err().unwrap_or_default());
        check.done()?;
        next.escrows.get_mut(&id).expect("it is there").nonces.insert(signer, nonce);
        *self = next;
        Ok(())
    }

    /// An operator locks money of an owner.
    pub(super) fn reserve(
        &mut self,
        by: Account,
        owner: Account,
        token: Account,
        amount: u128,
    ) -> Result<u64, Faults> {
        let mut check = Check::default();
        check.refuse(!self.operators.contains(&(owner, by)), EscrowError::NotAllowed);
        let sum = self.locked_of(owner, token).checked_add(amount);
        check.refuse(amount == 0 || sum.is_none(), EscrowError::WrongAmount);
        check.refuse_all(self.clone().pull(token, owner, amount).err().unwrap_or_default());
        check.done()?;
        self.pull(token, owner, amount)?;
        let id = self.reserves.len() as u64;
        self.reserves
            .insert(id, Reserve { owner, operator: by, token, balance: amount, closed: false });
        Ok(id)
    }

    /// An operator pays from a reserve.
    pub(super) fn spend(
        &mut self,
        by: Account,
        id: u64,
        to: Account,
        amount: u128,
    ) -> Result<(), Faults> {
        self.check_reserve(by, id, amount).done()?;
        self.reserves.get_mut(&id).expect("checked").balance -= amount;
        self.pay(to, amount)
    }

    fn check_reserve(&self, by: Account, id: u64, amount: u128) -> Check {
        let mut check = Check::default();
        match self.reserves.get(&id) {
            None => check.refuse(true, EscrowError::NotFound),
            Some(reserve) => {
                check.refuse(reserve.operator != by, EscrowError::NotAllowed);
                check.refuse(reserve.balance < amount, EscrowError::ReserveTooSmall);
            }
        }
        check
    }

    /// An operator makes a funded escrow from a reserve.
    pub(super) fn draw(&mut self, by: Account, id: u64, terms: &Terms) -> Result<u64, Faults> {
        let amount = terms::total(terms);
        let mut check = self.check_reserve(by, id, amount.unwrap_or(0));
        check.refuse_all(terms::faults(terms, self.now_ms, &self.setting.limits, true));
        if let Some(reserve) = self.reserves.get(&id) {
            let theirs = reserve.owner == terms.requester && reserve.token == terms.token;
            check.refuse(!theirs, EscrowError::NotAllowed);
        }
        let permitted = self.operators.contains(&(terms.provider, by));
        check.refuse(!permitted, EscrowError::NotAllowed);
        check.done()?;
        let mut deal = Deal::created(terms.clone());
        deal.operator = Some(by);
        deal.reserve = Some(id);
        deal.state = State::Funded;
        deal.locked = amount.expect("checked");
        self.reserves.get_mut(&id).expect("checked").balance -= deal.locked;
        let act = Act::Draw { reserve: id, terms: audit::of_terms(terms) };
        deal.note(by, &act, State::Created, self.now_ms, (0, 0, 0));
        Ok(self.add(deal))
    }
}
