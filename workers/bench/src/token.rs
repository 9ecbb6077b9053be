//! Our token beside the published PSP22 implementation: the messages that both have.

use crate::table::Table;
use crate::Bench;
use anyhow::Result;
use cicada_chain::{account_of, signer, Bundle, Signer};
use parity_scale_codec::Encode;

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
    bundle: &'a Bundle,
    account: [u8; 32],
    measured: Vec<Measured>,
}

impl Subject<'_> {
    async fn send(
        &mut self,
        what: &'static str,
        caller: &Signer,
        message: &str,
        args: impl Encode,
    ) -> Result<()> {
        let outcome = self
            .bench
            .chain
            .call(&self.account, self.bundle, message, &args.encode(), caller)
            .await?;
        self.measured.push(Measured {
            what,
            gas: outcome.gas_consumed.ref_time,
            weight: Some(outcome.weight.ref_time),
        });
        Ok(())
    }

    async fn look(&mut self, what: &'static str, message: &str, args: impl Encode) -> Result<()> {
        let origin = account_of(&self.bench.payer);
        let dry_run = self
            .bench
            .chain
            .dry_run(&self.account, self.bundle, message, &args.encode(), &origin)
            .await?;
        self.measured.push(Measured { what, gas: dry_run.gas_consumed.ref_time, weight: None });
        Ok(())
    }
}

/// Puts one contract through all of it.
async fn put_through(
    bench: &Bench,
    bundle: &Bundle,
    args: Vec<u8>,
    spender: &Signer,
) -> Result<Vec<Measured>> {
    let owner = &bench.payer;
    let made = bench.chain.upload_and_instantiate(bundle, "new", &args, &bench.salt, owner).await?;
    let mut subject = Subject {
        bench,
        bundle,
        account: made.account,
        measured: vec![Measured {
            what: "deploy",
            gas: made.gas_consumed.ref_time,
            weight: Some(made.weight.ref_time),
        }],
    };
    let (one, two, third) = (account_of(owner), account_of(spender), [3_u8; 32]);
    let data = Vec::<u8>::new();
    let transfer = "PSP22::transfer";
    subject.send("transfer to a new account", owner, transfer, (third, 1_000_u128, &data)).await?;
    subject.send("transfer", owner, transfer, (third, 1_000_u128, &data)).await?;
    subject.send("approve", owner, "PSP22::approve", (two, 1_000_u128)).await?;
    subject
        .send("transfer_from", spender, "PSP22::transfer_from", (one, third, 400_u128, &data))
        .await?;
    subject.send("increase_allowance", owner, "PSP22::increase_allowance", (two, 5_u128)).await?;
    subject.send("decrease_allowance", owner, "PSP22::decrease_allowance", (two, 5_u128)).await?;
    subject.look("total_supply", "PSP22::total_supply", ()).await?;
    subject.look("balance_of", "PSP22::balance_of", one).await?;
    subject.look("allowance", "PSP22::allowance", (one, two)).await?;
    subject.look("token_name", "PSP22Metadata::token_name", ()).await?;
    subject.look("token_symbol", "PSP22Metadata::token_symbol", ()).await?;
    subject.look("token_decimals", "PSP22Metadata::token_decimals", ()).await?;
    Ok(subject.measured)
}

/// Measures both tokens in the same way.
pub async fn measure(bench: &Bench, peer: &Bundle) -> Result<Table> {
    let spender = signer("//Bob")?;
    if bench.chain.balance(&account_of(&spender)).await? < FUNDS {
        bench.chain.transfer(&bench.payer, &account_of(&spender), FUNDS).await?;
    }
    let token = bench.bundle("token")?;
    let (name, symbol, decimals) = METADATA;
    let ours = (name, symbol, decimals, SUPPLY).encode();
    let theirs = (SUPPLY, Some(name), Some(symbol), decimals).encode();
    let ours = put_through(bench, &token, ours, &spender).await?;
    let theirs = put_through(bench, peer, theirs, &spender).await?;

    let mut table = Table::new("PSP22 token", "token", "psp22 2.0.0");
    let size = |bundle: &Bundle| u64::try_from(bundle.wasm().len());
    table.add("code, bytes", size(&token)?, size(peer)?);
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
