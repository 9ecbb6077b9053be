//! Money held until a job is done: four release rules, deadlines, disputes, an audit log (`docs/contracts/escrow.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod events;
mod money;

#[ink::contract]
pub mod escrow {
    pub use crate::events::{
        Claimed, Credited, EscrowAdvanced, OperatorSet, ReserveOpened, ReserveReturned,
        ReserveSpent,
    };
    use crate::money::Books;
    use cicada_core::certificate::Signature;
    use cicada_core::escrow::{
        detail, fee_shares, terms_digest, Act, AuditEntry, AuditHead, Ballot, Case, Decision,
        Evidence, Holdings, Limits, Papers, Part, Payout, Progress, Reserve, Side, SignedDecision,
        State, Summary, Terms, Verdict, MAX_PAGE,
    };
    use cicada_core::hash::Digest;
    use cicada_core::Account;
    use cicada_traits::escrow::{Escrow, EscrowError, EscrowOperator};
    use cicada_traits::host::{sr25519_verify, HostSha256};
    use cicada_traits::payment;
    use cicada_traits::stored::Stored;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// Terms; the contract that runs the escrow, and the reserve that it was drawn from. Written
    /// once.
    type Agreement = (Terms, Option<(Account, u64)>);

    /// Of one round.
    type Ballots = Stored<Vec<Ballot>>;
    /// Of one part.
    type Pieces = Stored<Vec<Evidence>>;
    /// Escrow and index.
    type Position = (u64, u32);

    /// All escrows and reserves. Nobody owns them.
    #[ink(storage)]
    #[derive(Default)]
    pub struct EscrowContract {
        genesis: Stored<Digest>,
        limits: Stored<Limits>,
        escrows: u64,
        reserves_opened: u64,
        books: Books,
        agreements: Mapping<u64, Stored<Agreement>, ManualKey<0x5445_524d>>,
        progress: Mapping<u64, Stored<Progress>, ManualKey<0x5052_4f47>>,
        ballots: Mapping<(u64, u8), Ballots, ManualKey<0x564f_5445>>,
        evidence: Mapping<(u64, u8), Pieces, ManualKey<0x4556_4944>>,
        log: Mapping<Position, Stored<AuditEntry>, ManualKey<0x4c4f_4745>>,
        nonces: Mapping<(u64, AccountId), u64, ManualKey<0x4e4f_4e43>>,
        operators: Mapping<(AccountId, AccountId), (), ManualKey<0x4f50_4552>>,
        reserves: Mapping<u64, Stored<Reserve>, ManualKey<0x5245_5356>>,
    }

    impl EscrowContract {
        /// A contract without escrows, on the chain with this genesis hash, for terms within these
        /// limits.
        ///
        /// # Errors
        /// [`EscrowError::Terms`] with `WrongWindow`.
        #[ink(constructor)]
        pub fn new(genesis: Digest, limits: Limits) -> Result<Self, EscrowError> {
            limits.check()?;
            Ok(Self { genesis: Stored(genesis), limits: Stored(limits), ..Self::default() })
        }

        /// Lets an account act on an escrow: the rules decide, then all is written, then paid.
        #[inline(never)]
        fn act(&mut self, escrow: u64, actor: AccountId, act: Act) -> Result<(), EscrowError> {
            let (terms, run_by) = self.agreement(escrow)?;
            let before = self.progress(escrow)?;
            let mut after = before.clone();
            let mut papers = Papers::default();
            let (round, part) = (before.round(), before.milestone);
            if act.is_ballot() {
                papers.ballots = self.ballots_of(escrow, round);
            }
            if act.is_evidence() {
                papers.evidence = self.evidence(escrow, part);
            }
            let operator = run_by.map(|run_by| run_by.0);
            let now_ms = self.env().block_timestamp();
            let case = Case { terms: &terms, operator, actor: Account::of(&actor), now_ms };
            let payout = after.apply(&case, &act, &mut papers)?;

            if !papers.evidence.is_empty() {
                self.evidence.insert((escrow, part), &Stored(papers.evidence));
            }
            let ballots = Stored(papers.ballots);
            if !ballots.0.is_empty() {
                self.ballots.insert((escrow, round), &ballots);
            }
            self.write(escrow, actor, before.state, &mut after, &act, &payout);
            let drawn = run_by.map(|(_, reserve)| (escrow, reserve));
            self.move_money(&terms, (&before, &after), drawn, &payout)?;
            let judges = if matches!(act, Act::Vote { .. }) { ballots.0 } else { Vec::new() };
            self.move_deposit(&terms, (&before, &after), &judges, actor)
        }

