//! What a role is.

use cicada_dice::Dice;
use std::fmt::Debug;

/// One role, and the contracts and the honest others that it plays with.
///
/// A play has moments. In each of them the player does what his plan says, and then the others do what
/// they always do at that moment and time passes. He knows beforehand what they will do: who is
/// better informed cannot be. All money is in smallest units.
pub trait Role {
    /// Something that he can do.
    type Act: Clone + Debug;

    /// Goes back to the start, which is always the same.
    fn begin(&mut self);

    /// How many moments a play has.
    fn moments(&self) -> u32;

    /// Some act.
    fn draw(&self, dice: &mut Dice) -> Self::Act;

    /// He acts; what is refused changes nothing.
    fn act(&mut self, act: &Self::Act);

    /// The others act, and time passes.
    fn pass(&mut self, moment: u32);

    /// What he has, all accounts of his together, at the prices of the end.
    fn wealth(&mut self) -> i128;

    /// The most that the rules let him win in this play over doing nothing, by what happened in it:
    /// a statement about the world, which must not mention how the contracts keep it.
    fn allowed(&mut self) -> i128;
}

/// What somebody does, each act with its moment; in the order of the moments.
pub type Plan<A> = Vec<(u32, A)>;

/// How a play ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// What he has at the end.
    pub wealth: i128,
    /// What the rules let him win.
    pub allowed: i128,
}

/// Plays a plan from the start.
pub fn play<R: Role>(role: &mut R, plan: &Plan<R::Act>) -> End {
    role.begin();
    for moment in 0..role.moments() {
        for (_, act) in plan.iter().filter(|(at, _)| *at == moment) {
            role.act(act);
        }
        role.pass(moment);
    }
    End { wealth: role.wealth(), allowed: role.allowed() }
}
