//! Prints the final events of a contract, from block 1 on, and then as they come.
//!
//! cargo run -p cicada-chain --example events -- ws://127.0.0.1:9944 5C9WAS… contracts/bundles/leaderboard.contract

use cicada_chain::{Bundle, Chain};
use futures::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, contract, bundle] = &args[..] else {
        return Err("usage: events URL ADDRESS BUNDLE".into());
    };
    let chain = Chain::connect(url).await?;
    let bundle = Bundle::load(bundle)?;
    let mut events = chain.finalized_events(contract.parse()?, 1).await?;
    while let Some(event) = events.next().await {
        let event = event?;
        println!(
            "{}-{} {}",
            event.block,
            event.index,
            bundle.interface().event_text(&event.topics, &event.data)
        );
    }
    Ok(())
}
