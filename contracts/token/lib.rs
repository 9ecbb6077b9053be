//! A fungible token: the PSP22 standard, its metadata, and a supply that changes under roles.
//!
//! One code, many instances: MMC, PRANA, TAO, the subnet tokens and the performance tokens.
//! Page: `docs/contracts/token.md`; interfaces: `cicada_traits::psp22`.
#![cfg_attr(not(feature = "std"), no_std, no_main)]

#[ink::contract]
pub mod token {
    use cicada_traits::psp22::{PSP22Error, PSP22Metadata, Role, Roles, Supply, TokenError, PSP22};
    use ink::{
        env::ReturnFlags,
        prelude::{string::String, vec::Vec},
        scale::Encode,
        storage::Mapping,
        MessageResult,
    };

    /// Tokens moved, were created (`from` is none) or destroyed (`to` is none).
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Transfer {
        /// Whose tokens they were.
        #[ink(topic)]
        pub from: Option<AccountId>,
        /// Whose tokens they are now.
        #[ink(topic)]
        pub to: Option<AccountId>,
        /// The amount, in smallest units.
        pub value: u128,
    }

    /// An allowance changed.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Approval {
        /// Whose tokens may be taken.
        #[ink(topic)]
        pub owner: AccountId,
        /// Who may take them.
        #[ink(topic)]
        pub spender: AccountId,
        /// What may be taken from now on, in smallest units.
        pub amount: u128,
    }

    /// An account got a role or lost it.
    #[ink(event)]
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RoleChanged {
        /// Whose role it is.
        #[ink(topic)]
        pub account: AccountId,
        /// The role.
        pub role: Role,
        /// Whether the account has it now.
        pub granted: bool,
    }

    /// What the ledger knows: one number for each.
    #[derive(Clone, Copy)]
    #[ink::scale_derive(Encode, TypeInfo)]
    #[allow(clippy::cast_possible_truncation)] // inside the derived `Encode`
    pub enum Entry {
        /// What an account holds, in smallest units.
        Balance(AccountId),
        /// What the second account may take from the first, in smallest units.
        Allowance(AccountId, AccountId),
        /// The roles of an account, one bit each.
        Roles(AccountId),
    }

    /// The state of one token.
    #[ink(storage)]
    pub struct Token {
        /// The sum of all balances.
        total_supply: u128,
        /// Kept as bytes: the text was checked at creation, and every call loads the root.
        name: Vec<u8>,
        /// As the name.
        symbol: Vec<u8>,
        decimals: u8,
        /// All entries that are not zero. One map instead of three: a third of the code, and code is
        /// what a call pays for.
        ledger: Mapping<Entry, u128>,
    }

    impl Token {
        /// Creates a token. The caller becomes its admin and holds `initial_supply`, in smallest
        /// units; nobody is minter or burner yet.
        ///
        /// # Events
        /// `Transfer` from nobody, if the supply is not zero.
        #[ink(constructor)]
        pub fn new(name: String, symbol: String, decimals: u8, initial_supply: u128) -> Self {
            let caller = Self::env().caller();
            let mut token = Self {
                total_supply: initial_supply,
                name: name.into_bytes(),
                symbol: symbol.into_bytes(),
                decimals,
                ledger: Mapping::new(),
            };
            token.set(&Entry::Roles(caller), bit(Role::Admin));
            if initial_supply != 0 {
                token.set(&Entry::Balance(caller), initial_supply);
                token.env().emit_event(Transfer {
                    from: None,
                    to: Some(caller),
                    value: initial_supply,
                });
            }
            token
        }

        /// Reads an entry; 0 if it is not there.
        fn get(&self, entry: &Entry) -> u128 {
            self.ledger.get(entry).unwrap_or_default()
        }

        /// Writes an entry, or removes it for a 0, which gives its deposit back.
        fn set(&mut self, entry: &Entry, value: u128) {
            if value == 0 {
                self.ledger.remove(entry);
            } else {
                self.ledger.insert(entry, &value);
            }
        }

        /// Takes `value` from the balance of `from`.
        fn debit(&mut self, from: AccountId, value: u128) -> Result<(), PSP22Error> {
            let left =
                self.balance_of(from).checked_sub(value).ok_or(PSP22Error::InsufficientBalance)?;
            self.set(&Entry::Balance(from), left);
            Ok(())
        }

        /// Adds `value` to the balance of `to`.
        fn credit(&mut self, to: AccountId, value: u128) -> Result<(), PSP22Error> {
            // Never an error: no balance exceeds the total supply, whose growth is checked.
            let balance =
                self.balance_of(to).checked_add(value).ok_or(PSP22Error::Custom(String::new()))?;
            self.set(&Entry::Balance(to), balance);
            Ok(())
        }

        /// Replaces an allowance.
        fn set_allowance(&mut self, owner: AccountId, spender: AccountId, amount: u128) {
            self.set(&Entry::Allowance(owner, spender), amount);
            self.env().emit_event(Approval { owner, spender, amount });
        }

        /// Uses up `value` of what `owner` allows `spender`; for its own tokens nobody needs one.
        fn spend_allowance(
            &mut self,
            owner: AccountId,
            spender: AccountId,
            value: u128,
        ) -> Result<(), PSP22Error> {
            if owner == spender {
                return Ok(());
            }
            let left = self
                .allowance(owner, spender)
                .checked_sub(value)
                .ok_or(PSP22Error::InsufficientAllowance)?;
            self.set_allowance(owner, spender, left);
            Ok(())
        }

        /// Moves `value` from `from` to `to`, who are not the same.
        fn move_tokens(
            &mut self,
            from: AccountId,
            to: AccountId,
            value: u128,
        ) -> Result<(), PSP22Error> {
            self.debit(from, value)?;
            self.credit(to, value)?;
            self.env().emit_event(Transfer { from: Some(from), to: Some(to), value });
            Ok(())
        }

        /// The caller must have `role`.
        fn ensure_role(&self, role: Role) -> Result<(), TokenError> {
            if !self.has_role(role, self.env().caller()) {
                return Err(TokenError::MissingRole(role));
            }
            Ok(())
        }

        /// Gives or takes a role; without a change, without an event.
        fn set_role(&mut self, role: Role, account: AccountId, granted: bool) {
            let before = self.get(&Entry::Roles(account));
            let after = if granted { before | bit(role) } else { before & !bit(role) };
            if after != before {
                self.set(&Entry::Roles(account), after);
                self.env().emit_event(RoleChanged { account, role, granted });
            }
        }
    }

    /// Ends a message with this answer, and leaves the root cell as it is. Returning would make ink!
    /// write the root after every `&mut self` message, which costs more than all the computation of a
    /// transfer. So: only where no field of the root has changed, and only with what the message's
    /// own `Ok` would encode to.
    fn reply<T: Encode>(answer: T) -> ! {
        ink::env::return_value(ReturnFlags::empty(), &MessageResult::Ok(answer))
    }

    /// [`reply`] of the messages that have nothing to say.
    fn finish() -> ! {
        reply(Ok::<(), ()>(()))
    }

    /// The bit of a role among the roles of an account.
    const fn bit(role: Role) -> u128 {
        match role {
            Role::Admin => 1,
            Role::Minter => 2,
            Role::Burner => 4,
        }
    }

    impl PSP22 for Token {
        /// All tokens there are, in the smallest unit.
        #[ink(message)]
        fn total_supply(&self) -> u128 {
            self.total_supply
        }

        /// What an account holds.
        #[ink(message)]
        fn balance_of(&self, owner: AccountId) -> u128 {
            self.get(&Entry::Balance(owner))
        }

        /// What a spender may still move on behalf of an owner.
        #[ink(message)]
        fn allowance(&self, owner: AccountId, spender: AccountId) -> u128 {
            self.get(&Entry::Allowance(owner, spender))
        }

        /// Moves tokens of the caller.
        #[ink(message)]
        fn transfer(
            &mut self,
            to: AccountId,
            value: u128,
            _data: Vec<u8>,
        ) -> Result<(), PSP22Error> {
            let from = self.env().caller();
            if from != to && value != 0 {
                self.move_tokens(from, to, value)?;
            }
            finish()
        }

        /// Moves tokens of another account that allowed it to the caller.
        #[ink(message)]
        fn transfer_from(
            &mut self,
            from: AccountId,
            to: AccountId,
            value: u128,
            _data: Vec<u8>,
        ) -> Result<(), PSP22Error> {
            if from != to && value != 0 {
                self.spend_allowance(from, self.env().caller(), value)?;
                self.move_tokens(from, to, value)?;
            }
            finish()
        }

        /// Sets what a spender may move on behalf of the caller.
        #[ink(message)]
        fn approve(&mut self, spender: AccountId, value: u128) -> Result<(), PSP22Error> {
            let owner = self.env().caller();
            if owner != spender {
                self.set_allowance(owner, spender, value);
            }
            finish()
        }

        /// Raises what a spender may move on behalf of the caller.
        #[ink(message)]
        fn increase_allowance(
            &mut self,
            spender: AccountId,
            delta_value: u128,
        ) -> Result<(), PSP22Error> {
            let owner = self.env().caller();
            if owner != spender && delta_value != 0 {
                // A ceiling, not money: `u128::MAX` already covers all tokens there can be.
                let amount = self.allowance(owner, spender).saturating_add(delta_value);
                self.set_allowance(owner, spender, amount);
            }
            finish()
        }

        /// Lowers what a spender may move on behalf of the caller.
        #[ink(message)]
        fn decrease_allowance(
            &mut self,
            spender: AccountId,
            delta_value: u128,
        ) -> Result<(), PSP22Error> {
            if delta_value == 0 {
                finish();
            }
            self.spend_allowance(self.env().caller(), spender, delta_value)?;
            finish()
        }
    }

    impl PSP22Metadata for Token {
        /// The name.
        #[ink(message)]
        fn token_name(&self) -> Option<String> {
            reply(Some(&self.name))
        }

        /// The symbol.
        #[ink(message)]
        fn token_symbol(&self) -> Option<String> {
            reply(Some(&self.symbol))
        }

        /// How many decimals one token has.
        #[ink(message)]
        fn token_decimals(&self) -> u8 {
            self.decimals
        }
    }

    impl Supply for Token {
        /// Creates tokens. Minters.
        #[ink(message)]
        fn mint(&mut self, to: AccountId, value: u128) -> Result<(), TokenError> {
            self.ensure_role(Role::Minter)?;
            if value == 0 {
                finish();
            }
            self.total_supply =
                self.total_supply.checked_add(value).ok_or(TokenError::SupplyOverflow)?;
            self.credit(to, value)?;
            self.env().emit_event(Transfer { from: None, to: Some(to), value });
            Ok(())
        }

        /// Destroys tokens of an account within its allowance. Burners.
        #[ink(message)]
        fn burn(&mut self, from: AccountId, value: u128) -> Result<(), TokenError> {
            self.ensure_role(Role::Burner)?;
            if value == 0 {
                finish();
            }
            self.spend_allowance(from, self.env().caller(), value)?;
            self.debit(from, value)?;
            // Never an error: no balance exceeds the total supply.
            self.total_supply =
                self.total_supply.checked_sub(value).ok_or(PSP22Error::InsufficientBalance)?;
            self.env().emit_event(Transfer { from: Some(from), to: None, value });
            Ok(())
        }
    }

    impl Roles for Token {
        /// Whether an account has a role.
        #[ink(message)]
        fn has_role(&self, role: Role, account: AccountId) -> bool {
            self.get(&Entry::Roles(account)) & bit(role) != 0
        }

        /// Gives a role. Admins.
        #[ink(message)]
        fn grant_role(&mut self, role: Role, account: AccountId) -> Result<(), TokenError> {
            self.ensure_role(Role::Admin)?;
            self.set_role(role, account, true);
            finish()
        }

        /// Takes a role. Admins, or who gives up his own.
        #[ink(message)]
        fn revoke_role(&mut self, role: Role, account: AccountId) -> Result<(), TokenError> {
            if account != self.env().caller() {
                self.ensure_role(Role::Admin)?;
            }
            self.set_role(role, account, false);
            finish()
        }
    }
}
