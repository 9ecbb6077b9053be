//! The compute market: requests, offers, first-accept auctions, service levels (`docs/contracts/auction.md`).
#![cfg_attr(not(feature = "std"), no_std, no_main)]

mod calls;
pub mod events;

#[ink::contract]
pub mod auction {
    use crate::calls::{Escrow, Scores};
    use crate::events::{
        AcceptQueued, Assigned, FeedbackGiven, HandedOver, JobCompleted, JobSettled, OfferClosed,
        OfferPlaced, RequestClosed, RequestPlaced, Started,
    };
    use cicada_core::escrow::{Milestone, Rule, Terms};
    use cicada_core::hash::Hash as Digest;
    use cicada_core::market::matching::{enqueue, NoPlace};
    use cicada_core::market::{
        Assignment, AuctionStatus, HandOver, InvalidTerms, Offer, OfferRecord, Parameters, Request,
        RequestRecord, Status, Success, Unqualified, Waiting,
    };
    use cicada_core::name::Name;
    use cicada_core::prices::{Prices, Window};
    use cicada_core::reputation::Event;
    use cicada_core::sla::{QualityReport, Violations};
    use cicada_core::Account;
    use cicada_traits::auction::{Auction, AuctionError, AuctionView};
    use cicada_traits::host::HostSha256;
    use cicada_traits::stored::Stored;
    use ink::prelude::vec;
    use ink::storage::traits::ManualKey;
    use ink::storage::Mapping;

    /// The market. It holds no money: that lies in the escrow contract.
    #[ink(storage)]
    pub struct AuctionContract {
        token: AccountId,
        escrow: AccountId,
        reputation: AccountId,
        parameters: Stored<Parameters>,
        /// The newest numbers.
        counts: (u64, u64, u64),
        requests: Mapping<u64, Stored<RequestRecord>, ManualKey<0x5245_5155>>,
        offers: Mapping<u64, Stored<OfferRecord>, ManualKey<0x4f46_4652>>,
        assignments: Mapping<u64, Stored<Assignment>, ManualKey<0x4153_5349>>,
        payloads: Mapping<u64, Stored<HandOver>, ManualKey<0x5041_594c>>,
        successes: Mapping<(Account, Stored<Name>), Stored<Success>, ManualKey<0x5355_4343>>,
        windows: Mapping<Stored<Name>, Stored<Window>, ManualKey<0x5749_4e44>>,
    }

    impl AuctionContract {
        /// A market in this token, with the money at `escrow` and the scores at `reputation`,
        /// which must list this contract among its writers.
        ///
        /// # Errors
        /// [`AuctionError::Invalid`].
        #[ink(constructor)]
        pub fn new(
            token: AccountId,
            escrow: AccountId,
            reputation: AccountId,
            parameters: Parameters,
        ) -> Result<Self, AuctionError> {
            parameters.check()?;
            Ok(Self {
                token,
                escrow,
                reputation,
                parameters: Stored(parameters),
                counts: (0, 0, 0),
                requests: Mapping::new(),
                offers: Mapping::new(),
                assignments: Mapping::new(),
                payloads: Mapping::new(),
                successes: Mapping::new(),
                windows: Mapping::new(),
            })
        }

        fn now(&self) -> u64 {
            self.env().block_timestamp()
        }

        fn caller(&self) -> Account {
            *self.env().caller().as_ref()
        }

        fn money(&self) -> Escrow {
            Escrow(self.escrow)
        }

        fn scores(&self) -> Scores {
            Scores(self.reputation)
        }

        #[inline(never)]
        fn find_request(&self, request: u64) -> Result<RequestRecord, AuctionError> {
            self.requests.get(request).map(|found| found.0).ok_or(AuctionError::NotFound)
        }

        #[inline(never)]
        fn find_offer(&self, offer: u64) -> Result<OfferRecord, AuctionError> {
            self.offers.get(offer).map(|found| found.0).ok_or(AuctionError::NotFound)
        }

        #[inline(never)]
        fn find_assignment(&self, assignment: u64) -> Result<Assignment, AuctionError> {
            self.assignments.get(assignment).map(|found| found.0).ok_or(AuctionError::NotFound)
        }

        #[inline(never)]
        fn save_request(&mut self, request: u64, record: RequestRecord) {
            self.requests.insert(request, &Stored(record));
        }

