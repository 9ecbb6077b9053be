//! What a decision costs when every node sends its own vote, as bridges do that count the calls of
//! their guardians instead of checking a certificate. Only for benchmarks.
//!
//! It does less than `leaderboard`: it keeps the digest of a decision, not its content.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
mod votes {
    use ink::prelude::vec::Vec;
    use ink::storage::Mapping;

    /// A decision has enough votes.
    #[ink(event)]
    pub struct Decided {
        slot: u64,
        digest: [u8; 32],
        voters: u32,
    }

    /// Why a vote does not count.
    #[derive(Debug, PartialEq, Eq)]
    #[ink::scale_derive(Encode, Decode, TypeInfo)]
    pub enum VotesError {
        /// The caller has no seat.
        NotMember,
        /// The slot is decided.
        AlreadyDecided,
    }

    /// Slot and digest that a vote is for.
    type Ballot = (u64, [u8; 32]);

    /// The members and their votes.
    #[ink(storage)]
    pub struct Votes {
        quorum: u32,
        seats: Mapping<AccountId, u8>,
        votes: Mapping<Ballot, u32>,
        decided: Mapping<u64, [u8; 32]>,
    }

    impl Votes {
        /// Members in seat order, at most 32, and how many must agree.
        #[ink(constructor)]
        pub fn new(members: Vec<AccountId>, quorum: u32) -> Self {
            let mut seats = Mapping::new();
            for (seat, member) in (0u8..32).zip(&members) {
                seats.insert(member, &seat);
            }
            Self { quorum, seats, votes: Mapping::new(), decided: Mapping::new() }
        }

        /// Votes for a digest in a slot; the vote that completes the quorum decides.
        #[ink(message)]
        pub fn vote(&mut self, slot: u64, digest: [u8; 32]) -> Result<bool, VotesError> {
            let seat = self.seats.get(self.env().caller()).ok_or(VotesError::NotMember)?;
            if self.decided.contains(slot) {
                return Err(VotesError::AlreadyDecided);
            }
            let bit = 1u32.checked_shl(u32::from(seat)).unwrap_or(0);
            let voters = self.votes.get((slot, digest)).unwrap_or(0) | bit;
            if voters.count_ones() < self.quorum {
                self.votes.insert((slot, digest), &voters);
                return Ok(false);
            }
            self.votes.remove((slot, digest));
            self.decided.insert(slot, &digest);
            self.env().emit_event(Decided { slot, digest, voters });
            Ok(true)
        }
    }
}
