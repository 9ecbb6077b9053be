//! The runtime, run natively on a state, and what it takes to make a block with it.

use crate::{
    guard,
    state::{Changes, Hashing, Nodes, View},
};
use cicada_runtime::{Hash, Header};
use codec::{Decode, Encode};
use sp_inherents::InherentData;
use sp_runtime::{
    generic::Digest, traits::Header as _, transaction_validity::TransactionValidityError,
    ApplyExtrinsicResult, DispatchResult, ExtrinsicInclusionMode, OpaqueExtrinsic, StateVersion,
    Storage,
};
use sp_state_machine::{backend::Backend, Ext, OverlayedChanges};
use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
};

/// How the runtime's state trie is laid out (`VERSION.system_version`).
const STATE_VERSION: StateVersion = StateVersion::V1;

/// Why a call of the runtime had no result.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The runtime has no such function.
    #[error("Exported method {0} is not found: state_getMetadata names what the runtime has")]
    UnknownMethod(String),
    /// The runtime gave up, such as over arguments that it cannot decode.
    #[error("Execution failed: the runtime panicked: {0}")]
    Panic(String),
    /// What was given or answered is of another type than expected, or nested too deeply.
    #[error("Bad data: {0}")]
    Data(#[from] codec::Error),
    /// The state is damaged, or the block was reverted meanwhile.
    #[error("The state cannot be read: {0}")]
    State(String),
}

type Overlay = OverlayedChanges<Hashing>;

thread_local! {
    static IN_RUNTIME: Cell<bool> = const { Cell::new(false) };
}

/// Lets panics of the runtime, which are answers to bad input, go to the log instead of the terminal.
pub fn quiet_panics() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if IN_RUNTIME.get() {
            log::debug!("{panic}");
        } else {
            report(panic);
        }
    }));
}