        #[inline(never)]
        fn save_offer(&mut self, offer: u64, record: OfferRecord) {
            self.offers.insert(offer, &Stored(record));
        }

        #[inline(never)]
        fn save_assignment(&mut self, assignment: u64, record: Assignment) {
            self.assignments.insert(assignment, &Stored(record));
        }

        /// An assignment of which the caller is the provider.
        #[inline(never)]
        fn own_job(&self, assignment: u64) -> Result<Assignment, AuctionError> {
            let job = self.find_assignment(assignment)?;
            ensure(job.provider == self.caller(), AuctionError::NotAllowed)?;
            Ok(job)
        }

        /// An assignment of which the caller is the requester.
        #[inline(never)]
        fn ordered_job(&self, assignment: u64) -> Result<Assignment, AuctionError> {
            let job = self.find_assignment(assignment)?;
            ensure(job.requester == self.caller(), AuctionError::NotAllowed)?;
            Ok(job)
        }

        /// The effective price now, and the provider's points.
        #[inline(never)]
        fn price(
            &self,
            request: &RequestRecord,
            offer: &OfferRecord,
            least: u128,
        ) -> Result<(u128, u32), AuctionError> {
            let points = self.scores().points(offer.provider)?;
            let success = self.success(offer.provider, request.terms.task_type.clone());
            let capable = match request.terms.privacy.demands_of(&offer.provider) {
                None => true,
                Some(name) => self.scores().is_capable(offer.provider, name.clone())?,
            };
            let known = (points, success, capable);
            Ok((request.qualify(offer, self.now(), known, least)?, points))
        }

        #[inline(never)]
        fn success(&self, provider: Account, task_type: Name) -> Success {
            self.successes
                .get((provider, Stored(task_type)))
                .map(|found| found.0)
                .unwrap_or_default()
        }

        #[inline(never)]
        fn window(&self, task_type: &Name) -> Window {
            self.windows.get(Stored(task_type.clone())).map(|found| found.0).unwrap_or_default()
        }

        /// Makes an assignment. If it fails, nothing has changed.
        #[inline(never)]
        fn assign(
            &mut self,
            request: u64,
            ordered: &mut RequestRecord,
            offered: &mut OfferRecord,
            accept: &Waiting,
            price: u128,
        ) -> Result<u64, AuctionError> {
            let units = ordered.takes(offered, accept.units);
            let now = self.now();
            let terms = &ordered.terms;
            let privacy = &terms.privacy;
            // Terms are bounded by a year.
            let complete_by_ms = now.saturating_add(terms.complete_within_ms);
            let job = Assignment {
                request,
                offer: accept.offer,
                requester: ordered.requester,
                provider: offered.provider,
                escrow: 0,
                units,
                price,
                by_provider: accept.by_provider,
                status: if privacy.is_public() {
                    Status::Assigned
                } else {
                    Status::AwaitingPayload
                },
                assigned_ms: now,
                complete_by_ms,
                ready_ms: now,
                started_ms: None,
                completed_ms: None,
                violations: Violations::default(),
                paid: 0,
                rated_by_requester: false,
                rated_by_provider: false,
            };
            let escrow = self.money().draw(
                ordered.reserve,
                Terms {
                    requester: job.requester,
                    provider: job.provider,
                    token: *self.token.as_ref(),
                    milestones: vec![Milestone { amount: job.amount(), complete_by_ms }],
                    rule: Rule::Single,
                    panel: terms.panel.clone(),
                    fund_by_ms: now,
                    review_ms: terms.review_ms,
                    dispute_ms: terms.dispute_ms,
                    fallback: terms.fallback,
                    job: privacy.job_digest::<HostSha256>(),
                },
            )?;
            ordered.take(units, price);
            offered.left = offered.left.saturating_sub(units);
            let assignment = next(&mut self.counts.2);
            self.env().emit_event(Assigned {
                request,
                requester: job.requester.into(),
                provider: job.provider.into(),
                assignment,
                offer: job.offer,
                escrow,
                units,
                price,
            });
            self.save_assignment(assignment, Assignment { escrow, ..job });
            Ok(assignment)
        }

