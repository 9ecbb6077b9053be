//! Our token beside the published PSP22 implementation: the messages that both have.

use crate::table::Table;
use crate::Bench;
use anyhow::{Context, Result};
use cicada_chain::{account_of, signer, Bundle, Signer};
use cicada_contracts::{token, Constructor, Message, Never};
use cicada_core::Account;
use parity_scale_codec::Decode;

/// What the creator holds at first, in smallest units.
const SUPPLY: u128 = 1_000_000_000;
const METADATA: (&str, &str, u8) = ("Metameme Coin", "MMC", 6);
/// What the spender's account must hold to pay for its transactions, in base units of the chain.
const FUNDS: u128 = 100_000_000_000_000;

/// One measured thing, and what was measured: `None` where no transaction was sent.
struct Measured {
    what: &'static str,
    gas: u64,
    weight: Option<u64>,
}

/// One contract under measurement.
struct Subject<'a> {
    bench: &'a Bench,
    account: Account,
    measured: Vec<Measured>,
}

impl Subject<'_> {
    async fn send<T: Decode, E>(
        &mut self,
        what: &'static str,
        caller: &Signer,
        message: &Message<T, E>,
    ) -> Result<()> {
        let outcome = self.bench.chain.call(&self.account, message, caller).await?;
        self.measured.push(Measured {
            what,
            gas: outcome.gas_consumed.ref_time,
            weight: Some(outcome.weight.ref_time),
        });
        Ok(())
    }

    async fn look<T: Decode, E>(
        &mut self,
        what: &'static str,
        message: &Message<T, E>,
    ) -> Result<()> {
        let origin = account_of(&self.bench.payer);
        let dry_run = self.bench.chain.dry_run(&self.account, message, &origin).await?;
        self.measured.push(Measured { what, gas: dry_run.gas_consumed.ref_time, weight: None });
        Ok(())
    }
}

/// Puts one contract through all of it. What is called is of the standard: at both the same.
async fn put_through(
    bench: &Bench,
    bundle: &Bundle,
    constructor: &Constructor,
    spender: &Signer,
) -> Result<Vec<Measured>> {
    let owner = &bench.payer;
    let made = bench.chain.upload_and_instantiate(bundle, constructor, &bench.salt, owner).await?;
    let mut subject = Subject {
        bench,
        account: made.account,
        measured: vec![Measured {
            what: "deploy",
            gas: made.gas_consumed.ref_time,
            weight: Some(made.weight.ref_time),
        }],
    };
    let (one, two, third) = (account_of(owner), account_of(spender), Account([3; 32]));
    let transfer = token::transfer(&third, 1_000, &[]);
    subject.send("transfer to a new account", owner, &transfer).await?;
    subject.send("transfer", owner, &transfer).await?;
    subject.send("approve", owner, &token::approve(&two, 1_000)).await?;
    let transfer_from = token::transfer_from(&one, &third, 400, &[]);
    subject.send("transfer_from", spender, &transfer_from).await?;
    subject.send("increase_allowance", owner, &token::increase_allowance(&two, 5)).await?;
    subject.send("decrease_allowance", owner, &token::decrease_allowance(&two, 5)).await?;
    subject.look("total_supply", &token::total_supply()).await?;
    subject.look("balance_of", &token::balance_of(&one)).await?;
    subject.look("allowance", &token::allowance(&one, &two)).await?;
    subject.look("token_name", &token::token_name()).await?;
    subject.look("token_symbol", &token::token_symbol()).await?;
    subject.look("token_decimals", &token::token_decimals()).await?;
    Ok(subject.measured)
}

/// Measures both tokens in the same way.
pub async fn measure(bench: &Bench, peer: &'static Bundle) -> Result<Table> {
    let spender = signer("//Bob")?;
    if bench.chain.balance(&account_of(&spender)).await? < FUNDS {
        bench.chain.transfer(&bench.payer, &account_of(&spender), FUNDS).await?;
    }
    let bundle = bench.bundle(token::NAME)?;
    let (name, symbol, decimals) = METADATA;
    let ours = token::new(name, symbol, decimals, SUPPLY);
    let theirs = (SUPPLY, Some(name), Some(symbol), decimals);
    let theirs = Constructor::<Never>::of(peer.interface(), "new", &theirs);
    let theirs = theirs.context("the peer has no constructor 'new'")?;
    let ours = put_through(bench, &bundle, &ours, &spender).await?;
    let theirs = put_through(bench, peer, &theirs, &spender).await?;

    let mut table = Table::new("PSP22 token", "token", "psp22 2.0.0");
    let size = |bundle: &Bundle| u64::try_from(bundle.wasm().len());
    table.add("code, bytes", size(&bundle)?, size(peer)?);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        table.add(format!("{}: gas", ours.what), ours.gas, theirs.gas);
    }
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if let (Some(a), Some(b)) = (ours.weight, theirs.weight) {
            table.add(format!("{}: dispatch weight", ours.what), a, b);
        }
    }
    Ok(table)
}
