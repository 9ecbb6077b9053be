//! The final block of a time.

use crate::Source;

/// How many final blocks back from the newest one a time is looked for. Nodes that prune keep the
/// state of so many.
pub const BLOCKS: u64 = 256;

/// Why there is no block.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError<E> {
    /// Perhaps its block is still to come, or to become final.
    #[error("its time is later than that of the newest final block, {newest_ms}")]
    Later {
        /// The time of the newest final block.
        newest_ms: u64,
    },
    /// No final block has this time.
    #[error("its time is not that of a final block: the nearest before it is of {before_ms}")]
    Between {
        /// The time of the last block before it.
        before_ms: u64,
    },
    /// More than [`BLOCKS`] ago.
    #[error("its time is older than the last {BLOCKS} final blocks")]
    TooOld,
    /// The chain does not answer.
    #[error("{0}")]
    Chain(E),
}

impl<E> From<E> for FindError<E> {
    fn from(error: E) -> Self {
        Self::Chain(error)
    }
}

/// The final block whose time is exactly `time_ms`, among the last [`BLOCKS`]. There is at most one,
/// since times rise from block to block; at most ten of them are read.
///
/// # Errors
/// [`FindError`].
pub async fn find<S: Source>(source: &S, time_ms: u64) -> Result<u64, FindError<S::Error>> {
    let newest = source.newest().await?;
    let newest_ms = source.time_ms(newest).await?;
    if newest_ms == time_ms {
        return Ok(newest);
    }
    if newest_ms < time_ms {
        return Err(FindError::Later { newest_ms });
    }
    // Between the two: `low` is not later than the time, `high` is.
    let mut low = newest.saturating_sub(BLOCKS.saturating_sub(1));
    let mut low_ms = source.time_ms(low).await?;
    if low_ms > time_ms {
        return Err(FindError::TooOld);
    }
    let mut high = newest;
    while low_ms < time_ms {
        let middle = low.midpoint(high);
        if middle == low {
            return Err(FindError::Between { before_ms: low_ms });
        }
        let middle_ms = source.time_ms(middle).await?;
        if middle_ms <= time_ms {
            (low, low_ms) = (middle, middle_ms);
        } else {
            high = middle;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Volumes;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Block `n` is of the time `n²`.
    struct Squares {
        newest: u64,
        reads: AtomicUsize,
        broken: bool,
    }

    impl Squares {
        fn up_to(newest: u64) -> Self {
            Self { newest, reads: AtomicUsize::new(0), broken: false }
        }
    }

    impl Source for Squares {
        type Error = &'static str;

        async fn newest(&self) -> Result<u64, Self::Error> {
            Ok(self.newest)
        }

        async fn time_ms(&self, block: u64) -> Result<u64, Self::Error> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            assert!(block <= self.newest, "only final blocks are read");
            if self.broken {
                return Err("no answer");
            }
            Ok(block * block)
        }

        async fn volumes(&self, _: u64) -> Result<Volumes, Self::Error> {
            Ok(Volumes::new())
        }
    }

    #[tokio::test]
    async fn every_block_of_the_window_is_found_by_its_time_alone() {
        for newest in [0u64, 1, 2, 255, 256, 1_000] {
            let first = newest.saturating_sub(BLOCKS - 1);
            for block in first..=newest {
                let source = Squares::up_to(newest);
                assert_eq!(find(&source, block * block).await, Ok(block));
                assert!(source.reads.into_inner() <= 10, "block {block} of {newest}");
            }
        }
    }

    #[tokio::test]
    async fn other_times_have_no_block() {
        let source = Squares::up_to(1_000);
        for block in 745u64..1_000 {
            let before_ms = block * block;
            for time in [before_ms + 1, (block + 1) * (block + 1) - 1] {
                assert_eq!(find(&source, time).await, Err(FindError::Between { before_ms }));
            }
        }
        let later = FindError::Later { newest_ms: 1_000_000 };
        assert_eq!(find(&source, 1_000_001).await, Err(later));
        assert_eq!(find(&source, 744 * 744).await, Err(FindError::TooOld));
        assert_eq!(find(&source, 745 * 745 - 1).await, Err(FindError::TooOld));
        assert_eq!(find(&source, 0).await, Err(FindError::TooOld));
    }

    #[tokio::test]
    async fn a_chain_that_does_not_answer_is_no_block() {
        let source = Squares { broken: true, ..Squares::up_to(9) };
        assert_eq!(find(&source, 4).await, Err(FindError::Chain("no answer")));
    }
}
