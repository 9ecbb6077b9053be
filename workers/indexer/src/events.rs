//! The events of the contracts that are followed: their accounts, and their form in JSON.

use cicada_amounts::Units;
use cicada_contracts::{exchange, leaderboard, token, types::Role, Interface};
use cicada_core::Account;
use parity_scale_codec::{DecodeAll, Error};
use serde_json::{json, Value};

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

impl Origin {
    /// What the contract's events look like.
    pub fn interface(self) -> &'static Interface {
        match self {
            Self::Exchange => &exchange::INTERFACE,
            Self::Leaderboard => &leaderboard::INTERFACE,
            Self::Token => &token::INTERFACE,
        }
    }
}

macro_rules! events {
    ($($origin:ident $contract:ident $name:ident),* $(,)?) => {
        /// Any event that is known here.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // the variants are the structs
        pub enum Event {
            $($name($contract::events::$name)),*
        }

        impl Event {
            /// Reads the event of that name; none if there is no such event.
            ///
            /// # Errors
            /// If the data are not those of such an event.
            pub fn read(origin: Origin, name: &str, data: &[u8]) -> Result<Option<Self>, Error> {
                match (origin, name) {
                    $((
                        Origin::$origin,
                        <$contract::events::$name as cicada_contracts::Event>::NAME,
                    ) => DecodeAll::decode_all(&mut &data[..]).map(|event| Some(Self::$name(event))),)*
                    _ => Ok(None),
                }
            }
        }
    };
}

events! {
    Exchange exchange MarketListed,
    Exchange exchange Traded,
    Exchange exchange OrderPlaced,
    Exchange exchange OrderCancelled,
    Exchange exchange Deposited,
    Exchange exchange Withdrawn,
    Exchange exchange WithdrawalAnnounced,
    Exchange exchange TermsAnnounced,
    Exchange exchange PauseChanged,
    Exchange exchange OwnershipProposed,
    Exchange exchange OwnershipAccepted,
    Token token Transfer,
    Token token Approval,
    Token token RoleChanged,
    Leaderboard leaderboard LeaderboardFinalized,
}

impl Event {
    /// The accounts that the event names, each once.
    pub fn accounts(&self) -> Vec<Account> {
        let mut named: Vec<Account> = match self {
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

    /// Its fields in JSON.
    pub fn fields(&self) -> Value {
        match self {
            Self::MarketListed(e) => json!({
                "framework": e.framework, "token": e.token, "market": e.market,
            }),
            Self::Traded(e) => json!({
                "framework": e.framework, "taker": e.taker, "maker": e.maker,
                "side": e.side, "price": Units(e.price), "amount": Units(e.amount),
                "order": e.order,
            }),
            Self::OrderPlaced(e) => json!({
                "framework": e.framework, "owner": e.owner, "order": e.order,
                "side": e.side, "price": Units(e.price), "amount": Units(e.amount),
            }),
            Self::OrderCancelled(e) => json!({
                "framework": e.framework, "owner": e.owner, "order": e.order,
                "amount": Units(e.amount),
            }),
            Self::Deposited(e) => json!({
                "framework": e.framework, "from": e.from, "amount": Units(e.amount),
            }),
            Self::Withdrawn(e) => json!({
                "framework": e.framework, "to": e.to, "amount": Units(e.amount),
            }),
            Self::WithdrawalAnnounced(e) => json!({
                "framework": e.framework, "amount": Units(e.amount), "from_ms": e.from_ms,
            }),
            Self::TermsAnnounced(e) => terms(e),
            Self::PauseChanged(e) => json!({ "paused": e.paused, "from_ms": e.from_ms }),
            Self::OwnershipProposed(e) => {
                json!({ "owner": e.owner, "proposed": e.proposed })
            }
            Self::OwnershipAccepted(e) => json!({ "owner": e.owner }),
            Self::Transfer(e) => json!({
                "from": e.from, "to": e.to, "value": Units(e.value),
            }),
            Self::Approval(e) => json!({
                "owner": e.owner, "spender": e.spender, "amount": Units(e.amount),
            }),
            Self::RoleChanged(e) => json!({
                "account": e.account, "role": number(&e.role), "granted": e.granted,
            }),
            Self::LeaderboardFinalized(e) => json!({
                "slot": e.slot, "digest": e.digest, "epoch": e.epoch,
                "signers": e.signers, "time_ms": e.time_ms,
            }),
        }
    }
}

/// The announced terms: nested fields are flat here.
fn terms(event: &exchange::events::TermsAnnounced) -> Value {
    let (terms, limits) = (&event.terms, &event.terms.limits);
    json!({
        "max_quote_age_ms": terms.max_quote_age_ms,
        "max_outstanding": Units(limits.max_outstanding),
        "hourly_bps": limits.hourly_bps,
        "account_bps": limits.account_bps,
        "from_ms": event.from_ms,
    })
}

/// A role as a number.
fn number(role: &Role) -> u8 {
    match role {
        Role::Admin => 0,
        Role::Minter => 1,
        Role::Burner => 2,
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
        assert_eq!(event.accounts(), [Account([1; 32]), Account([2; 32])]);
        let json = event.fields();
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
        let said = json!({
            "max_quote_age_ms": 5, "max_outstanding": "8", "hourly_bps": 9, "account_bps": 10,
            "from_ms": 6,
        });
        assert_eq!(event.fields(), said);
    }

    #[test]
    fn a_role_is_a_number_as_it_came() {
        for role in [Role::Admin, Role::Minter, Role::Burner] {
            assert_eq!([number(&role)], role.encode()[..]);
        }
    }

    #[test]
    fn an_account_is_named_once() {
        let own = (Some([3u8; 32]), Some([3u8; 32]), 1u128).encode();
        let event = Event::read(Origin::Token, "Transfer", &own).unwrap().unwrap();
        assert_eq!(event.accounts(), [Account([3; 32])]);
    }
}
