//! Prints the final events of a contract, from block 1 on, and then as they come.
//!
//! cargo run -p cicada-chain --example events -- ws://127.0.0.1:9944 5C9WAS… contracts/bundles/leaderboard.contract

use cicada_chain::{Bundle, Chain};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, contract, bundle] = &args[..] else {
        return Err("usage: events URL ADDRESS BUNDLE".into());
    };
    let chain = Chain::connect(url).await?;
    let bundle = Bundle::load(bundle)?;
    let (contract, mut next) = (contract.parse()?, 1);
    loop {
        let newest = chain.final_block().await?;
        for number in next..=newest {
            for (_, event) in chain.block_events(number, &[contract]).await?.events {
                let text = bundle.interface().event_text(&event.topics, &event.data);
                println!("{number}-{} {text}", event.index);
            }
        }
        next = newest + 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