        /// Writes the changed escrow and the entry of its log.
        #[inline(never)]
        fn write(
            &mut self,
            escrow: u64,
            actor: AccountId,
            from: State,
            progress: &mut Progress,
            act: &Act,
            payout: &Payout,
        ) {
            let entry = AuditEntry {
                actor: Account::of(&actor),
                action: act.action(),
                from,
                to: progress.state,
                time_ms: self.env().block_timestamp(),
                detail: detail::<HostSha256>(act, payout),
            };
            let index = progress.audit.append::<HostSha256>(&entry);
            self.log.insert((escrow, index), &Stored(entry));
            self.env().emit_event(EscrowAdvanced {
                escrow,
                actor,
                index,
                action: entry.action,
                from,
                to: entry.to,
                time_ms: entry.time_ms,
                detail: entry.detail,
                digest: progress.audit.digest,
            });
            self.progress.insert(escrow, &Stored(progress.clone()));
        }

        /// Locks or pays what the rules say. What an undone escrow gives back goes to the reserve
        /// that it was `drawn` from (escrow and reserve), as long as that is open.
        #[inline(never)]
        fn move_money(
            &mut self,
            terms: &Terms,
            (before, after): (&Progress, &Progress),
            drawn: Option<(u64, u64)>,
            payout: &Payout,
        ) -> Result<(), EscrowError> {
            let (requester, token) = (terms.requester.0.into(), terms.token.0.into());
            if let Some(more) = after.locked.checked_sub(before.locked) {
                return self.books.lock(requester, token, more);
            }
            self.books.relock(requester, token, before.locked, after.locked)?;
            if after.state == State::Refunded {
                let source = drawn.and_then(|drawn| Some((drawn, self.reserve_of(drawn.1)?)));
                if let Some(((escrow, reserve), mut source)) = source.filter(|it| !it.1.closed) {
                    let amount = payout.requester;
                    // It was there before.
                    source.balance = source.balance.saturating_add(amount);
                    self.reserves.insert(reserve, &Stored(source));
                    self.env().emit_event(ReserveReturned { reserve, amount, escrow });
                    return self.books.relock(requester, token, 0, amount);
                }
            }
            self.books.pay(terms.provider.0.into(), token, payout.provider)?;
            self.books.pay(requester, token, payout.requester)
        }

        /// Takes the arbitrators' fee from whoever raises a dispute (`actor`), gives it to those
        /// of the judges who agree with the last vote (his), or back if nobody decided.
        #[inline(never)]
        fn move_deposit(
            &mut self,
            terms: &Terms,
            (before, after): (&Progress, &Progress),
            judges: &[Ballot],
            actor: AccountId,
        ) -> Result<(), EscrowError> {
            let token = terms.token.0.into();
            if after.deposit > before.deposit {
                return self.books.lock(actor, token, after.deposit);
            }
            if after.deposit == before.deposit {
                return Ok(());
            }
            let raiser = match before.raised_by {
                Some(Side::Provider) => terms.provider,
                _ => terms.requester,
            };
            self.books.relock(raiser.0.into(), token, before.deposit, 0)?;
            if judges.is_empty() {
                return self.books.pay(raiser.0.into(), token, before.deposit);
            }
            for (judge, share) in fee_shares(judges, &Account::of(&actor), before.deposit) {
                self.books.give_credit(judge.0.into(), token, share)?;
            }
            Ok(())
        }

        /// Takes the next number and writes a new escrow.
        #[inline(never)]
        fn open(
            &mut self,
            actor: AccountId,
            terms: Terms,
            run_by: Option<(Account, u64)>,
            mut progress: Progress,
            act: &Act,
        ) -> u64 {
            let escrow = self.escrows;
            // Each is a paid transaction: nobody lives to see 2^64 of them.
            self.escrows = escrow.saturating_add(1);
            self.agreements.insert(escrow, &Stored((terms, run_by)));
            let here = self.env().account_id();
            progress.audit =
                AuditHead::start::<HostSha256>(&self.genesis.0, &Account::of(&here), escrow);
            self.write(escrow, actor, State::Created, &mut progress, act, &Payout::default());
            escrow
        }

        /// A reserve from which the caller may spend this much, less it.
        #[inline(never)]
        fn take(&mut self, reserve: u64, amount: u128) -> Result<Reserve, EscrowError> {
            let mut taken = self.own_reserve(reserve)?;
            taken.balance =
                taken.balance.checked_sub(amount).ok_or(EscrowError::ReserveTooSmall)?;
            self.reserves.insert(reserve, &Stored(taken));
            Ok(taken)
        }

