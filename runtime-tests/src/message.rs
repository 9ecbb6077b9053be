//! What is sent to a contract: ink!'s own typed call builders, turned into bytes.

use ink::{
    codegen::TraitCallBuilder,
    env::{
        call::{
            state::Salt,
            utils::{ReturnType, Set, Unset},
            Call, CallBuilder, ConstructorReturnType, CreateBuilder, ExecutionInput, FromAccountId,
            LimitParamsV2,
        },
        DefaultEnvironment, Environment,
    },
    primitives::LangError,
    ToAccountId,
};
use parity_scale_codec::{Decode, Encode};

use crate::{AccountId, Balance};

type Hash = <DefaultEnvironment as Environment>::Hash;

/// A call of one message of one contract, and the type it answers with.
pub trait Message {
    /// What the message returns.
    type Output: Decode;
    /// Callee, native money sent along, selector and arguments.
    fn into_raw(self) -> RawMessage;
}

/// A call in bytes, for what no contract crate describes (wrong selectors, cut arguments, other ABIs).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawMessage {
    /// The contract.
    pub callee: AccountId,
    /// Native money sent along.
    pub value: Balance,
    /// Selector (4 bytes) and SCALE-encoded arguments.
    pub data: Vec<u8>,
}

impl Message for RawMessage {
    type Output = Undecoded;
    fn into_raw(self) -> RawMessage {
        self
    }
}

/// The bytes a raw message returned, after the `Ok` that ink! puts before each answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecoded(pub Vec<u8>);

impl Decode for Undecoded {
    fn decode<I: parity_scale_codec::Input>(
        input: &mut I,
    ) -> Result<Self, parity_scale_codec::Error> {
        let mut bytes = Vec::new();
        while let Ok(byte) = input.read_byte() {
            bytes.push(byte);
        }
        Ok(Self(bytes))
    }
}

impl<Args: Encode, R: Decode> Message
    for CallBuilder<
        DefaultEnvironment,
        Set<Call<DefaultEnvironment>>,
        Set<ExecutionInput<Args>>,
        Set<ReturnType<R>>,
    >
{
    type Output = R;
    fn into_raw(self) -> RawMessage {
        let call = self.params();
        RawMessage {
            callee: *call.callee(),
            value: *call.transferred_value(),
            data: call.exec_input().encode(),
        }
    }
}

/// A call of a constructor, and the type it answers with: a reference to the new contract, or a
/// `Result` of one.
pub trait Constructor {
    /// A reference to the contract, or a `Result` of one.
    type Output;
    /// Selector and arguments.
    fn data(self) -> Vec<u8>;
    /// The typed answer from the new contract's address and the constructor's answer in bytes.
    fn output(address: AccountId, answer: &[u8]) -> Result<Self::Output, String>;
}

impl<C, Args, R> Constructor
    for CreateBuilder<
        DefaultEnvironment,
        C,
        Unset<Hash>,
        Set<LimitParamsV2<DefaultEnvironment>>,
        Unset<Balance>,
        Set<ExecutionInput<Args>>,
        Unset<Salt>,
        Set<ReturnType<R>>,
    >
where
    C: FromAccountId<DefaultEnvironment>,
    Args: Encode,
    R: ConstructorReturnType<C>,
{
    type Output = R::Output;

    fn data(self) -> Vec<u8> {
        let create = self.code_hash(Hash::default()).endowment(0).salt_bytes([0u8; 0]).params();
        create.exec_input().encode()
    }

    fn output(address: AccountId, answer: &[u8]) -> Result<R::Output, String> {
        let contract = || R::ok(C::from_account_id(address));
        let undecodable =
            |error| format!("the constructor's answer {answer:02x?} cannot be decoded: {error}");
        if !R::IS_RESULT {
            let lang: Result<(), LangError> =
                Decode::decode(&mut &answer[..]).map_err(undecodable)?;
            return lang.map(|()| contract()).map_err(|error| format!("{error:?}"));
        }
        let lang: Result<Result<(), R::Error>, LangError> =
            Decode::decode(&mut &answer[..]).map_err(undecodable)?;
        match lang.map_err(|error| format!("{error:?}"))? {
            Ok(()) => Ok(contract()),
            Err(error) => {
                R::err(error).ok_or_else(|| "a constructor without an error failed".to_owned())
            }
        }
    }
}

/// A fresh call builder of a contract: `on(&token).transfer(bob, 5)` describes the call, does nothing.
pub fn on<C>(contract: &C) -> C::Builder
where
    C: TraitCallBuilder + ToAccountId<DefaultEnvironment>,
    C::Builder: FromAccountId<DefaultEnvironment>,
{
    C::Builder::from_account_id(contract.to_account_id())
}

/// The address of a contract.
pub fn address<C: ToAccountId<DefaultEnvironment>>(contract: &C) -> AccountId {
    contract.to_account_id()
}

/// A typed reference to a contract at an address.
pub fn at<C: FromAccountId<DefaultEnvironment>>(address: AccountId) -> C {
    C::from_account_id(address)
}
