//! Service levels, how they are measured, and the penalty (seed 002).
