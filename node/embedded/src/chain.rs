//! The blocks: a single line of them, as there is nobody to disagree with.

use cicada_runtime::{opaque, BlockNumber, Hash, Header};
use sp_runtime::{generic::SignedBlock, OpaqueExtrinsic};
use std::{collections::HashMap, sync::Arc};

/// A block of the chain.
#[derive(Debug)]
pub struct Block {
    /// The hash of its header.
    pub hash: Hash,
    /// Its header; the root of its state is there.
    pub header: Header,
    /// Its extrinsics, inherents first.
    pub extrinsics: Vec<OpaqueExtrinsic>,
    /// Its time, in milliseconds since 1970.
    pub time: u64,
    /// The trie nodes that only it and its successors need; empty if it was loaded from a file.
    pub added: Vec<Hash>,
}

impl Block {
    /// A block of its parts.
    pub fn new(
        header: Header,
        extrinsics: Vec<OpaqueExtrinsic>,
        time: u64,
        added: Vec<Hash>,
    ) -> Self {
        Self { hash: header.hash(), header, extrinsics, time, added }
    }

    /// Its height; the genesis has 0.
    pub fn number(&self) -> BlockNumber {
        self.header.number
    }

    /// As JSON-RPC shows it.
    pub fn signed(&self) -> SignedBlock<opaque::Block> {
        let block =
            opaque::Block { header: self.header.clone(), extrinsics: self.extrinsics.clone() };
        SignedBlock { block, justifications: None }
    }
}

/// What happened to the chain.
#[derive(Clone, Debug)]
pub enum Event {
    /// There is a new best block.
    Imported(Arc<Block>),
    /// All blocks to this one are final.
    Finalized(Arc<Block>),
    /// Later blocks than `best` are gone.
    Reverted {
        /// The best block from now on.
        best: Arc<Block>,
        /// The newest final block from now on.
        finalized: Arc<Block>,
    },
}

/// All blocks by height and by hash.
pub struct Chain {
    blocks: Vec<Arc<Block>>,
    numbers: HashMap<Hash, BlockNumber>,
    finalized: BlockNumber,
}

impl Chain {
    /// A chain of one block.
    pub fn new(genesis: Block) -> Self {
        let genesis = Arc::new(genesis);
        Self { numbers: HashMap::from([(genesis.hash, 0)]), blocks: vec![genesis], finalized: 0 }
    }

    /// The first block.
    pub fn genesis(&self) -> &Arc<Block> {
        &self.blocks[0]
    }

    /// The newest block.
    pub fn best(&self) -> &Arc<Block> {
        &self.blocks[self.blocks.len() - 1]
    }

    /// The newest final block.
    pub fn finalized(&self) -> &Arc<Block> {
        &self.blocks[self.finalized as usize]
    }

    /// The block at a height.
    pub fn at(&self, number: BlockNumber) -> Option<&Arc<Block>> {
        self.blocks.get(number as usize)
    }

    /// The block with a hash.
    pub fn get(&self, hash: &Hash) -> Option<&Arc<Block>> {
        self.at(*self.numbers.get(hash)?)
    }

    /// The blocks from one height to another, both included.
    pub fn range(&self, from: BlockNumber, to: BlockNumber) -> &[Arc<Block>] {
        let end = (to as usize + 1).min(self.blocks.len());
        self.blocks.get(from as usize..end).unwrap_or_default()
    }

    /// Appends the block that follows the best one.
    pub fn push(&mut self, block: Arc<Block>) {
        self.numbers.insert(block.hash, block.number());
        self.blocks.push(block);
    }

    /// Makes all blocks to `number` final; returns the newest of them unless it was final before.
    pub fn finalize(&mut self, number: BlockNumber) -> Option<Arc<Block>> {
        let block = self.at(number)?.clone();
        (number > self.finalized).then(|| {
            self.finalized = number;
            block
        })
    }

    /// Removes all blocks above `number` and returns them.
    pub fn truncate(&mut self, number: BlockNumber) -> Vec<Arc<Block>> {
        let gone = self.blocks.split_off((number as usize + 1).min(self.blocks.len()));
        for block in &gone {
            self.numbers.remove(&block.hash);
        }
        self.finalized = self.finalized.min(number);
        gone
    }
}