/// Calls `function` as a part of the runtime: what it reads and writes is the state with the changes in `overlay`.
///
/// # Errors
/// If it panics. Storage transactions that it left open are rolled back.
fn inside<R>(
    view: &View,
    overlay: &mut Overlay,
    function: impl FnOnce() -> R,
) -> Result<R, CallError> {
    overlay.enter_runtime().map_err(|_| CallError::State("already in use".into()))?;
    IN_RUNTIME.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(|| {
        let mut ext = Ext::new(overlay, view, None);
        sp_externalities::set_and_run_with_externalities(&mut ext, function)
    }));
    IN_RUNTIME.set(false);
    overlay.exit_runtime().map_err(|_| CallError::State("already left".into()))?;
    result.map_err(|payload| CallError::Panic(message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".into())
}

fn call(
    view: &View,
    overlay: &mut Overlay,
    method: &str,
    arguments: &[u8],
) -> Result<Vec<u8>, CallError> {
    inside(view, overlay, || cicada_runtime::dispatch(method, arguments))?
        .ok_or_else(|| CallError::UnknownMethod(method.into()))
}

/// What the runtime function `method` answers to SCALE-encoded arguments. The state stays as it is.
///
/// # Errors
/// If there is no such function, it panics, or the arguments could harm the process.
pub fn query_raw(view: &View, method: &str, arguments: &[u8]) -> Result<Vec<u8>, CallError> {
    call(view, &mut Overlay::default(), method, &guard::harmless(method, arguments)?)
}

/// [`query_raw`] with types.
///
/// # Errors
/// As there, and if the answer is of another type.
pub fn query<T: Decode>(
    view: &View,
    method: &str,
    arguments: &impl Encode,
) -> Result<T, CallError> {
    let answer = query_raw(view, method, &arguments.encode())?;
    Ok(T::decode(&mut answer.as_slice())?)
}

/// The time of a state, in milliseconds since 1970; 0 in the genesis.
///
/// # Errors
/// If the state cannot be read.
pub fn time(view: &View) -> Result<u64, CallError> {
    inside(view, &mut Overlay::default(), cicada_runtime::Timestamp::get)
}

/// The header of the first block and the changes that make its state.
pub fn genesis(storage: &Storage) -> (Header, Changes) {
    let empty = Nodes::default();
    let view = empty.view(sp_trie::empty_trie_root::<sp_trie::LayoutV1<Hashing>>());
    let top = storage.top.iter().map(|(key, value)| (&key[..], Some(&value[..])));
    let children = storage.children_default.values().map(|child| {
        let values = child.data.iter().map(|(key, value)| (&key[..], Some(&value[..])));
        (&child.child_info, values)
    });
    let (root, changes) = view.full_storage_root(top, children, STATE_VERSION);
    let no_extrinsics = sp_trie::empty_trie_root::<sp_trie::LayoutV0<Hashing>>();
    (Header::new(0, no_extrinsics, root, Hash::default(), Digest::default()), changes)
}

/// Why an extrinsic is not in a block.
#[derive(Debug)]
pub enum Refused {
    /// It would be valid, but not in this block.
    NoRoom,
    /// It can be in no block.
    Invalid(TransactionValidityError),
    /// The runtime failed.
    Failed(CallError),
}

/// A block in the making.
pub struct Draft<'a, 'n> {
    view: &'a View<'n>,
    overlay: Overlay,
    extrinsics: Vec<OpaqueExtrinsic>,
}

/// A block that was made and what it changes.
pub struct Made {
    /// Its header, complete.
    pub header: Header,
    /// Its extrinsics, inherents first.
    pub extrinsics: Vec<OpaqueExtrinsic>,
    /// What turns its parent's state into its own.
    pub changes: Changes,
}

impl<'a, 'n> Draft<'a, 'n> {
    /// Begins a block on `parent`, whose state is `view`.
    ///
    /// # Errors
    /// If the runtime fails.
    pub fn new(view: &'a View<'n>, parent: &Header) -> Result<Self, CallError> {
        let header = Header::new(
            parent.number + 1,
            Hash::default(),
            Hash::default(),
            parent.hash(),
            Digest::default(),
        );
        let mut overlay = Overlay::default();
        let mode = call(view, &mut overlay, "Core_initialize_block", &header.encode())?;
        ExtrinsicInclusionMode::decode(&mut mode.as_slice())?;
        Ok(Self { view, overlay, extrinsics: Vec::new() })
    }

    /// Adds what the runtime itself puts into each block: the time, here `time_ms` or just after the parent's.
    ///
    /// # Errors
    /// If the runtime fails or does not want its own extrinsics.
    pub fn push_inherents(&mut self, time_ms: u64) -> Result<(), CallError> {
        let mut data = InherentData::new();
        let time = sp_timestamp::InherentType::new(time_ms);
        data.put_data(sp_timestamp::INHERENT_IDENTIFIER, &time)
            .map_err(|error| CallError::State(error.to_string()))?;
        self.overlay.start_transaction();
        let answer = self.call("BlockBuilder_inherent_extrinsics", &data.encode());
        self.roll_back();
        for inherent in Vec::<OpaqueExtrinsic>::decode(&mut answer?.as_slice())? {
            self.push(inherent).map_err(|refused| match refused {
                Refused::Failed(error) => error,
                refused => CallError::State(format!("an inherent was refused: {refused:?}")),
            })?;
        }
        Ok(())
    }

    /// Adds an extrinsic, or leaves the block as it was.
    ///
    /// # Errors
    /// If it does not fit into this block or into any.
    pub fn push(&mut self, extrinsic: OpaqueExtrinsic) -> Result<(), Refused> {
        self.overlay.start_transaction();
        let result = self.apply(&extrinsic);
        if result.is_ok() {
            let committed = self.overlay.commit_transaction();
            committed.map_err(|_| Refused::Failed(CallError::State("no transaction".into())))?;
            self.extrinsics.push(extrinsic);
        } else {
            self.roll_back();
        }
        result
    }

    fn apply(&mut self, extrinsic: &OpaqueExtrinsic) -> Result<(), Refused> {
        let answer = self
            .call("BlockBuilder_apply_extrinsic", &extrinsic.encode())
            .map_err(Refused::Failed)?;
        match ApplyExtrinsicResult::decode(&mut answer.as_slice()) {
            Ok(Ok(_dispatched)) => Ok(()),
            Ok(Err(error)) if error.exhausted_resources() => Err(Refused::NoRoom),
            Ok(Err(error)) => Err(Refused::Invalid(error)),
            Err(error) => Err(Refused::Failed(error.into())),
        }
    }

    /// Changes the state as no extrinsic could.
    ///
    /// # Errors
    /// What the runtime says against it.
    pub fn edit(&mut self, change: impl FnOnce() -> DispatchResult) -> Result<(), CallError> {
        let result = inside(self.view, &mut self.overlay, change)?;
        result.map_err(|error| CallError::State(<&str>::from(error).into()))
    }

    /// Completes the block.
    ///
    /// # Errors
    /// If the runtime fails.
    pub fn finish(mut self) -> Result<Made, CallError> {
        let header = self.call("BlockBuilder_finalize_block", &[])?;
        let header = Header::decode(&mut header.as_slice())?;
        let changes = self
            .overlay
            .drain_storage_changes(self.view, STATE_VERSION)
            .map_err(|error| CallError::State(error.to_string()))?;
        if changes.transaction_storage_root != header.state_root {
            return Err(CallError::State("the block's root is not its state's".into()));
        }
        Ok(Made { header, extrinsics: self.extrinsics, changes: changes.transaction })
    }

    fn call(&mut self, method: &str, arguments: &[u8]) -> Result<Vec<u8>, CallError> {
        call(self.view, &mut self.overlay, method, arguments)
    }

    fn roll_back(&mut self) {
        if self.overlay.rollback_transaction().is_err() {
            log::error!("A block's changes could not be rolled back");
        }
    }
}
