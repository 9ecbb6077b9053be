//! Compute requests, offers, first-accept auctions, the effective price (seeds 001, 002).
