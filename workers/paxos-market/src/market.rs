//! One run: results, agreement, settlement, page.

mod settle;
mod turns;

use crate::board::Finalized;
use crate::pass;
use crate::transcript::{no_quorum, Transcript};
use crate::Options;
use anyhow::{bail, ensure, Context, Result};
use cicada_chain::{signer, Chain, Signer};
use cicada_contracts::leaderboard;
use cicada_core::hash::Native;
use cicada_core::leaderboard::{report, Board, Proposal};
use cicada_core::quote::Framework;
use cicada_core::report::{Feed, FeedState, ReportKind, MAX_TIME_AHEAD_MS};
use cicada_core::results::Tally;
use cicada_network::{ContractName, Deployment, FaultModelName, Network};
use cicada_node_api::{Certified, Client, Error, Failed, Node, Nodes, Pass};
use cicada_program::{complain, now_ms, say};
use cicada_settlement::{
    decided_after, Committee, Leaders, Round as Asking, Taken, Unagreed, Underways, Verified,
};
use cicada_volumes::{Exchange, Source, Volumes};
use std::collections::BTreeMap;
use std::time::Duration;
use turns::{settle_next, Desk, Round};

/// The oldest block whose clock is good enough for a dry run of a new report.
const FRESH: Duration = Duration::from_millis(MAX_TIME_AHEAD_MS / 2);
/// How many nodes are asked, at the least, that answer but refuse, or that fail to gather a quorum
/// that seems to be there.
const TRIES: usize = 3;

/// How long a transaction is looked for that was lost sight of.
const LOST: Duration = Duration::from_secs(60);

/// How much slower the nodes' clocks may be.
const SKEW: Duration = Duration::from_millis(200);
/// A wait that is worth a word.
const TOLD: Duration = Duration::from_secs(1);

/// Everything that a run needs.
struct Market<'a> {
    options: &'a Options,
    network: &'a Network,
    committee: Committee,
    feed: Feed,
    nodes: Nodes,
    pass: Pass,
    chain: Chain,
    exchange: Option<Exchange>,
    signer: Signer,
    underways: Underways,
    out: Transcript,
}

/// Proposes, settles, writes the page.
pub async fn run(options: &Options) -> Result<()> {
    let file = Deployment::load(&options.network)
        .context("there is no usable network; 'scripts/deploy_paxos.sh' makes one")?;
    let network = file.network()?;
    let chain = file.connect(options.url.as_deref()).await?;
    let market = Market {
        committee: committee(&network, &chain).await?,
        feed: network.feed(ReportKind::Leaderboard).context("the network has no leaderboard")?,
        nodes: Nodes::of(&network, &Client::new()?),
        pass: pass(options, &network)?,
        exchange: exchange(&network, &chain),
        chain,
        signer: signer(&options.suri)?,
        underways: Underways::new(LOST),
        out: Transcript { json: options.json },
        options,
        network: &network,
    };
    let finalized = settle_next(&market).await?;
    finalized.write(&options.out)?;
    market.out.say(format!("wrote {} from the chain", options.out.display()));
    if options.json {
        say!("{}", finalized.json()?);
        complain!("{}", finalized.line());
    } else {
        say!("{}", finalized.line());
    }
    Ok(())
}

/// What lets the proposal into the nodes.
fn pass(options: &Options, network: &Network) -> Result<Pass> {
    if let Some(token) = &options.token {
        return pass::of_token(token);
    }
    let beside = options.network.with_file_name("keys").join("node-00.toml");
    pass::of_keys(network, options.keys.as_ref().unwrap_or(&beside))
}

/// Whose certificates the chain takes; the network's nodes are among them.
async fn committee(network: &Network, chain: &Chain) -> Result<Committee> {
    let validators = network.validators();
    let committee = Committee::of_epoch(chain, &validators, None).await?;
    let committee = committee.context("no committee is in office")?;
    let committee = committee.with_the_one_before(chain, &validators).await?;
    ensure!(
        committee.that_signed(network.epoch).config_digest == network.config_digest(),
        "the chain takes certificates of committee {}, and the network file is of another one: is it of this deployment, and of its newest committee?",
        committee.epoch
    );
    Ok(committee)
}

