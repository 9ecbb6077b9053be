//! Commitments to payloads that only the assigned provider may see (seed 001).
