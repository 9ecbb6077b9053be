//! `escrow`: money held until a job is done, by rules that nobody gets round.

mod audit;
mod cost;
mod disputes;
mod frozen;
mod life;
mod money;
mod operator;
mod rules;
mod signed;
mod stage;
