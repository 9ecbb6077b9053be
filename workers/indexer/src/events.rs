//! Events of the contracts, field by field in the order in which they are encoded.

use crate::types::{Digest, Id, Name, Units, Way};
use parity_scale_codec::{Decode, DecodeAll, Error};
use serde::Serialize;

/// Which contract an event is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The exchange.
    Exchange,
    /// The leaderboard.
    Leaderboard,
    /// MMC, or a performance token.
    Token,
}

/// A framework got a market.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct MarketListed {
    /// The framework.
    pub framework: Name,
    /// The contract of its token.
    pub token: Id,
    /// Its place in the list of markets.
    pub market: u32,
}

/// Tokens were traded.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct Traded {
    /// Which tokens.
    pub framework: Name,
    /// Who traded; where the market maker fills a resting order, its owner.
    pub taker: Id,
    /// Whose resting order was filled; none is the market maker.
    pub maker: Option<Id>,
    /// The taker's side.
    pub side: Way,
    /// Base units of MMC for one token.
    pub price: Units,
    /// Tokens.
    pub amount: Units,
    /// The resting order that was filled, if one was.
    pub order: Option<u64>,
}

/// An order rests.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct OrderPlaced {
    /// Which tokens.
    pub framework: Name,
    /// Whose.
    pub owner: Id,
    /// Its number.
    pub order: u64,
    /// Whether it buys or sells.
    pub side: Way,
    /// Base units of MMC for one token.
    pub price: Units,
    /// Tokens that rest, after the trades at once.
    pub amount: Units,
}

/// What was left of an order was given back.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct OrderCancelled {
    /// Which tokens.
    pub framework: Name,
    /// Whose.
    pub owner: Id,
    /// Its number.
    pub order: u64,
    /// Tokens that were left.
    pub amount: Units,
}

/// Money went into the reserve of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct Deposited {
    /// The framework.
    pub framework: Name,
    /// Who paid.
    pub from: Id,
    /// Base units of MMC.
    pub amount: Units,
}

/// Money went out of the reserve of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct Withdrawn {
    /// The framework.
    pub framework: Name,
    /// Who was paid.
    pub to: Id,
    /// Base units of MMC.
    pub amount: Units,
}

/// The owner will take money out of the reserve of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct WithdrawalAnnounced {
    /// The framework.
    pub framework: Name,
    /// Base units of MMC, at most.
    pub amount: Units,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
}

/// The parameters of the exchange will change.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct TermsAnnounced {
    /// The age from which on a quote will be stale, in milliseconds.
    pub max_quote_age_ms: u64,
    /// The most tokens of a framework that may exist.
    pub max_outstanding: Units,
    /// The most that is taken, and paid, within an hour, in bps of the reserve.
    pub hourly_bps: u16,
    /// The most of that for one account, in bps.
    pub account_bps: u16,
    /// From when on, in milliseconds since 1970.
    pub from_ms: u64,
}

/// Trading was paused, or will be resumed.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct PauseChanged {
    /// Whether it was paused.
    pub paused: bool,
    /// From when on it is paused or open, in milliseconds since 1970.
    pub from_ms: u64,
}

/// The owner offered ownership.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct OwnershipProposed {
    /// The owner.
    pub owner: Id,
    /// Who may accept.
    pub proposed: Id,
}

/// Ownership was handed on.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct OwnershipAccepted {
    /// The new owner.
    pub owner: Id,
}

/// Tokens moved, were created (from none) or destroyed (to none).
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct Transfer {
    /// Whose they were.
    pub from: Option<Id>,
    /// Whose they are.
    pub to: Option<Id>,
    /// Smallest units.
    pub value: Units,
}

/// An allowance changed.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct Approval {
    /// Whose tokens.
    pub owner: Id,
    /// Who may take them.
    pub spender: Id,
    /// How many, in smallest units.
    pub amount: Units,
}

/// A role at a token was given or taken.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct RoleChanged {
    /// Whose role.
    pub account: Id,
    /// 0 admin, 1 minter, 2 burner.
    pub role: u8,
    /// Whether the account has it now.
    pub granted: bool,
}

/// A leaderboard became final.
#[derive(Clone, Debug, PartialEq, Eq, Decode, Serialize)]
pub struct LeaderboardFinalized {
    /// Its slot.
    pub slot: u64,
    /// The digest of its report.
    pub digest: Digest,
    /// The committee.
    pub epoch: u32,
    /// Bit `i` for seat `i`.
    pub signers: u32,
    /// When it was observed, in milliseconds since 1970.
    pub time_ms: u64,
}