/// The exchange of the network, if it has one.
fn exchange(network: &Network, chain: &Chain) -> Option<Exchange> {
    network
        .contracts
        .get(ContractName::Exchange)
        .map(|account| Exchange { chain: chain.clone(), account })
}

impl Market<'_> {
    /// When a proposal is made, not before `earliest_ms`, and the volumes then. With an exchange
    /// it is the time of the newest final block, so that every node reads the same volumes.
    async fn observed(&self, earliest_ms: u64) -> Result<(u64, Volumes)> {
        self.wait_until(earliest_ms).await?;
        let Some(exchange) = &self.exchange else {
            return Ok((now_ms().max(earliest_ms), Volumes::new()));
        };
        // A node refuses what is too far from its clock, and a chain may stand still.
        self.chain.freshen(&self.signer, FRESH).await?;
        if self.chain.final_time_ms().await? < earliest_ms {
            self.chain.freshen(&self.signer, Duration::ZERO).await?;
        }
        let block = exchange.newest().await?;
        let time_ms = exchange.time_ms(block).await?;
        ensure!(
            time_ms >= earliest_ms,
            "the newest final block is too old to follow the leaderboard before: run paxos-market again"
        );
        let volumes = exchange.volumes(block).await?;
        self.out.say(format!("exchange: {} markets in block {block}", volumes.len()));
        Ok((time_ms, volumes))
    }

    // Nodes take a report only so long after the one before.
    async fn wait_until(&self, time_ms: u64) -> Result<()> {
        let rest = Duration::from_millis(time_ms.saturating_sub(now_ms()));
        if rest > TOLD {
            self.out.say(format!("the next leaderboard may come in {rest:.1?}: waiting"));
        }
        if !rest.is_zero() {
            tokio::time::sleep(rest + SKEW).await;
        }
        Ok(())
    }

    /// Names whoever would be ranked for the first time: a slip of the pen stays.
    async fn tell_new(&self, tally: &Tally) -> Result<()> {
        let contract = &self.network.leaderboard();
        let ranked = self.chain.read(contract, &leaderboard::ranking()).await?;
        let known = |name: &Framework| ranked.iter().any(|quote| quote.framework == *name);
        for name in tally.scores().keys().filter(|name| !known(name)) {
            self.out.say(format!("new: {name} was never ranked before; once settled it stays"));
        }
        Ok(())
    }

    /// What the nodes decided after a slot, and the seats that do not answer.
    async fn decided_after(&self, slot: u64) -> (BTreeMap<u64, Taken<Proposal>>, Vec<u8>) {
        let enough = self.network.quorum().weak_size();
        decided_after(&self.nodes, &self.committee, &self.feed, (slot, enough)).await
    }
}

impl Leaders<Proposal> for Market<'_> {
    fn asks(&self, seat: usize, slot: u64) {
        let url = self.nodes.get(seat).map_or("", Node::url);
        self.out.say(format!("node {seat} ({url}) proposes slot {slot}"));
    }

    fn goes_on(&self, seat: usize, reason: &str) {
        self.out.say(format!("  node {seat}: {reason}; going on to the next"));
    }

    async fn propose(&self, seat: usize, value: &Proposal) -> Result<Certified<Proposal>, Error> {
        let known = self.nodes.get(seat).zip(u8::try_from(seat).ok());
        let (node, to) = known.ok_or_else(|| Error::Unreachable("no such seat".into()))?;
        node.propose(value, &self.pass, to).await
    }

    /// If nodes may lie, the word of one is not enough: too few nodes must answer this program, too.
    async fn must_be_so(&self, failed: &Failed, slot: u64) -> bool {
        let count = self.network.nodes.len();
        let needed = usize::from(self.committee.quorum.size());
        if self.network.fault_model == FaultModelName::Crash {
            let present = count.saturating_sub(failed.missing.len());
            return !failed.refusals.is_empty() || present < needed;
        }
        let (_, silent) = self.decided_after(slot.saturating_sub(1)).await;
        count.saturating_sub(silent.len()) < needed
    }
}

