//! Money held until a job is done: four release rules, deadlines, disputes, an audit log (`docs/contracts/escrow.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod events;

#[ink::contract]
pub mod escrow {
    pub use crate::events::{EscrowAdvanced, OperatorSet, ReserveOpened, ReserveSpent};
    use cicada_core::certificate::Signature;
    use cicada_core::escrow::{
        detail, terms_digest, Act, AuditEntry, Ballot, Case, Decision, Evidence, Holdings, Papers,
        Payout, Progress, Reserve, SignedDecision, State, Summary, Terms, Verdict, MAX_PAGE,
    };
    use cicada_core::hash::Hash as Digest;
    use cicada_traits::escrow::{Escrow, EscrowError, EscrowOperator};
    use cicada_traits::host::{sr25519_verify, HostSha256};
    use cicada_traits::payment;
    use cicada_traits::stored::Stored;
    use ink::prelude::vec::Vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// Terms, and the contract that runs the escrow. Written once.
    type Agreement = (Terms, Option<[u8; 32]>);

    /// Of one round.
    type Ballots = Stored<Vec<Ballot>>;
    /// Of one escrow.
    type Pieces = Stored<Vec<Evidence>>;
    /// Escrow and index.
    type Position = (u64, u32);

    /// All escrows and reserves. Nobody owns them.
    #[ink(storage)]
    #[derive(Default)]
    pub struct EscrowContract {
        genesis: Digest,
        escrows: u64,
        reserves_opened: u64,
        agreements: Mapping<u64, Stored<Agreement>, ManualKey<0x5445_524d>>,
        progress: Mapping<u64, Stored<Progress>, ManualKey<0x5052_4f47>>,
        ballots: Mapping<(u64, u8), Ballots, ManualKey<0x564f_5445>>,
        evidence: Mapping<u64, Pieces, ManualKey<0x4556_4944>>,
        log: Mapping<Position, Stored<AuditEntry>, ManualKey<0x4c4f_4745>>,
        nonces: Mapping<(u64, AccountId), u64, ManualKey<0x4e4f_4e43>>,
        operators: Mapping<(AccountId, AccountId), (), ManualKey<0x4f50_4552>>,
        reserves: Mapping<u64, Stored<Reserve>, ManualKey<0x5245_5356>>,
        locked: Mapping<(AccountId, AccountId), u128, ManualKey<0x4c4f_434b>>,
    }

    impl EscrowContract {
        /// A contract without escrows, on the chain with this genesis hash.
        #[ink(constructor)]
        pub fn new(genesis: Digest) -> Self {
            Self { genesis, ..Self::default() }
        }

        /// Lets an account act on an escrow: the rules decide, then all is written, then paid.
        #[inline(never)]
        fn act(&mut self, escrow: u64, actor: AccountId, act: Act) -> Result<(), EscrowError> {
            let (terms, operator) = self.agreement(escrow)?;
            let mut progress = self.progress(escrow)?;
            let mut papers = Papers::default();
            let round = progress.round();
            if act.is_ballot() {
                papers.ballots = self.ballots_of(escrow, round);
            }
            if act.is_evidence() {
                papers.evidence = self.evidence_of(escrow);
            }
            let (from, before) = (progress.state, progress.locked);
            let now_ms = self.env().block_timestamp();
            let case = Case { terms: &terms, operator, actor: *actor.as_ref(), now_ms };
            let payout = progress.apply(&case, &act, &mut papers)?;

            if !papers.ballots.is_empty() {
                self.ballots.insert((escrow, round), &Stored(papers.ballots));
            }
            if !papers.evidence.is_empty() {
                self.evidence.insert(escrow, &Stored(papers.evidence));
            }
            let after = progress.locked;
            self.write(escrow, actor, from, progress, &act, &payout);
            self.move_money(&terms, before, after, &payout)
        }

        /// Writes the changed escrow and the entry of its log.
        #[inline(never)]
        fn write(
            &mut self,
            escrow: u64,
            actor: AccountId,
            from: State,
            mut progress: Progress,
            act: &Act,
            payout: &Payout,
        ) {
            let entry = AuditEntry {
                actor: *actor.as_ref(),
                action: act.action(),
                from,
                to: progress.state,
                time_ms: self.env().block_timestamp(),
                detail: detail::<HostSha256>(act, payout),
            };
            let index = progress.audit.append::<HostSha256>(escrow, &entry);
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
            self.progress.insert(escrow, &Stored(progress));
        }

