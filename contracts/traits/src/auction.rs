//! The compute market (`docs/contracts/auction.md`).