        /// A reserve that the caller operates.
        #[inline(never)]
        fn own_reserve(&self, reserve: u64) -> Result<Reserve, EscrowError> {
            let found = self.reserve_of(reserve).ok_or(EscrowError::NotFound)?;
            if AccountId::from(found.operator.0) != self.env().caller() {
                return Err(EscrowError::NotAllowed);
            }
            Ok(found)
        }

        /// Pays what left a reserve.
        #[inline(never)]
        fn pay_out(
            &mut self,
            reserve: u64,
            taken: &Reserve,
            to: AccountId,
            amount: u128,
        ) -> Result<(), EscrowError> {
            if amount == 0 {
                return Ok(());
            }
            let token = taken.token.0.into();
            self.books.relock(taken.owner.0.into(), token, amount, 0)?;
            self.env().emit_event(ReserveSpent { reserve, to, amount, escrow: None });
            self.books.pay(to, token, amount)
        }

        #[inline(never)]
        fn agreement(&self, escrow: u64) -> Result<Agreement, EscrowError> {
            self.agreements.get(escrow).map(|found| found.0).ok_or(EscrowError::NotFound)
        }

        #[inline(never)]
        fn progress(&self, escrow: u64) -> Result<Progress, EscrowError> {
            self.progress.get(escrow).map(|found| found.0).ok_or(EscrowError::NotFound)
        }

        #[inline(never)]
        fn ballots_of(&self, escrow: u64, round: u8) -> Vec<Ballot> {
            self.ballots.get((escrow, round)).map(|found| found.0).unwrap_or_default()
        }

        /// Lets the caller act.
        fn caller_acts(&mut self, escrow: u64, act: Act) -> Result<(), EscrowError> {
            self.act(escrow, self.env().caller(), act)
        }
    }

    impl Escrow for EscrowContract {
        /// Makes an escrow without money. The requester or the provider.
        #[ink(message)]
        fn create(&mut self, terms: Terms) -> Result<u64, EscrowError> {
            let caller = self.env().caller();
            if !terms.is_party(&Account::of(&caller)) {
                return Err(EscrowError::NotAllowed);
            }
            terms.check(self.env().block_timestamp(), &self.limits.0)?;
            let act = Act::Create(terms_digest::<HostSha256>(&terms));
            Ok(self.open(caller, terms, None, Progress::CREATED, &act))
        }

        /// Makes an escrow and locks its money. The requester.
        #[ink(message)]
        fn create_funded(&mut self, terms: Terms) -> Result<u64, EscrowError> {
            let caller = self.env().caller();
            if AccountId::from(terms.requester.0) != caller {
                return Err(EscrowError::NotAllowed);
            }
            terms.check_funded(self.env().block_timestamp(), &self.limits.0)?;
            let (token, amount) = (terms.token.0.into(), terms.amount()?);
            let act = Act::Fund(terms_digest::<HostSha256>(&terms));
            let escrow = self.open(caller, terms, None, Progress::funded(amount), &act);
            self.books.lock(caller, token, amount)?;
            Ok(escrow)
        }

        /// Locks the money of these terms. The requester.
        #[ink(message)]
        fn fund(&mut self, escrow: u64, terms: Digest) -> Result<(), EscrowError> {
            if terms_digest::<HostSha256>(&self.agreement(escrow)?.0) != terms {
                return Err(EscrowError::OtherTerms);
            }
            self.caller_acts(escrow, Act::Fund(terms))
        }

        /// Delivers the part in work. The provider, where no operator measures.
        #[ink(message)]
        fn complete(
            &mut self,
            escrow: u64,
            milestone: u8,
            result: Digest,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Complete { milestone, result })
        }