impl Desk for Market<'_> {
    type Agreed = Verified<Proposal>;

    fn say(&self, text: String) {
        self.out.say(text);
    }

    async fn latest(&self) -> Result<FeedState> {
        Ok(self.chain.read(&self.network.leaderboard(), &leaderboard::latest()).await?)
    }

    async fn catch_up(&self) -> Result<FeedState> {
        let mut state = self.latest().await?;
        let (decided, silent) = self.decided_after(state.slot).await;
        self.out.say(format!(
            "chain: slot {} is final; nodes: {} of {} answer",
            state.slot,
            self.network.nodes.len() - silent.len(),
            self.network.nodes.len()
        ));
        for (slot, decided) in decided {
            if slot != state.slot.saturating_add(1) {
                break;
            }
            self.out.say(format!(
                "slot {slot} was decided earlier and is not on the chain: settling it first"
            ));
            let agreed = match decided {
                Taken::Certified(verified) => verified,
                Taken::Decided(proposal) => match self.agree(&proposal).await? {
                    Round::Agreed(agreed) => agreed,
                    Round::Refused(reason) => {
                        bail!("slot {slot} is decided, but no certificate can be had: {reason}")
                    }
                },
            };
            self.settle(agreed).await?;
            state = self.latest().await?;
        }
        Ok(state)
    }

    async fn proposal(&self, state: &FeedState) -> Result<Proposal> {
        let distances = &self.network.rules.distance_ms;
        let earliest_ms = match state.slot {
            0 => 0,
            _ => distances.earliest(ReportKind::Leaderboard, state.time_ms),
        };
        let (time_ms, volumes) = self.observed(earliest_ms).await?;
        let outcome = cicada_results::read(&self.options.results, time_ms)?;
        self.out.results(&self.options.results, &outcome);
        self.tell_new(&outcome.tally).await?;
        let volume = |framework: &Framework| volumes.get(framework).copied().unwrap_or(0);
        let board = Board::of::<Native>(&outcome.tally, volume);
        ensure!(
            !board.standings.is_empty(),
            "{} holds no valid result: there is nothing to rank",
            self.options.results.display()
        );
        let feed = self.feed;
        let proposal = Proposal { report: report::<Native>(feed, state, &board, time_ms), board };
        self.out.proposal(&proposal);
        Ok(proposal)
    }

    async fn agree(&self, proposal: &Proposal) -> Result<Round<Verified<Proposal>>> {
        let count = self.network.nodes.len();
        let first = match self.options.seat {
            Some(seat) => usize::from(seat),
            None => usize::try_from(proposal.report.slot).unwrap_or(0),
        };
        // A token opens one node.
        let asked = if self.options.token.is_some() { 1 } else { count };
        let round = Asking {
            leaders: self,
            committee: &self.committee,
            seats: (0..asked).map(|step| (first + step) % count).collect(),
            // So many that one of them is honest, if nodes may lie.
            tries: TRIES.max(usize::from(self.network.quorum().weak_size())),
        };
        let failed = match round.agree(proposal).await {
            Ok(agreed) => {
                self.out.agreed(self.network, &agreed);
                return Ok(Round::Agreed(agreed.verified));
            }
            Err(Unagreed::Refused(failed)) => return Ok(Round::Refused(failed.error)),
            Err(Unagreed::NoQuorum(failed)) => failed,
            Err(Unagreed::NoLeader { silent, .. }) => Failed {
                error: "no node could lead the round".into(),
                missing: silent,
                ..Failed::default()
            },
        };
        bail!(no_quorum(self.network, &failed))
    }

    async fn settle(&self, agreed: Verified<Proposal>) -> Result<Finalized> {
        self.settle_slot(agreed).await
    }

    async fn settled(&self, slot: u64) -> Result<Option<Finalized>> {
        self.settled_slot(slot).await
    }

    fn same_ms(&self) -> u64 {
        self.network.rules.same_ms
    }
}
