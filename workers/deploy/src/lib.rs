//! What the programs that deploy contracts share.

mod addresses;
pub mod exchange;
pub mod found;
pub mod index;
mod index_file;
mod left;
pub mod market;

pub use addresses::Addresses;
pub use index_file::{IndexFile, Subnet};

use anyhow::Result;
use cicada_chain::{address, Bundle, Chain, Instance, Signer};

/// Tells the person at the terminal what happens; that there is none is no reason to stop half-way.
pub fn say(text: impl std::fmt::Display) {
    cicada_program::complain!("==> {text}");
}

/// Makes a contract and says so.
///
/// # Errors
/// As [`Chain::upload_and_instantiate`].
pub async fn instantiate(
    chain: &Chain,
    bundle: &Bundle,
    args: &[u8],
    salt: &[u8],
    owner: &Signer,
) -> Result<Instance> {
    let made = chain.upload_and_instantiate(bundle, "new", args, salt, owner).await?;
    say(format!(
        "{} at {} in block {}: {} bytes, ref_time {}",
        bundle.name(),
        address(&made.account),
        made.block,
        bundle.wasm().len(),
        made.weight.ref_time
    ));
    Ok(made)
}