        /// Releases the part, or gives back all that is left. Whom the rule names.
        #[ink(message)]
        fn decide(
            &mut self,
            escrow: u64,
            part: Part,
            decision: Decision,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Decide { part, decision })
        }

        /// As `decide` by `signer`, who signed off line. Anybody.
        #[ink(message)]
        fn decide_signed(
            &mut self,
            escrow: u64,
            part: Part,
            decision: Decision,
            signer: AccountId,
            nonce: u64,
            expires_ms: u64,
            signature: Signature,
        ) -> Result<(), EscrowError> {
            if self.env().block_timestamp() >= expires_ms {
                return Err(EscrowError::SignatureExpired);
            }
            if nonce <= self.nonce(escrow, signer) {
                return Err(EscrowError::StaleNonce);
            }
            let signed = SignedDecision {
                genesis: self.genesis.0,
                contract: Account::of(&self.env().account_id()),
                escrow,
                part,
                decision,
                signer: Account::of(&signer),
                nonce,
                expires_ms,
            };
            let digest = signed.digest::<HostSha256>();
            if !sr25519_verify(&signature, &digest, &signed.signer.0) {
                return Err(EscrowError::BadSignature);
            }
            self.nonces.insert((escrow, signer), &nonce);
            self.act(escrow, signer, Act::DecideSigned { part, decision, nonce })
        }

        /// Hands a completed part to the arbitrators, with evidence and their fee. A party.
        #[ink(message)]
        fn raise_dispute(
            &mut self,
            escrow: u64,
            milestone: u8,
            evidence: Vec<Vec<u8>>,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Raise { milestone, evidence })
        }

        /// Adds evidence to a dispute. A party.
        #[ink(message)]
        fn add_evidence(&mut self, escrow: u64, cid: Vec<u8>) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::AddEvidence(cid))
        }

        /// Votes in a dispute, or changes a vote. An arbitrator.
        #[ink(message)]
        fn vote(
            &mut self,
            escrow: u64,
            milestone: u8,
            verdict: Verdict,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Vote { milestone, verdict })
        }

        /// Applies the deadline that has passed. Anybody.
        #[ink(message)]
        fn expire(&mut self, escrow: u64) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Expire)
        }

        /// Pays the caller what waits for him.
        #[ink(message)]
        fn claim(&mut self, token: AccountId) -> Result<u128, EscrowError> {
            self.books.claim(self.env().caller(), token)
        }

        /// The terms of an escrow.
        #[ink(message)]
        fn terms(&self, escrow: u64) -> Option<Terms> {
            self.agreement(escrow).ok().map(|found| found.0)
        }

        /// The decisions that wait for others to agree; in and after a dispute, the votes.
        #[ink(message)]
        fn votes(&self, escrow: u64) -> Vec<Ballot> {
            match self.progress(escrow) {
                Ok(progress) => self.ballots_of(escrow, progress.round()),
                Err(_) => Vec::new(),
            }
        }

        /// The evidence of both sides about a part, in order.
        #[ink(message)]
        #[inline(never)]
        fn evidence(&self, escrow: u64, milestone: u8) -> Vec<Evidence> {
            self.evidence.get((escrow, milestone)).map(|found| found.0).unwrap_or_default()
        }

        /// Up to 50 entries of the log from `from` on.
        #[ink(message)]
        fn audit(&self, escrow: u64, from: u32, limit: u32) -> Vec<AuditEntry> {
            let end = from.saturating_add(limit.min(MAX_PAGE));
            // The log has no gaps.
            (from..end)
                .map_while(|index| self.log.get((escrow, index)))
                .map(|entry| entry.0)
                .collect()
        }

        /// The nonce of a signer's last signed decision; 0 before the first.
        #[ink(message)]
        fn nonce(&self, escrow: u64, signer: AccountId) -> u64 {
            self.nonces.get((escrow, signer)).unwrap_or_default()
        }

        /// What this contract holds of an account.
        #[ink(message)]
        fn locked(&self, owner: AccountId, token: AccountId) -> u128 {
            self.books.locked(owner, token)
        }

        /// What an account can spend at the token, and what is locked here.
        #[ink(message)]
        fn holdings(&self, owner: AccountId, token: AccountId) -> Result<Holdings, EscrowError> {
            let available = payment::balance(token, owner)?;
            let (locked, credit) =
                (self.books.locked(owner, token), self.books.credit(owner, token));
            Ok(Holdings { available, locked, credit })
        }

        /// How many escrows there are.
        #[ink(message)]
        fn count(&self) -> u64 {
            self.escrows
        }

        /// What all terms must lie within.
        #[ink(message)]
        fn limits(&self) -> Limits {
            self.limits.0
        }

        /// The genesis hash that signed decisions and logs bind.
        #[ink(message)]
        fn genesis(&self) -> Digest {
            self.genesis.0
        }
    }

    impl EscrowOperator for EscrowContract {
        /// Permits or forbids a contract to act for the caller.
        #[ink(message)]
        fn set_operator(&mut self, operator: AccountId, allowed: bool) -> Result<(), EscrowError> {
            let owner = self.env().caller();
            if allowed {
                self.operators.insert((owner, operator), &());
            } else {
                self.operators.remove((owner, operator));
            }
            self.env().emit_event(OperatorSet { owner, operator, allowed });
            Ok(())
        }

        /// Whether `operator` may act for `owner`.
        #[ink(message)]
        #[inline(never)]
        fn is_operator(&self, owner: AccountId, operator: AccountId) -> bool {
            self.operators.contains((owner, operator))
        }

        /// Locks an owner's money for the caller, his operator.
        #[ink(message)]
        fn reserve(
            &mut self,
            owner: AccountId,
            token: AccountId,
            amount: u128,
        ) -> Result<u64, EscrowError> {
            let operator = self.env().caller();
            if !self.is_operator(owner, operator) {
                return Err(EscrowError::NotAllowed);
            }
            if amount == 0 {
                return Err(EscrowError::WrongAmount);
            }
            let reserve = self.reserves_opened;
            // Each is a paid transaction: nobody lives to see 2^64 of them.
            self.reserves_opened = reserve.saturating_add(1);
            let opened = Reserve {
                owner: Account::of(&owner),
                operator: Account::of(&operator),
                token: Account::of(&token),
                balance: amount,
                closed: false,
            };
            self.reserves.insert(reserve, &Stored(opened));
            self.env().emit_event(ReserveOpened { reserve, owner, operator, token, amount });
            self.books.lock(owner, token, amount)?;
            Ok(reserve)
        }

        /// Pays from a reserve. Its operator.
        #[ink(message)]
        fn spend(&mut self, reserve: u64, to: AccountId, amount: u128) -> Result<(), EscrowError> {
            let taken = self.take(reserve, amount)?;
            self.pay_out(reserve, &taken, to, amount)
        }

        /// Closes a reserve and pays its owner what is left. Its operator.
        #[ink(message)]
        fn close_reserve(&mut self, reserve: u64) -> Result<u128, EscrowError> {
            let mut taken = self.own_reserve(reserve)?;
            let rest = core::mem::take(&mut taken.balance);
            taken.closed = true;
            self.reserves.insert(reserve, &Stored(taken));
            self.pay_out(reserve, &taken, taken.owner.0.into(), rest)?;
            Ok(rest)
        }

        /// Makes a funded escrow from a reserve of the requester, run by the caller. Its operator.
        #[ink(message)]
        fn draw(&mut self, reserve: u64, terms: Terms) -> Result<u64, EscrowError> {
            terms.check_funded(self.env().block_timestamp(), &self.limits.0)?;
            let amount = terms.amount()?;
            let taken = self.take(reserve, amount)?;
            let caller = self.env().caller();
            if taken.owner != terms.requester
                || taken.token != terms.token
                || !self.is_operator(terms.provider.0.into(), caller)
            {
                return Err(EscrowError::NotAllowed);
            }
            let act = Act::Draw { reserve, terms: terms_digest::<HostSha256>(&terms) };
            let progress = Progress::funded(amount);
            let escrow = self.open(caller, terms, Some((taken.operator, reserve)), progress, &act);
            let to = self.env().account_id();
            self.env().emit_event(ReserveSpent { reserve, to, amount, escrow: Some(escrow) });
            Ok(escrow)
        }

        /// The provider has completed the part in work. The escrow's operator.
        #[ink(message)]
        fn complete_for(
            &mut self,
            escrow: u64,
            milestone: u8,
            result: Digest,
            deduction: u128,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::CompleteFor { milestone, result, deduction })
        }

        /// What the part in dispute missed. The escrow's operator.
        #[ink(message)]
        fn report(
            &mut self,
            escrow: u64,
            milestone: u8,
            deduction: u128,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Report { milestone, deduction })
        }

        /// Pays all that is left. The escrow's operator.
        #[ink(message)]
        fn settle(&mut self, escrow: u64, provider_share: u128) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Settle(provider_share))
        }

        /// A reserve.
        #[ink(message)]
        #[inline(never)]
        fn reserve_of(&self, reserve: u64) -> Option<Reserve> {
            self.reserves.get(reserve).map(|found| found.0)
        }

        /// An escrow as others see it.
        #[ink(message)]
        fn summary(&self, escrow: u64) -> Option<Summary> {
            let (terms, run_by) = self.agreement(escrow).ok()?;
            let operator = run_by.map(|run_by| run_by.0);
            Some(self.progress(escrow).ok()?.summary(&terms, operator))
        }
    }
}
