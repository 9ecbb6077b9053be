//! A provider of the compute market: follows the market, accepts what its policy allows, runs
//! a command for each job in a restricted child process, and delivers the result.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | the configuration file |
//! | [`task`] | a kind of work, as the configuration has it |
//! | [`policy`] | which requests are taken, without input or output |
//! | [`job`] | runs a command within limits, seen from the parent |
//! | [`queue`] | what can be begun in time |
//! | [`sandbox`] | the world of its own that each job gets |
//! | [`restrict`] | becomes the command, within limits: what the child does |
//! | [`worker`] | what it works with |
//! | [`work`] | one assignment from hand-over to delivery |
//! | [`accept`] | offers and accepts |
//! | `rounds` | one look at the market after another |
//! | [`service`] | start and end |
//! | [`status`] | `/status` and `/metrics` |

pub mod accept;
pub mod config;
pub mod job;
pub mod policy;
pub mod queue;
pub mod restrict;
mod rounds;
pub mod sandbox;
pub mod service;
mod state;
pub mod status;
pub mod task;
pub mod work;
pub mod worker;
