//! Everything that a node can sign within the bounds of a model, by number.

use cicada_consensus::byzantine::{Kind, Statement};
use cicada_consensus::{digest, Claim, Pledge, Position, Value, View, FIRST_VIEW};
use cicada_core::hash::Digest;
use std::collections::HashMap;

/// The digest of the configuration in all models.
pub const CONFIG_DIGEST: Digest = Digest([7; 32]);

/// How many values there are.
pub const VALUES: usize = 2;

/// A set of statements of one node: bit `i` for statement `i` of the [`Domain`].
pub type Signed = u128;

/// The statements that a model knows.
pub struct Domain {
    /// The last position.
    pub positions: Position,
    /// The values.
    pub values: Vec<Value>,
    /// All prepared and committed statements, then the pledges.
    pub statements: Vec<Statement>,
    /// The pledges, unsigned and without a seat, with the numbers of their statements.
    pub pledges: Vec<(usize, Pledge)>,
    by_message: HashMap<Digest, usize>,
    by_statement: HashMap<Statement, usize>,
    votes: usize,
    swapped: Vec<usize>,
}

impl Domain {
    /// All statements about two values at the first positions in the first views; pledges
    /// also after decisions, if `learning`.
    ///
    /// # Panics
    /// If they are more than a [`Signed`] has bits.
    pub fn new(views: View, positions: Position, learning: bool) -> Self {
        let values: Vec<Value> = vec![b"a".to_vec(), b"b".to_vec()];
        let mut domain = Self {
            positions,
            values,
            statements: Vec::new(),
            pledges: Vec::new(),
            by_message: HashMap::new(),
            by_statement: HashMap::new(),
            votes: 0,
            swapped: Vec::new(),
        };
        for kind in [Kind::Prepared, Kind::Committed] {
            for position in 1..=positions {
                for view in FIRST_VIEW..=views {
                    for value in domain.values.clone() {
                        let digest = digest(&value);
                        domain.add(Statement { kind, position, view, digest });
                    }
                }
            }
        }
        domain.votes = domain.statements.len();
        for view in FIRST_VIEW + 1..=views {
            for tip in 0..=if learning { positions } else { 0 } {
                domain.add_pledges(view, tip);
            }
        }
        assert!(domain.statements.len() <= Signed::BITS as usize, "too many statements");
        domain.swapped = domain.statements.iter().map(|s| domain.mirror(s)).collect();
        domain
    }

    fn add(&mut self, statement: Statement) -> usize {
        let number = self.statements.len();
        self.statements.push(statement);
        self.by_statement.insert(statement, number);
        self.by_message.insert(statement.message(&CONFIG_DIGEST), number);
        number
    }

    fn add_pledges(&mut self, view: View, tip: Position) {
        let mut lists: Vec<Vec<Claim>> = vec![Vec::new()];
        for position in tip + 1..=self.positions {
            let mut longer = lists.clone();
            for earlier in FIRST_VIEW..view {
                for value in &self.values {
                    let claim = Claim { position, view: earlier, digest: digest(value) };
                    longer.extend(lists.iter().map(|list| [&list[..], &[claim]].concat()));
                }
            }
            lists = longer;
        }
        for claims in lists {
            let pledge = Pledge { seat: 0, view, tip, claims, signature: [0; 64] };
            let number = self.add(pledge.statement());
            self.pledges.push((number, pledge));
        }
    }

    /// The number of a statement by the message that was signed.
    pub fn by_message(&self, message: &Digest) -> Option<usize> {
        self.by_message.get(message).copied()
    }

    /// The number of a statement.
    pub fn number(&self, statement: &Statement) -> Option<usize> {
        self.by_statement.get(statement).copied()
    }

    /// The other value's digest; anything else stays.
    pub fn other(&self, known: Digest) -> Digest {
        let at = self.values.iter().position(|value| digest(value) == known);
        at.and_then(|at| self.values.get(VALUES - 1 - at)).map_or(known, |value| digest(value))
    }

    // The number of the statement with the values exchanged.
    fn mirror(&self, statement: &Statement) -> usize {
        let mirrored = match statement.kind {
            Kind::Pledge => {
                let found = self.pledges.iter().find(|(_, p)| p.statement() == *statement);
                let mut pledge = found.map(|(_, pledge)| pledge.clone()).unwrap_or_else(|| {
                    unreachable!("every pledge statement was added with its pledge")
                });
                for claim in &mut pledge.claims {
                    claim.digest = self.other(claim.digest);
                }
                pledge.statement()
            }
            _ => Statement { digest: self.other(statement.digest), ..*statement },
        };
        self.by_statement[&mirrored]
    }

    /// The same statements with the values exchanged.
    pub fn swap(&self, signed: Signed) -> Signed {
        let bits = self.swapped.iter().enumerate();
        bits.filter(|(from, _)| signed >> from & 1 == 1).fold(0, |all, (_, to)| all | 1 << to)
    }

    /// The committed statement to a prepared one, and the other way round.
    pub fn namesake(&self, number: usize) -> usize {
        (number + self.votes / 2) % self.votes
    }

    /// The statements of a kind.
    pub fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (usize, &Statement)> + '_ {
        self.statements.iter().enumerate().filter(move |(_, s)| s.kind == kind)
    }

    /// The pledges among the statements.
    pub fn pledge_mask(&self) -> Signed {
        self.pledges.iter().fold(0, |mask, (number, _)| mask | 1 << number)
    }
}
