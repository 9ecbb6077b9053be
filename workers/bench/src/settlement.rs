//! One decision settled with one certificate, beside sixteen separate votes.

use crate::table::Table;
use crate::Bench;
use anyhow::{Context, Result};
use cicada_chain::{account_of, signer, Bundle, Call, Signer};
use cicada_contracts::{leaderboard, validators, Constructor, Message, Never};
use cicada_core::certificate::Certificate;
use cicada_core::committee::{Domain, Member};
use cicada_core::hash::{Digest, Native};
use cicada_core::leaderboard::{report, Board, Standing};
use cicada_core::quorum::{FaultModel, Quorum, COMMITTEE};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedState, Report, ReportKind};
use cicada_core::Account;
use futures::future::try_join_all;

/// What each member must hold to pay for registration and votes, in base units of the chain.
const FUNDS: u128 = 100_000_000_000_000;

/// 23 members whose one key is account and attestation key at once, which no node's is.
struct Committee {
    signers: Vec<Signer>,
    quorum: Quorum,
}

impl Committee {
    async fn fund(bench: &Bench) -> Result<Self> {
        let signers = (0..COMMITTEE)
            .map(|seat| signer(&format!("//Alice//bench//{seat}")))
            .collect::<Result<Vec<_>, _>>()?;
        let transfers: Vec<_> =
            signers.iter().map(|member| Call::transfer(&account_of(member), FUNDS)).collect();
        for receipt in bench.chain.send_all(&transfers, &bench.payer).await? {
            receipt?;
        }
        let quorum = Quorum::of(FaultModel::Byzantine, COMMITTEE).context("23 is a committee")?;
        Ok(Self { signers, quorum })
    }

    fn members(&self) -> Vec<Member> {
        let member = |(seat, signer): (u8, &Signer)| Member {
            operator: account_of(signer),
            consensus_key: [seat; 32],
            attestation_key: account_of(signer).0,
        };
        (0..).zip(&self.signers).map(member).collect()
    }

    fn accounts(&self) -> Vec<Account> {
        self.signers.iter().map(account_of).collect()
    }

    /// Registers everybody and takes office.
    async fn sit(&self, bench: &Bench, domain: &Domain) -> Result<()> {
        let registrations = self.signers.iter().zip(self.members()).map(|(signer, member)| {
            let statement = domain.possession_statement::<Native>(&member);
            let proof = signer.sign(&statement.0).0;
            let Member { consensus_key, attestation_key, .. } = &member;
            let message = validators::register(consensus_key, attestation_key, &proof);
            async move { bench.chain.call(&domain.validators, &message, signer).await }
        });
        try_join_all(registrations).await?;
        let message = validators::form_committee(&self.accounts());
        bench.chain.call(&domain.validators, &message, &bench.payer).await?;
        Ok(())
    }

    fn certify(&self, report: &Report, config: &Digest) -> Result<Certificate> {
        let message = report.attestation_message::<Native>(config);
        let shares = (0..).zip(self.signers.iter().map(|signer| signer.sign(&message.0).0));
        Certificate::assemble(1, &self.quorum, shares).context("23 signatures make a certificate")
    }
}

fn content() -> Result<Board> {
    let standings = [("claude", 50_000), ("openai", 45_000), ("gemini", 41_230), ("llama", 33_330)]
        .into_iter()
        .map(|(name, score)| {
            Ok(Standing { framework: Framework::new(name)?, score, volume_24h: 0 })
        })
        .collect::<Result<_>>()?;
    Ok(Board { standings, shards: Digest([71; 32]) })
}

/// What a decision costs: gas consumed and dispatch weight.
struct Cost {
    gas: u64,
    weight: u64,
}

/// The cost of the second slot: the first one also makes the cells that all later ones rewrite.
async fn certified(bench: &Bench, committee: &Committee) -> Result<Cost> {
    let chain = &bench.chain;
    let genesis = chain.genesis();
    let (bundle, new) = (bench.bundle(validators::NAME)?, validators::new(&genesis, COMMITTEE));
    let seated = chain.upload_and_instantiate(&bundle, &new, &bench.salt, &bench.payer).await?;
    let domain = Domain { genesis, validators: seated.account };
    committee.sit(bench, &domain).await?;
    let config = domain.config_digest::<Native>(1, &committee.quorum, &committee.members());
    let (bundle, new) = (bench.bundle(leaderboard::NAME)?, leaderboard::new(&seated.account));
    let made = chain.upload_and_instantiate(&bundle, &new, &bench.salt, &bench.payer).await?;

    let feed = Feed { kind: ReportKind::Leaderboard, contract: made.account };
    let (mut state, content) = (FeedState::EMPTY, content()?);
    let mut cost = Cost { gas: 0, weight: 0 };
    for time_ms in [1_000, 2_000] {
        let report = report::<Native>(feed, &state, &content, time_ms);
        let certificate = committee.certify(&report, &config)?;
        let submit = leaderboard::submit(&report, &content, &certificate);
        let done = chain.call(&made.account, &submit, &bench.payer).await?;
        cost = Cost { gas: done.gas_consumed.ref_time, weight: done.weight.ref_time };
        state = FeedState::after(&report, report.digest::<Native>());
    }
    Ok(cost)
}

/// The cost of sixteen votes, the last of which decides; of the second slot, too.
async fn voted(bench: &Bench, committee: &Committee, votes: &'static Bundle) -> Result<Cost> {
    let (chain, other) = (&bench.chain, "this is not the contract of bench/votes");
    let args = (committee.accounts(), u32::from(committee.quorum.size()));
    let new = Constructor::<Never>::of(votes.interface(), "new", &args).context(other)?;
    let made = chain.upload_and_instantiate(votes, &new, &bench.salt, &bench.payer).await?;
    let mut cost = Cost { gas: 0, weight: 0 };
    for slot in [1_u64, 2] {
        cost = Cost { gas: 0, weight: 0 };
        let vote = Message::<bool>::of(votes.interface(), "vote", &(slot, [7_u8; 32]));
        let vote = vote.context(other)?;
        for member in committee.signers.iter().take(usize::from(committee.quorum.size())) {
            let done = chain.call(&made.account, &vote, member).await?;
            cost.gas += done.gas_consumed.ref_time;
            cost.weight += done.weight.ref_time;
        }
    }
    Ok(cost)
}

/// Measures both ways to settle a decision.
pub async fn measure(bench: &Bench, votes: &'static Bundle) -> Result<Table> {
    let committee = Committee::fund(bench).await?;
    let ours = certified(bench, &committee).await?;
    let theirs = voted(bench, &committee, votes).await?;
    let mut table = Table::new("One decision, four quotes", "1 certificate", "16 votes");
    table.add("gas", ours.gas, theirs.gas);
    table.add("dispatch weight, record included", ours.weight, theirs.weight);
    Ok(table)
}
