//! One of the 23 Paxos nodes.
fn main() {}