macro_rules! events {
    ($($origin:ident $name:ident($fields:ty)),* $(,)?) => {
        /// Any event that is known here.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        #[allow(missing_docs)] // the variants are the structs
        pub enum Event {
            $($name($fields)),*
        }

        impl Event {
            /// Reads the event of that name; none if there is no such event.
            ///
            /// # Errors
            /// If the data are not those of such an event.
            pub fn read(origin: Origin, name: &str, data: &[u8]) -> Result<Option<Self>, Error> {
                match (origin, name) {
                    $((Origin::$origin, stringify!($name)) =>
                        <$fields>::decode_all(&mut &data[..]).map(|event| Some(Self::$name(event))),)*
                    _ => Ok(None),
                }
            }
        }
    };
}

events! {
    Exchange MarketListed(MarketListed),
    Exchange Traded(Traded),
    Exchange OrderPlaced(OrderPlaced),
    Exchange OrderCancelled(OrderCancelled),
    Exchange Deposited(Deposited),
    Exchange Withdrawn(Withdrawn),
    Exchange WithdrawalAnnounced(WithdrawalAnnounced),
    Exchange TermsAnnounced(TermsAnnounced),
    Exchange PauseChanged(PauseChanged),
    Exchange OwnershipProposed(OwnershipProposed),
    Exchange OwnershipAccepted(OwnershipAccepted),
    Token Transfer(Transfer),
    Token Approval(Approval),
    Token RoleChanged(RoleChanged),
    Leaderboard LeaderboardFinalized(LeaderboardFinalized),
}

impl Event {
    /// The accounts that the event names, each once.
    pub fn accounts(&self) -> Vec<Id> {
        let mut named: Vec<Id> = match self {
            Self::MarketListed(event) => vec![event.token],
            Self::Traded(event) => std::iter::once(event.taker).chain(event.maker).collect(),
            Self::OrderPlaced(event) => vec![event.owner],
            Self::OrderCancelled(event) => vec![event.owner],
            Self::Deposited(event) => vec![event.from],
            Self::Withdrawn(event) => vec![event.to],
            Self::OwnershipProposed(event) => vec![event.owner, event.proposed],
            Self::OwnershipAccepted(event) => vec![event.owner],
            Self::Transfer(event) => event.from.into_iter().chain(event.to).collect(),
            Self::Approval(event) => vec![event.owner, event.spender],
            Self::RoleChanged(event) => vec![event.account],
            Self::WithdrawalAnnounced(_)
            | Self::TermsAnnounced(_)
            | Self::PauseChanged(_)
            | Self::LeaderboardFinalized(_) => vec![],
        };
        named.sort_unstable();
        named.dedup();
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cicada_core::exchange::{Limits, MakerTerms, Side};
    use cicada_core::quote::Framework;
    use parity_scale_codec::Encode;

    #[test]
    fn a_trade_is_read_field_by_field() {
        let framework = Framework::new("claude").unwrap();
        let fields =
            (framework, [1u8; 32], Some([2u8; 32]), Side::Sell, 990u128, 7u128, Some(5u64));
        let data = fields.encode();
        let event = Event::read(Origin::Exchange, "Traded", &data).unwrap().unwrap();
        assert_eq!(event.accounts(), [Id([1; 32]), Id([2; 32])]);
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(json["framework"], "claude");
        assert_eq!((&json["side"], &json["price"]), (&"sell".into(), &"990".into()));
        assert_eq!((&json["amount"], &json["order"]), (&"7".into(), &5.into()));
        assert!(Event::read(Origin::Exchange, "Traded", &data[1..]).is_err(), "cut off");
        let longer = [&data[..], &[0]].concat();
        assert!(Event::read(Origin::Exchange, "Traded", &longer).is_err(), "too long");
        assert_eq!(Event::read(Origin::Token, "Traded", &data), Ok(None), "no event of a token");
    }

    #[test]
    fn nested_fields_are_flat_here() {
        let limits = Limits { max_outstanding: 8, hourly_bps: 9, account_bps: 10 };
        let data = (MakerTerms { max_quote_age_ms: 5, limits }, 6u64).encode();
        let event = Event::read(Origin::Exchange, "TermsAnnounced", &data).unwrap().unwrap();
        let Event::TermsAnnounced(terms) = event else { panic!("{event:?}") };
        assert_eq!((terms.max_quote_age_ms, terms.max_outstanding), (5, Units(8)));
        assert_eq!((terms.hourly_bps, terms.account_bps, terms.from_ms), (9, 10, 6));
    }

    #[test]
    fn an_account_is_named_once() {
        let own = (Some([3u8; 32]), Some([3u8; 32]), 1u128).encode();
        let event = Event::read(Origin::Token, "Transfer", &own).unwrap().unwrap();
        assert_eq!(event.accounts(), [Id([3; 32])]);
    }
}
