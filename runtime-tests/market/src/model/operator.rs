//! What is done to the escrow contract: plain, signed, and by operators.

use super::deal::Moment;
use super::{audit, terms, why, Answer, Check, Deal, Faults, Model};
use crate::random::{Op, SignedOp};
use cicada_core::escrow::{Act, EscrowError, Reserve, SignedDecision, State, Terms};
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
        check.refuse_all(terms::faults(terms, self.now_ms, false));
        check.done()?;
        let mut deal = Deal::created(terms.clone());
        let act = Act::Create(audit::of_terms(terms));
        deal.note(by, &act, State::Created, self.now_ms, (0, 0));
        Ok(self.add(deal))
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
        let paid = deal.act(&moment, act)?;
        deal.note(actor, act, from, self.now_ms, paid);
        if *act == Act::Fund {
            let (token, payer) = (deal.terms.token, deal.terms.requester);
            let sum = self.locked_of(payer, token).checked_add(deal.locked);
            let mut check = Check::default();
            check.refuse(sum.is_none(), EscrowError::WrongAmount);
            check.refuse_all(self.pull(token, payer, deal.locked).err().unwrap_or_default());
            check.done()?;
        }
        self.pay(deal.terms.provider, paid.0)?;
        self.pay(deal.terms.requester, paid.1)?;
        self.escrows.insert(id, deal);
        Ok(())
    }

    fn act_signed(&mut self, op: &SignedOp) -> Result<(), Faults> {
        let SignedOp { id, decision, signer, nonce, expires_ms, .. } = *op;
        let deal = self.escrows.get(&id).ok_or_else(|| vec![why(EscrowError::NotFound)])?;
        let meant = SignedDecision {
            genesis: self.setting.genesis,
            contract: self.setting.places.escrow,
            escrow: id,
            milestone: u8::try_from(deal.part).expect("16 parts at most"),
            decision,
            signer,
            nonce,
            expires_ms,
        };
        let last = deal.nonces.get(&signer).copied().unwrap_or(0);
        let mut check = Check::default();
        check.refuse(self.passed(expires_ms), EscrowError::SignatureExpired);
        check.refuse(nonce <= last, EscrowError::StaleNonce);
        let genuine = op.signed == meant && op.key == signer;
        check.refuse(!genuine, EscrowError::BadSignature);
        let mut next = self.clone();
        let done = next.act(signer, id, &Act::DecideSigned { decision, nonce });
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
        self.reserves.insert(id, Reserve { owner, operator: by, token, balance: amount });
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
        check.refuse_all(terms::faults(terms, self.now_ms, true));
        if let Some(reserve) = self.reserves.get(&id) {
            let theirs = reserve.owner == terms.requester && reserve.token == terms.token;
            check.refuse(!theirs, EscrowError::NotAllowed);
        }
        let permitted = self.operators.contains(&(terms.provider, by));
        check.refuse(!permitted, EscrowError::NotAllowed);
        check.done()?;
        let mut deal = Deal::created(terms.clone());
        deal.operator = Some(by);
        deal.state = State::Funded;
        deal.locked = amount.expect("checked");
        self.reserves.get_mut(&id).expect("checked").balance -= deal.locked;
        let act = Act::Draw { reserve: id, terms: audit::of_terms(terms) };
        deal.note(by, &act, State::Created, self.now_ms, (0, 0));
        Ok(self.add(deal))
    }
}