        /// Locks or pays what the rules say, and keeps the sums of what is locked.
        #[inline(never)]
        fn move_money(
            &mut self,
            terms: &Terms,
            before: u128,
            after: u128,
            payout: &Payout,
        ) -> Result<(), EscrowError> {
            if before == after {
                return Ok(());
            }
            let (requester, token) = (terms.requester.into(), terms.token.into());
            self.relock(requester, token, before, after)?;
            if let Some(amount) = after.checked_sub(before) {
                return Ok(payment::pull(token, requester, self.env().account_id(), amount)?);
            }
            payment::pay(token, terms.provider.into(), payout.provider)?;
            Ok(payment::pay(token, requester, payout.requester)?)
        }

        /// Replaces `minus` by `plus` in what is locked for an owner.
        #[inline(never)]
        fn relock(
            &mut self,
            owner: AccountId,
            token: AccountId,
            minus: u128,
            plus: u128,
        ) -> Result<(), EscrowError> {
            let key = (owner, token);
            let locked = self
                .locked
                .get(key)
                .unwrap_or_default()
                .checked_sub(minus)
                .and_then(|rest| rest.checked_add(plus))
                .ok_or(EscrowError::WrongAmount)?;
            self.locked.insert(key, &locked);
            Ok(())
        }

        /// Takes the next number and writes a new escrow.
        #[inline(never)]
        fn open(
            &mut self,
            actor: AccountId,
            terms: Terms,
            operator: Option<[u8; 32]>,
            progress: Progress,
            act: &Act,
        ) -> u64 {
            let escrow = self.escrows;
            // Each is a paid transaction: nobody lives to see 2^64 of them.
            self.escrows = escrow.saturating_add(1);
            self.agreements.insert(escrow, &Stored((terms, operator)));
            self.write(escrow, actor, State::Created, progress, act, &Payout::default());
            escrow
        }

        /// A reserve from which the caller may spend this much, less it.
        #[inline(never)]
        fn take(&mut self, reserve: u64, amount: u128) -> Result<Reserve, EscrowError> {
            let mut taken = self.reserve_of(reserve).ok_or(EscrowError::NotFound)?;
            if AccountId::from(taken.operator) != self.env().caller() {
                return Err(EscrowError::NotAllowed);
            }
            taken.balance =
                taken.balance.checked_sub(amount).ok_or(EscrowError::ReserveTooSmall)?;
            self.reserves.insert(reserve, &Stored(taken));
            Ok(taken)
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

        #[inline(never)]
        fn evidence_of(&self, escrow: u64) -> Vec<Evidence> {
            self.evidence.get(escrow).map(|found| found.0).unwrap_or_default()
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
            if !terms.is_party(caller.as_ref()) {
                return Err(EscrowError::NotAllowed);
            }
            terms.check(self.env().block_timestamp())?;
            let act = Act::Create(terms_digest::<HostSha256>(&terms));
            Ok(self.open(caller, terms, None, Progress::CREATED, &act))
        }

        /// Locks the money. The requester.
        #[ink(message)]
        fn fund(&mut self, escrow: u64) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Fund)
        }

