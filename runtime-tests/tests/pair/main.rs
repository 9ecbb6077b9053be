//! `pair`: a pool that nobody owns, in which no unit is lost and nobody gains by rounding.

mod cost;
mod liquidity;
mod price;
mod random;
mod shares;
mod stage;
mod trades;
