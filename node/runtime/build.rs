//! Builds the runtime's Wasm blob, which the native crate embeds as `WASM_BINARY`.

fn main() {
    #[cfg(feature = "std")]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