        /// Delivers the part in work. The provider, where no operator measures.
        #[ink(message)]
        fn complete(&mut self, escrow: u64, result: Digest) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Complete(result))
        }

        /// Releases the part, or gives back all that is left. Whom the rule names.
        #[ink(message)]
        fn decide(&mut self, escrow: u64, decision: Decision) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Decide(decision))
        }

        /// As `decide` by `signer`, who signed off line. Anybody.
        #[ink(message)]
        fn decide_signed(
            &mut self,
            escrow: u64,
            decision: Decision,
            signer: AccountId,
            nonce: u64,
            expires_ms: u64,
            signature: Signature,
        ) -> Result<(), EscrowError> {
            let milestone = self.progress(escrow)?.milestone;
            if self.env().block_timestamp() >= expires_ms {
                return Err(EscrowError::SignatureExpired);
            }
            if nonce <= self.nonce(escrow, signer) {
                return Err(EscrowError::StaleNonce);
            }
            let signed = SignedDecision {
                genesis: self.genesis,
                contract: *self.env().account_id().as_ref(),
                escrow,
                milestone,
                decision,
                signer: *signer.as_ref(),
                nonce,
                expires_ms,
            };
            let digest = signed.digest::<HostSha256>();
            if !sr25519_verify(&signature, &digest, &signed.signer) {
                return Err(EscrowError::BadSignature);
            }
            self.nonces.insert((escrow, signer), &nonce);
            self.act(escrow, signer, Act::DecideSigned { decision, nonce })
        }

        /// Hands the escrow to the arbitrators, with evidence. A party.
        #[ink(message)]
        fn raise_dispute(
            &mut self,
            escrow: u64,
            evidence: Vec<Vec<u8>>,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Raise(evidence))
        }

        /// Adds evidence to a dispute. A party.
        #[ink(message)]
        fn add_evidence(&mut self, escrow: u64, cid: Vec<u8>) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::AddEvidence(cid))
        }

        /// Votes in a dispute, or changes a vote. An arbitrator.
        #[ink(message)]
        fn vote(&mut self, escrow: u64, verdict: Verdict) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Vote(verdict))
        }

        /// Applies the deadline that has passed. Anybody.
        #[ink(message)]
        fn expire(&mut self, escrow: u64) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::Expire)
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

        /// The evidence of both sides, in order.
        #[ink(message)]
        fn evidence(&self, escrow: u64) -> Vec<Evidence> {
            self.evidence_of(escrow)
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
            self.locked.get((owner, token)).unwrap_or_default()
        }

        /// What an account can spend at the token, and what is locked here.
        #[ink(message)]
        fn holdings(&self, owner: AccountId, token: AccountId) -> Result<Holdings, EscrowError> {
            let available = payment::balance(token, owner)?;
            Ok(Holdings { available, locked: self.locked(owner, token) })
        }

        /// How many escrows there are.
        #[ink(message)]
        fn count(&self) -> u64 {
            self.escrows
        }

        /// The genesis hash that signed decisions bind.
        #[ink(message)]
        fn genesis(&self) -> Digest {
            self.genesis
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
                owner: *owner.as_ref(),
                operator: *operator.as_ref(),
                token: *token.as_ref(),
                balance: amount,
            };
            self.reserves.insert(reserve, &Stored(opened));
            self.relock(owner, token, 0, amount)?;
            self.env().emit_event(ReserveOpened { reserve, owner, operator, token, amount });
            payment::pull(token, owner, self.env().account_id(), amount)?;
            Ok(reserve)
        }

        /// Pays from a reserve. Its operator.
        #[ink(message)]
        fn spend(&mut self, reserve: u64, to: AccountId, amount: u128) -> Result<(), EscrowError> {
            let taken = self.take(reserve, amount)?;
            if amount == 0 {
                return Ok(());
            }
            let token = taken.token.into();
            self.relock(taken.owner.into(), token, amount, 0)?;
            self.env().emit_event(ReserveSpent { reserve, to, amount, escrow: None });
            Ok(payment::pay(token, to, amount)?)
        }

        /// Makes a funded escrow from a reserve of the requester, run by the caller. Its operator.
        #[ink(message)]
        fn draw(&mut self, reserve: u64, terms: Terms) -> Result<u64, EscrowError> {
            terms.check_funded(self.env().block_timestamp())?;
            let amount = terms.amount()?;
            let taken = self.take(reserve, amount)?;
            let caller = self.env().caller();
            if taken.owner != terms.requester
                || taken.token != terms.token
                || !self.is_operator(terms.provider.into(), caller)
            {
                return Err(EscrowError::NotAllowed);
            }
            let act = Act::Draw { reserve, terms: terms_digest::<HostSha256>(&terms) };
            let progress = Progress::funded(amount);
            let escrow = self.open(caller, terms, Some(taken.operator), progress, &act);
            let to = self.env().account_id();
            self.env().emit_event(ReserveSpent { reserve, to, amount, escrow: Some(escrow) });
            Ok(escrow)
        }

        /// The provider has completed the part in work. The escrow's operator.
        #[ink(message)]
        fn complete_for(
            &mut self,
            escrow: u64,
            result: Digest,
            deduction: u128,
        ) -> Result<(), EscrowError> {
            self.caller_acts(escrow, Act::CompleteFor { result, deduction })
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
            let (terms, operator) = self.agreement(escrow).ok()?;
            Some(self.progress(escrow).ok()?.summary(&terms, operator))
        }
    }
}