        /// Writes both sides of a new assignment; a request that is full is closed.
        #[inline(never)]
        fn after_assignment(
            &mut self,
            request: u64,
            ordered: RequestRecord,
            offer: u64,
            offered: OfferRecord,
        ) -> Result<(), AuctionError> {
            self.save_offer(offer, offered);
            if ordered.is_full() {
                return self.shut_request(request, ordered);
            }
            self.save_request(request, ordered);
            Ok(())
        }

        /// Closes a request that can match no more, and returns the rest of its money.
        #[inline(never)]
        fn shut_request(
            &mut self,
            request: u64,
            mut record: RequestRecord,
        ) -> Result<(), AuctionError> {
            let returned = record.budget;
            let (reserve, requester) = (record.reserve, record.requester);
            record.budget = 0;
            record.closed = true;
            record.line = vec![];
            self.save_request(request, record);
            self.env().emit_event(RequestClosed { request, returned });
            self.money().spend(reserve, requester, returned)
        }

        /// Cancels (`by_owner`) or closes a request.
        #[inline(never)]
        fn end_request(&mut self, request: u64, by_owner: bool) -> Result<(), AuctionError> {
            let record = self.find_request(request)?;
            let is_owner = record.requester == self.caller();
            ensure(is_owner || !by_owner, AuctionError::NotAllowed)?;
            ensure(!record.closed, AuctionError::AlreadyClosed)?;
            let over = record.status(self.now()) == AuctionStatus::Closed;
            ensure(by_owner || over, AuctionError::StillOpen)?;
            self.shut_request(request, record)
        }

        /// Cancels (`by_owner`) or closes an offer.
        #[inline(never)]
        fn end_offer(&mut self, offer: u64, by_owner: bool) -> Result<(), AuctionError> {
            let mut record = self.find_offer(offer)?;
            let is_owner = record.provider == self.caller();
            ensure(is_owner || !by_owner, AuctionError::NotAllowed)?;
            ensure(!record.closed && record.left > 0, AuctionError::AlreadyClosed)?;
            ensure(by_owner || !record.is_open(self.now()), AuctionError::StillOpen)?;
            let returned = record.terms.bond_of(record.left);
            let (reserve, provider) = (record.reserve, record.provider);
            record.left = 0;
            record.closed = true;
            self.save_offer(offer, record);
            self.env().emit_event(OfferClosed { offer, returned });
            self.money().spend(reserve, provider, returned)
        }

        /// Ends an assignment and draws all conclusions.
        #[inline(never)]
        fn conclude(
            &mut self,
            assignment: u64,
            mut job: Assignment,
            status: Status,
            paid: u128,
        ) -> Result<(), AuctionError> {
            job.status = status;
            job.paid = paid;
            let now = self.now();
            let after = job.consequences(&self.parameters.0);
            let task_type = self.find_request(job.request)?.terms.task_type;
            if status.makes_a_price() && paid > 0 {
                let mut window = self.window(&task_type);
                window.record(now, job.price, job.units);
                self.windows.insert(Stored(task_type.clone()), &Stored(window));
            }
            if let Some(well) = after.success {
                let success = self.success(job.provider, task_type.clone()).after(well);
                self.successes.insert((job.provider, Stored(task_type)), &Stored(success));
            }
            let offered = self.find_offer(job.offer)?;
            let bond = offered.terms.bond_of(job.units);
            let bond_to = if job.forfeits_bond() { job.requester } else { job.provider };
            let (requester, provider) = (job.requester, job.provider);
            self.env().emit_event(JobSettled {
                assignment,
                requester: requester.into(),
                provider: provider.into(),
                status,
                paid,
                returned: job.amount().saturating_sub(paid),
            });
            self.save_assignment(assignment, job);
            self.money().spend(offered.reserve, bond_to, bond)?;
            // Money does not wait for scores: a reputation contract that does not let this one
            // write loses an entry, not anybody's payment.
            if !after.provider.is_empty() {
                let _ = self.scores().record(provider, after.provider);
            }
            if let Some(event) = after.requester {
                let _ = self.scores().record(requester, vec![event]);
            }
            Ok(())
        }
    }

    /// `Err(error)` unless `holds`.
    fn ensure(holds: bool, error: AuctionError) -> Result<(), AuctionError> {
        if holds {
            Ok(())
        } else {
            Err(error)
        }
    }

