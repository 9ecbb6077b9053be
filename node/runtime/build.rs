//! Builds the runtime's Wasm blob, which the native crate embeds as `WASM_BINARY`.

fn main() {
    #[cfg(feature = "wasm")]
    {
        // The builder hands on the features that it sees here, and the blob must not build a blob.
        std::env::remove_var("CARGO_FEATURE_WASM");
        substrate_wasm_builder::WasmBuilder::build_using_defaults();
    }
}
