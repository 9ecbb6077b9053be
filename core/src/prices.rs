//! Prices of settled work over the last 24 hours, in hourly buckets (seed 002).
