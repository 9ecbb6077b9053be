//! The node's parts and how they are connected.

use crate::{chain_spec, cli::NodeParams, rpc, seal};
use cicada_runtime::{opaque::Block, RuntimeApi};
use sc_basic_authorship::ProposerFactory;
use sc_consensus::LongestChain;
use sc_executor::{HeapAllocStrategy, WasmExecutor, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_network::{
    config::{FullNetworkConfiguration, TransportConfig},
    service::traits::NetworkBackend,
    NetworkWorker,
};
use sc_service::{
    config::{ExecutorConfiguration, PruningMode},
    error::Error,
    BuildNetworkParams, Configuration, GenesisBlockBuilder, SpawnTasksParams, TFullBackend,
    TFullClient, TaskManager,
};
use sc_transaction_pool::TransactionPoolHandle;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// The chain: its state and its runtime.
pub type Client = TFullClient<Block, RuntimeApi, Executor>;
/// Where blocks and state are kept.
pub type Backend = TFullBackend<Block>;
/// Transactions that wait for a block.
pub type Pool = TransactionPoolHandle<Block, Client>;

type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
type Network = NetworkWorker<Block, <Block as sp_runtime::traits::Block>::Hash>;

/// Starts everything and returns the tasks that keep it going.
///
/// # Errors
/// If the database cannot be opened, a port is taken, or the runtime is unfit.
pub fn start(mut config: Configuration, params: NodeParams) -> Result<TaskManager, Error> {
    isolate(&mut config);
    // Blocks come as fast as transactions do, so a window of blocks would be a short memory.
    config.state_pruning.get_or_insert(PruningMode::ArchiveAll);

    let executor = executor(&config.executor, params.runtime_cache);
    let backend = sc_service::new_db_backend(config.db_config())?;
    let genesis = GenesisBlockBuilder::new_with_storage(
        cicada_runtime::development_storage(chain_spec::code()?)?,
        !config.no_genesis(),
        backend.clone(),
        executor.clone(),
    )?;
    let (client, backend, keystore, mut task_manager) =
        sc_service::new_full_parts_with_genesis_builder::<Block, RuntimeApi, _, _>(
            &config, None, executor, backend, genesis, false,
        )?;
    let client = Arc::new(client);
    let metrics = config.prometheus_registry().cloned();
    let pool = Arc::new(
        sc_transaction_pool::Builder::new(
            task_manager.spawn_essential_handle(),
            client.clone(),
            config.role.is_authority().into(),
        )
        .with_options(config.transaction_pool.clone())
        .with_prometheus(metrics.as_ref())
        .build(),
    );

    let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
        sc_service::build_network(BuildNetworkParams {
            config: &config,
            net_config: FullNetworkConfiguration::<_, _, Network>::new(
                &config.network,
                metrics.clone(),
            ),
            client: client.clone(),
            transaction_pool: pool.clone(),
            spawn_handle: task_manager.spawn_handle(),
            spawn_essential_handle: task_manager.spawn_essential_handle(),
            import_queue: sc_consensus_manual_seal::import_queue(
                Box::new(client.clone()),
                &task_manager.spawn_essential_handle(),
                metrics.as_ref(),
            ),
            block_announce_validator_builder: None,
            warp_sync_config: None,
            block_relay: None,
            metrics: Network::register_notification_metrics(metrics.as_ref()),
            gap_sync_body_policy: None,
        })?;

    let proposers = ProposerFactory::new(
        task_manager.spawn_handle(),
        client.clone(),
        pool.clone(),
        metrics.as_ref(),
        None,
    );
    let tasks = task_manager.spawn_essential_handle();
    tasks.spawn_blocking(
        "seal",
        "block-authoring",
        seal::seal_on_demand(
            client.clone(),
            pool.clone(),
            LongestChain::new(backend.clone()),
            proposers,
        ),
    );
    tasks.spawn_blocking(
        "finalize",
        "block-authoring",
        seal::finalize_delayed(
            client.clone(),
            Duration::from_secs(params.finalize_delay_sec.into()),
        ),
    );

    let rpc_parts = (client.clone(), pool.clone());
    sc_service::spawn_tasks(SpawnTasksParams {
        config,
        client,
        backend,
        task_manager: &mut task_manager,
        keystore: keystore.keystore(),
        transaction_pool: pool,
        rpc_builder: Box::new(move |_| {
            let (client, pool) = rpc_parts.clone();
            rpc::module(client, pool).map_err(|error| Error::Application(error.into()))
        }),
        network,
        system_rpc_tx,
        tx_handler_controller,
        sync_service,
        telemetry: None,
        tracing_execute_block: None,
    })?;
    Ok(task_manager)
}

/// Leaves the node without peers: every development chain starts from the same genesis, so two nodes
/// that found each other would mix their blocks. It also takes no port but those of RPC and metrics.
fn isolate(config: &mut Configuration) {
    config.network.transport = TransportConfig::MemoryOnly;
    config.network.listen_addresses.clear();
    config.network.boot_nodes.clear();
}

/// What runs the runtime; `cache` is where its machine code is kept for the next start.
fn executor(config: &ExecutorConfiguration, cache: Option<PathBuf>) -> Executor {
    let heap = config.default_heap_pages.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, |pages| {
        HeapAllocStrategy::Static { extra_pages: pages as u32 }
    });
    let builder = Executor::builder()
        .with_execution_method(config.wasm_method)
        .with_onchain_heap_alloc_strategy(heap)
        .with_offchain_heap_alloc_strategy(heap)
        .with_max_runtime_instances(config.max_runtime_instances)
        .with_runtime_cache_size(config.runtime_cache_size);
    match cache {
        Some(folder) => builder.with_cache_path(folder),
        None => builder,
    }
    .build()
}