    /// The next number. Each is a paid transaction: nobody lives to see 2^64 of them.
    fn next(count: &mut u64) -> u64 {
        *count = count.saturating_add(1);
        *count
    }

    impl Auction for AuctionContract {
        /// Places a request and locks its money.
        #[ink(message)]
        fn request(&mut self, terms: Request) -> Result<u64, AuctionError> {
            let now = self.now();
            terms.check(now, self.parameters.0.priority_ms)?;
            let requester = self.env().caller();
            let budget = terms.budget();
            let reserve = self.money().reserve(requester, self.token, budget)?;
            let request = next(&mut self.counts.0);
            let record = RequestRecord {
                requester: *requester.as_ref(),
                left: terms.units,
                terms,
                reserve,
                budget,
                created_ms: now,
                assigned: 0,
                closed: false,
                line: vec![],
            };
            self.env().emit_event(RequestPlaced {
                request,
                requester,
                task_type: record.terms.task_type.clone(),
                units: record.left,
                max_price: record.terms.max_price,
                ends_ms: record.ends_ms(),
            });
            self.save_request(request, record);
            Ok(request)
        }

        /// Places an offer and locks its bond.
        #[ink(message)]
        fn offer(&mut self, terms: Offer) -> Result<u64, AuctionError> {
            terms.check(self.now())?;
            let provider = self.env().caller();
            let bond = terms.bond_of(terms.units);
            let reserve = self.money().reserve(provider, self.token, bond)?;
            let offer = next(&mut self.counts.1);
            self.env().emit_event(OfferPlaced {
                offer,
                provider,
                task_type: terms.task_type.clone(),
                units: terms.units,
                price: terms.price,
            });
            let left = terms.units;
            let provider = *provider.as_ref();
            self.save_offer(offer, OfferRecord { provider, terms, reserve, left, closed: false });
            Ok(offer)
        }

        /// Gives the offer units of the request, or a place in its line.
        #[ink(message)]
        fn accept(
            &mut self,
            request: u64,
            offer: u64,
            units: u64,
            min_price: u128,
        ) -> Result<Option<u64>, AuctionError> {
            let mut ordered = self.find_request(request)?;
            let mut offered = self.find_offer(offer)?;
            let (caller, provider) = (self.caller(), offered.provider);
            let by_provider = caller == provider;
            let min_price = match offered.terms.firm_from {
                _ if by_provider => min_price,
                Some(least) if caller == ordered.requester => least,
                _ => return Err(AuctionError::NotAllowed),
            };
            ensure(units > 0, InvalidTerms::Units.into())?;
            let (price, points) = self.price(&ordered, &offered, min_price)?;
            let accept = Waiting { offer, provider, units, min_price, points, by_provider };
            if self.now() < ordered.line_until_ms(self.parameters.0.priority_ms) {
                enqueue(&mut ordered.line, accept).map_err(|why| match why {
                    NoPlace::Twice => AuctionError::AlreadyWaiting,
                    NoPlace::Full => AuctionError::LineFull,
                })?;
                self.save_request(request, ordered);
                let provider = provider.into();
                self.env().emit_event(AcceptQueued { request, provider, offer, points });
                return Ok(None);
            }
            ensure(ordered.line.is_empty(), AuctionError::LineWaiting)?;
            let assignment = self.assign(request, &mut ordered, &mut offered, &accept, price)?;
            self.after_assignment(request, ordered, offer, offered)?;
            Ok(Some(assignment))
        }

