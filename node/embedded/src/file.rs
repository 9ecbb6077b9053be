//! The whole chain in a file.

use crate::{
    chain::{Block, Chain},
    clock::Clock,
    node::Node,
    runtime,
    state::{Hashing, Nodes},
};
use cicada_runtime::{BlockNumber, Hash, Header};
use codec::{Compact, Decode, Encode};
use parking_lot::Mutex;
use sp_runtime::{traits::Hash as _, OpaqueExtrinsic};
use sp_trie::DBValue;
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file's first bytes: what it is, and by which rules it is written.
const FORMAT: &[u8; 16] = b"cicada-chain 001";
/// How many bytes at the file's end are the checksum of the others.
const CHECKSUM: usize = 32;

/// Why a file is not a chain that this program can go on with.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("this is not a state file of cicada-chain, or one of another version")]
    Format,
    /// It is not as it was written.
    #[error("the state file is damaged: its checksum does not match")]
    Damaged,
    /// Its blocks were made by other rules.
    #[error(
        "the state file was written by another runtime; start with another file, or remove it"
    )]
    OtherRuntime,
    /// Its chain is another one than asked for.
    #[error(
        "the state file's chain begins with block {file:?}, but with this --code it would with {asked:?}"
    )]
    OtherGenesis {
        /// The hash of the first block in the file.
        file: Hash,
        /// The hash that it should have.
        asked: Hash,
    },
    /// The checksum is right, but what it is of is not.
    #[error("the state file cannot be decoded: {0}")]
    Content(#[from] codec::Error),
    /// The runtime does not answer.
    #[error(transparent)]
    Runtime(#[from] runtime::CallError),
}

/// A block in the file: its header, its extrinsics, its time.
type Saved = (Header, Vec<OpaqueExtrinsic>, u64);

/// What tells this runtime from others: its versions and all its types.
fn fingerprint() -> Result<Hash, FileError> {
    let nodes = Nodes::default();
    let view = nodes.view(sp_trie::empty_trie_root::<sp_trie::LayoutV1<Hashing>>());
    let metadata = runtime::query_raw(&view, "Metadata_metadata", &[])?;
    Ok(Hashing::hash_of(&(cicada_runtime::VERSION, metadata)))
}

/// Held while the chain is written down: two at once would write into the same unfinished file.
static SAVING: Mutex<()> = Mutex::new(());

/// Writes the chain as it is to `path`, which has its old content or the new one at any moment, however
/// many ask for it at once.
///
/// # Errors
/// If the file cannot be written.
pub fn save(node: &Node, path: &Path) -> Result<(), FileError> {
    let _saving = SAVING.lock();
    let fingerprint = fingerprint()?;
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let mut file = Summed { file: BufWriter::new(File::create(&unfinished)?), sum: checksum() };
    file.write_all(FORMAT)?;
    file.write_all(&fingerprint.encode())?;
    node.at_rest(|nodes, chain, clock| -> io::Result<()> {
        let blocks = chain.range(0, chain.best().number());
        file.write_all(&(clock, chain.finalized().number(), length(blocks.len())).encode())?;
        for block in blocks {
            file.write_all(&(&block.header, &block.extrinsics, block.time).encode())?;
        }
        file.write_all(&length(nodes.len()).encode())?;
        nodes.for_each(|hash, value| file.write_all(&(hash, value).encode()))
    })?;
    let Summed { mut file, sum } = file;
    file.write_all(sum.finalize().as_bytes())?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&unfinished, path)?;
    Ok(())
}

/// Reads the chain in `path`, which must begin with the block `genesis` if one is given.
///
/// # Errors
/// If there is none that this program can go on with.
pub fn load(path: &Path, genesis: Option<Hash>) -> Result<(Nodes, Chain, Clock), FileError> {
    let bytes = fs::read(path)?;
    let (content, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(FileError::Format)?;
    let mut content = content.strip_prefix(FORMAT).ok_or(FileError::Format)?;
    if checksum().update(&bytes[..bytes.len() - CHECKSUM]).finalize().as_bytes() != sum {
        return Err(FileError::Damaged);
    }
    let input = &mut content;
    if Hash::decode(input)? != fingerprint()? {
        return Err(FileError::OtherRuntime);
    }
    let (clock, finalized, blocks) = <(Clock, BlockNumber, Compact<u64>)>::decode(input)?;
    let mut chain: Option<Chain> = None;
    for _ in 0..blocks.0 {
        let (header, extrinsics, time) = Saved::decode(input)?;
        let block = Block::new(header, extrinsics, time, Vec::new());
        match &mut chain {
            None => chain = Some(Chain::new(block)),
            Some(chain) if chain.best().hash == block.header.parent_hash => {
                chain.push(Arc::new(block));
            }
            Some(_) => return Err(FileError::Damaged),
        }
    }
    let mut chain = chain.ok_or(FileError::Damaged)?;
    chain.finalize(finalized);
    let file = chain.genesis().hash;
    if let Some(asked) = genesis.filter(|asked| *asked != file) {
        return Err(FileError::OtherGenesis { file, asked });
    }
    let nodes = Compact::<u64>::decode(input)?;
    let nodes: Result<_, codec::Error> =
        (0..nodes.0).map(|_| <(Hash, DBValue)>::decode(input)).collect();
    Ok((Nodes::from_entries(nodes?), chain, clock))
}

fn length(length: usize) -> Compact<u64> {
    Compact(length as u64)
}

fn checksum() -> blake2b_simd::State {
    blake2b_simd::Params::new().hash_length(CHECKSUM).to_state()
}

/// A file and the checksum of what was written to it.
struct Summed {
    file: BufWriter<File>,
    sum: blake2b_simd::State,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.sum.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