        /// Gives units to the first in line who still qualifies.
        #[ink(message)]
        fn assign_next(&mut self, request: u64) -> Result<Option<u64>, AuctionError> {
            let mut ordered = self.find_request(request)?;
            let now = self.now();
            let open = ordered.status(now) != AuctionStatus::Closed;
            ensure(open, Unqualified::RequestClosed.into())?;
            let until = ordered.line_until_ms(self.parameters.0.priority_ms);
            ensure(now >= until, AuctionError::LineOpen)?;
            // At most MAX_LINE rounds.
            while !ordered.line.is_empty() {
                let first = ordered.line.remove(0);
                let mut offered = self.find_offer(first.offer)?;
                let assigned = match self.price(&ordered, &offered, first.min_price) {
                    Ok((price, _)) => {
                        self.assign(request, &mut ordered, &mut offered, &first, price)
                    }
                    Err(error) => Err(error),
                };
                match assigned {
                    Ok(assignment) => {
                        self.after_assignment(request, ordered, first.offer, offered)?;
                        return Ok(Some(assignment));
                    }
                    // He no longer qualifies, or the escrow contract refuses him.
                    Err(AuctionError::Unqualified(_) | AuctionError::Escrow(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            self.save_request(request, ordered);
            Ok(None)
        }

        /// Takes back what is unfilled of a request. Its requester.
        #[ink(message)]
        fn cancel_request(&mut self, request: u64) -> Result<(), AuctionError> {
            self.end_request(request, true)
        }

        /// Takes back what is unfilled of an offer. Its provider.
        #[ink(message)]
        fn cancel_offer(&mut self, offer: u64) -> Result<(), AuctionError> {
            self.end_offer(offer, true)
        }

        /// Returns the money of a request whose auction has ended.
        #[ink(message)]
        fn close_request(&mut self, request: u64) -> Result<(), AuctionError> {
            self.end_request(request, false)
        }

        /// Returns the bond of an offer that has expired.
        #[ink(message)]
        fn close_offer(&mut self, offer: u64) -> Result<(), AuctionError> {
            self.end_offer(offer, false)
        }

        /// Shows a private payload to the assigned provider. The requester.
        #[ink(message)]
        fn hand_over(&mut self, assignment: u64, payload: HandOver) -> Result<(), AuctionError> {
            let mut job = self.ordered_job(assignment)?;
            ensure(job.status == Status::AwaitingPayload, AuctionError::WrongStatus)?;
            let now = self.now();
            let terms = self.find_request(job.request)?.terms;
            ensure(job.can_be_handed_over(&terms, now), AuctionError::TooLate)?;
            payload.check()?;
            let opened = terms.privacy.is_opened_by::<HostSha256>(&payload);
            ensure(opened, AuctionError::WrongOpening)?;
            job.status = Status::Assigned;
            job.ready_ms = now;
            let provider = job.provider.into();
            self.save_assignment(assignment, job);
            self.payloads.insert(assignment, &Stored(payload));
            self.env().emit_event(HandedOver { assignment, provider });
            Ok(())
        }

        /// Starts the work. The provider.
        #[ink(message)]
        fn start(&mut self, assignment: u64) -> Result<(), AuctionError> {
            let mut job = self.own_job(assignment)?;
            ensure(job.status == Status::Assigned, AuctionError::WrongStatus)?;
            let now = self.now();
            ensure(now < job.complete_by_ms, AuctionError::TooLate)?;
            job.status = Status::InProgress;
            job.started_ms = Some(now);
            let provider = job.provider.into();
            self.save_assignment(assignment, job);
            self.env().emit_event(Started { assignment, provider });
            Ok(())
        }

        /// Gives a job back before the start. The provider.
        #[ink(message)]
        fn decline(&mut self, assignment: u64) -> Result<(), AuctionError> {
            let job = self.own_job(assignment)?;
            let early = matches!(job.status, Status::Assigned | Status::AwaitingPayload);
            ensure(early, AuctionError::WrongStatus)?;
            ensure(self.now() < job.complete_by_ms, AuctionError::TooLate)?;
            self.money().settle(job.escrow, 0)?;
            self.conclude(assignment, job, Status::Declined, 0)
        }

        /// Delivers the result. The provider.
        #[ink(message)]
        fn complete(&mut self, assignment: u64, result: Digest) -> Result<(), AuctionError> {
            let mut job = self.own_job(assignment)?;
            ensure(job.status == Status::InProgress, AuctionError::WrongStatus)?;
            let now = self.now();
            ensure(now < job.complete_by_ms, AuctionError::TooLate)?;
            let terms = self.find_request(job.request)?.terms;
            let penalty = job.measure(&terms, now);
            job.status = Status::Delivered;
            job.completed_ms = Some(now);
            let (escrow, requester) = (job.escrow, job.requester.into());
            self.save_assignment(assignment, job);
            self.env().emit_event(JobCompleted { assignment, requester, result, penalty });
            self.money().complete(escrow, result, penalty)
        }

        /// Pays, less the penalties. The requester, within the review.
        #[ink(message)]
        fn settle(
            &mut self,
            assignment: u64,
            report: Option<QualityReport>,
        ) -> Result<(), AuctionError> {
            let mut job = self.ordered_job(assignment)?;
            ensure(job.status == Status::Delivered, AuctionError::WrongStatus)?;
            let terms = self.find_request(job.request)?.terms;
            ensure(job.is_in_review(&terms, self.now()), AuctionError::TooLate)?;
            let penalty = job.judge(&terms, report)?;
            let paid = job.amount().saturating_sub(penalty);
            self.money().settle(job.escrow, paid)?;
            let status = job.paid_as();
            self.conclude(assignment, job, status, paid)
        }

        /// Draws the conclusions of an escrow that ended otherwise.
        #[ink(message)]
        fn finalize(&mut self, assignment: u64) -> Result<(), AuctionError> {
            let job = self.find_assignment(assignment)?;
            ensure(!job.status.is_final(), AuctionError::WrongStatus)?;
            let escrow = self.money().summary(job.escrow)?;
            let status = job.ended_as(&escrow).ok_or(AuctionError::NotEnded)?;
            self.conclude(assignment, job, status, escrow.provider_paid)
        }

        /// Stars for the other side. Requester and provider, once each.
        #[ink(message)]
        fn feedback(&mut self, assignment: u64, stars: u8) -> Result<(), AuctionError> {
            let mut job = self.find_assignment(assignment)?;
            let caller = self.caller();
            let (rated, to) = if caller == job.requester {
                (&mut job.rated_by_requester, job.provider)
            } else {
                ensure(caller == job.provider, AuctionError::NotAllowed)?;
                (&mut job.rated_by_provider, job.requester)
            };
            ensure(job.status.can_be_rated(), AuctionError::WrongStatus)?;
            ensure(!*rated, AuctionError::AlreadyRated)?;
            ensure((1..=5).contains(&stars), InvalidTerms::Stars.into())?;
            *rated = true;
            self.save_assignment(assignment, job);
            let (from, rated) = (caller.into(), to.into());
            self.env().emit_event(FeedbackGiven { assignment, from, to: rated, stars });
            self.scores().record(to, vec![Event::Feedback { stars }])
        }
    }

    impl AuctionView for AuctionContract {
        /// A request, who waits for it included.
        #[ink(message)]
        fn request_of(&self, request: u64) -> Option<RequestRecord> {
            self.find_request(request).ok()
        }

        /// An offer.
        #[ink(message)]
        fn offer_of(&self, offer: u64) -> Option<OfferRecord> {
            self.find_offer(offer).ok()
        }

        /// An assignment.
        #[ink(message)]
        fn assignment_of(&self, assignment: u64) -> Option<Assignment> {
            self.find_assignment(assignment).ok()
        }

        /// What was handed over to the provider of an assignment.
        #[ink(message)]
        fn payload_of(&self, assignment: u64) -> Option<HandOver> {
            self.payloads.get(assignment).map(|found| found.0)
        }

        /// Where the auction of a request stands now.
        #[ink(message)]
        fn status_of(&self, request: u64) -> Option<AuctionStatus> {
            self.find_request(request).ok().map(|record| record.status(self.now()))
        }

        /// The effective price at which the offer would get the request now.
        #[ink(message)]
        fn quote(&self, request: u64, offer: u64) -> Result<u128, AuctionError> {
            let (ordered, offered) = (self.find_request(request)?, self.find_offer(offer)?);
            self.price(&ordered, &offered, 0).map(|(price, _)| price)
        }

        /// The prices of a task type over the last 24 hourly buckets.
        #[ink(message)]
        fn prices(&self, task_type: Name) -> Option<Prices> {
            self.window(&task_type).prices(self.now())
        }

        /// How a provider has done in a task type.
        #[ink(message)]
        fn success_of(&self, provider: AccountId, task_type: Name) -> Success {
            self.success(*provider.as_ref(), task_type)
        }

        /// The newest numbers of requests, offers and assignments.
        #[ink(message)]
        fn counts(&self) -> (u64, u64, u64) {
            self.counts
        }

        /// What was fixed when the market was made.
        #[ink(message)]
        fn parameters(&self) -> Parameters {
            self.parameters.0
        }

        /// The token, the escrow contract and the reputation contract.
        #[ink(message)]
        fn contracts(&self) -> (AccountId, AccountId, AccountId) {
            (self.token, self.escrow, self.reputation)
        }
    }
}
